// Hazard 23: threads on the smallest stack, with fewer than 900 bytes of it left, make calls.
#include <limits.h>
#include <pthread.h>
#include <sys/mman.h>
#include "guest.h"

static char* low;

// Moves rsp to `where`, makes `count` getppid calls, comes back: how many were positive.
long calls_at(char* where, long count);
__asm__(
    ".text\n.globl calls_at\n.type calls_at, @function\ncalls_at:\n.cfi_startproc\n"
    "  push %rbx\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset rbx, 0\n"
    "  push %rbp\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset rbp, 0\n"
    "  mov %rsp, %rbp\n.cfi_def_cfa_register rbp\n  mov %rdi, %rsp\n  mov %rsi, %rbx\n  xor %edi, "
    "%edi\n"
    "1: mov $110, %eax\n  syscall\n  test %rax, %rax\n  jle 2f\n  inc %rdi\n2: dec %rbx\n  jnz 1b\n"
    "  mov %rdi, %rax\n  mov %rbp, %rsp\n  pop %rbp\n.cfi_def_cfa rsp, 16\n.cfi_restore rbp\n"
    "  pop %rbx\n.cfi_adjust_cfa_offset -8\n.cfi_restore rbx\n  ret\n.cfi_endproc\n"
    ".size calls_at, .-calls_at\n");

static void* work(void* result) {
  *(long*)result = calls_at(low + 880, 500);
  return NULL;
}

int main(void) {
  long least = sysconf(_SC_THREAD_STACK_MIN);
  size_t size = ((size_t)(least > 16384 ? least : 16384) + 4095) & ~4095ul;
  for (int i = 0; i < 5; i++) {
    char* area = mmap(NULL, size + 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    low = area + 4096;
    must(mprotect(low, size, PROT_READ | PROT_WRITE) == 0);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    must(pthread_attr_setstack(&attributes, low, size) == 0);
    pthread_t thread;
    long right = 0;
    must(pthread_create(&thread, &attributes, work, &right) == 0);
    pthread_join(thread, NULL);
    say("thread %d: %ld", i, right);
  }
  return 0;
}
