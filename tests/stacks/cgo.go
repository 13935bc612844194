// Calls of the kernel from Go, which keeps frame pointers and has no .eh_frame, and from C below it,
// on a stack of another place.
package main

/*
#include <unistd.h>
static __attribute__((noinline)) void put_in_c(void) {
  (void)!write(9, "c", 1);
  __asm__ volatile("");
}
static __attribute__((noinline)) void outer_in_c(void) {
  put_in_c();
  __asm__ volatile("");
}
*/
import "C"
import "syscall"

//go:noinline
func deep(n int) {
	if n > 0 {
		deep(n - 1)
		return
	}
	C.outer_in_c()
	syscall.Write(9, []byte("go"))
}

func main() {
	for n := 0; n < 20; n++ {
		deep(n)
	}
}
