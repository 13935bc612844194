// SCTRACE_VDSO=on: the clock's functions make a system call again, which is then met at its door as
// any is. They answer it with the same result and the same errors, at the price of a call.
#pragma once

namespace sctrace::preload {

// Writes over clock_gettime, gettimeofday, time, getcpu and clock_getres in the vDSO's text, before
// it is looked at for sites. The process has one thread, and none of its handlers runs. getrandom
// is left alone: what it asks of the kernel is in the trace, what it makes of that never was a
// call.
void make_vdso_call();

}  // namespace sctrace::preload
