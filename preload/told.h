// What engines are told of beside calls: signals that have a handler, and births and ends.
#pragma once
#include "arch/x86_64/sigframe.h"
#include "preload/engine.h"

namespace sctrace::preload {

// What is to be delivered in place of a signal that has a handler: itself, another, or 0.
int ask_about_signal(ThreadState& self, int signo, const arch::Info& info, uint64_t address);

void tell_life(ThreadState& self, sctrace_event event, uint64_t what, int32_t status = 0);
void tell_program(ThreadState& self);
void tell_birth(ThreadState& self);  // in the child

}  // namespace sctrace::preload
