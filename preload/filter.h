// What a seccomp filter that the app is about to install would say to a call: the same small
// machine that the kernel runs it on.
#pragma once
#include <cstdint>

namespace sctrace::preload {

// Does the program behind the app's struct sock_fprog keep us from making the call `nr`, without
// arguments, through our gate? False where it can't be read: the kernel won't take it either.
bool would_forbid(uint64_t fprog, uint32_t nr);

}  // namespace sctrace::preload
