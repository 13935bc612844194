// A library with syscall instructions of its own, and the bytes of one in its data.
const unsigned char not_code[] = {0xb8, 0x27, 0, 0, 0, 0x0f, 0x05, 0xc3};

__attribute__((noinline)) static long call(long nr) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(nr) : "rcx", "r11", "memory");
  return result;
}

long plugin_pid(void) {
  long result;
  __asm__ volatile("mov $39, %%eax\n\tsyscall" : "=a"(result) : : "rcx", "r11", "memory");
  return result;
}

long plugin_number(void) { return call(39) > 0 && not_code[5] == 0x0f ? NUMBER : -1; }
