// Two of these differ in nothing but the size of a frame, so that one takes the other's very
// addresses.
__attribute__((noinline)) static int inner(void (*call)(void), int n) {
  volatile char some[SIZE];
  some[n] = (char)n;
  call();
  return some[n];
}

int go(void (*call)(void), int n);
int go(void (*call)(void), int n) { return inner(call, n & 15) + 1; }
