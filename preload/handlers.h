// The program's handlers, taken into our view and given back while it runs; and signals of threads
// that are not ours yet, or no more, which come by our entry meanwhile: as the program expects
// them.
#pragma once
#include "arch/x86_64/sigframe.h"
#include "preload/thread.h"

namespace sctrace::preload {

// The rest is what threads that have not parted need: the guarded signals, and that no handler
// blocks them.
void take_handlers(Process& process);
void give_back_others(const Process& process);
void give_back_rest(const Process& process);

// One found a thread that is known in our code: it waits until the thread has arrived; or, false,
// it is now as if it had come at the site.
bool comes_before_arrival(ThreadState& self, int signo, const arch::Info& info,
                          arch::Context& context);
// With the kernel's frame as the app would have found it, and its mask. Where our entry has led it
// to the alternate stack, which the app did not ask for: true, and returning enters the handler.
[[noreturn]] void enter_as_the_apps(int signo, const Action& action, arch::Context& context);
bool try_move_down(int signo, const Action& action, const arch::Info& info, arch::Context& context);

}  // namespace sctrace::preload
