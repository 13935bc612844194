// Hazard 29: the red zone in use, and calls with rsp where no stack is: 0, no address, not
// readable, not writable, odd. The kernel doesn't touch the stack; nor may we.
#include <pthread.h>
#include <sys/mman.h>
#include "guest.h"

long red_zone(long nr);
__asm__(
    ".text\n.globl red_zone\n.type red_zone, @function\nred_zone:\n.cfi_startproc\n"
    ".irp n,8,16,24,32,40,48,56,64,72,80,88,96,104,112,120,128\n  movq $\\n, -\\n(%rsp)\n.endr\n"
    "  mov %rdi, %rax\n  mov $-1, %edi\n  syscall\n  xor %eax, %eax\n"
    ".irp n,8,16,24,32,40,48,56,64,72,80,88,96,104,112,120,128\n  cmpq $\\n, -\\n(%rsp)\n  jne "
    "1f\n  inc %eax\n1:\n.endr\n"
    "  ret\n.cfi_endproc\n.size red_zone, .-red_zone\n");

long with_stack(unsigned long rsp, long nr);
__asm__(
    ".text\n.globl with_stack\n.type with_stack, @function\nwith_stack:\n.cfi_startproc\n"
    "  push %rbp\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset rbp, 0\n  mov %rsp, %rbp\n"
    ".cfi_def_cfa_register rbp\n  push %rbx\n  mov %rdi, %rbx\n  mov %rsi, %rax\n  mov %rdi, %rsp\n"
    "  mov $-1, %edi\n  syscall\n"
    "  cmp %rbx, %rsp\n  je 1f\n  mov $-9999, %rax\n1: lea -8(%rbp), %rsp\n  pop %rbx\n  pop %rbp\n"
    ".cfi_def_cfa rsp, 8\n  ret\n.cfi_endproc\n.size with_stack, .-with_stack\n");

static unsigned long where;
static void calls(void) {
  long right = 0, pid = getpid();
  for (int i = 0; i < 50; i++) {
    right += with_stack(where, SYS_getpid) == pid;
    right += with_stack(where, SYS_close) == -EBADF;
  }
  say("  right %ld", right);
}

// A thread that unmaps the stack it stands on and ends.
static void* vanish(void* stack) {
  register long nr __asm__("rax") = SYS_munmap;
  register void* base __asm__("rdi") = stack;
  register long size __asm__("rsi") = 1 << 20;
  __asm__ volatile("syscall\n mov $60, %%eax\n xor %%edi, %%edi\n syscall\n hlt"
                   :
                   : "r"(nr), "r"(base), "r"(size)
                   : "rcx", "r11", "memory");
  return NULL;
}

int main(int argc, char** argv) {
  // The kernel writes where a thread registered rseq whenever it was preempted; of one that has
  // vanished that is gone, and the program with it, of one run in twenty-five.
  if (argc == 1 && !getenv("GLIBC_TUNABLES")) {
    setenv("GLIBC_TUNABLES", "glibc.pthread.rseq=0", 1);
    execv("/proc/self/exe", argv);
  }
  for (int i = 0; i < 3; i++)
    say("red zone: %ld %ld %ld", red_zone(SYS_getpid), red_zone(SYS_close), red_zone(5000));
  char* none = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char* only_read = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char local[4096];
  const struct {
    const char* name;
    unsigned long rsp;
  } stacks[] = {{"odd", (unsigned long)local + 4001},
                {"not accessible", (unsigned long)none + 4096},
                {"read-only", (unsigned long)only_read + 4096},
                {"0", 0},
                {"no address", 0x8000000000000000},
                {"the last", 0xfffffffffffffff8}};
  for (unsigned i = 0; i < sizeof stacks / sizeof *stacks; i++) {
    where = stacks[i].rsp;
    in_child(stacks[i].name, calls);
  }
  int gone = 0;
  for (int i = 0; i < 10; i++) {
    char* stack = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, stack, 1 << 20);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    must(pthread_create(&thread, &attributes, vanish, stack) == 0);
    unsigned char seen;
    while (raw(SYS_mincore, stack, 4096, &seen) != -ENOMEM) usleep(100);
    gone++;
  }
  say("vanished %d", gone);
  raw(SYS_exit_group, 0);
}
