// What a seccomp filter that the app is about to install would say to a call: the same small
// machine that the kernel runs it on.
#pragma once
#include <cstdint>

namespace sctrace::preload {

enum class Verdict : uint8_t {
  yes,      // whatever its arguments
  depends,  // it looks at them, or at where the call is made
  no,
};

// What the program behind the app's struct sock_fprog says to the call `nr`. Yes where it can't be
// read: the kernel won't take it either.
Verdict verdict_of(uint64_t fprog, uint32_t nr);

}  // namespace sctrace::preload
