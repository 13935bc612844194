// The compiler turns struct copies and loops into calls of these. Here they are our own
// (exports.map), without vector registers and without libc, so that no code of ours depends on
// whose libc, or which hook of it, is loaded.
#include <cstddef>
#include <cstdint>

extern "C" {

void* memcpy(void* to, const void* from, size_t n) {
  void* const start = to;
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
  return start;
}

void* memset(void* to, int byte, size_t n) {
  void* const start = to;
  asm volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(byte) : "memory");
  return start;
}

void* memmove(void* to, const void* from, size_t n) {
  if (reinterpret_cast<uint64_t>(to) - reinterpret_cast<uint64_t>(from) >= n)
    return memcpy(to, from, n);
  auto* t = static_cast<volatile uint8_t*>(to);
  auto* f = static_cast<const volatile uint8_t*>(from);
  while (n--) t[n] = f[n];
  return to;
}

int memcmp(const void* a, const void* b, size_t n) {
  auto* x = static_cast<const volatile uint8_t*>(a);
  auto* y = static_cast<const volatile uint8_t*>(b);
  size_t i = 0;
  for (uint64_t s, t; i + sizeof s <= n; i += sizeof s) {  // as far as they are the same
    __builtin_memcpy(&s, static_cast<const uint8_t*>(a) + i, sizeof s);
    __builtin_memcpy(&t, static_cast<const uint8_t*>(b) + i, sizeof t);
    if (s != t) break;
  }
  for (; i < n; ++i)
    if (const int d = x[i] - y[i]) return d;
  return 0;
}

size_t strlen(const char* text) {
  auto* at = static_cast<const volatile char*>(text);
  size_t n = 0;
  while (at[n]) ++n;
  return n;
}
}
