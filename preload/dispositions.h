// What the program asked of its signals: actions and alternate stacks, answered by us as the kernel
// would, and what the kernel is told instead.
#pragma once
#include "arch/x86_64/sigframe.h"
#include "preload/global.h"
#include "preload/thread.h"

namespace sctrace::preload {

inline constexpr int sigbus = 7, sigsegv = 11, sigsys = 31;
inline constexpr uint64_t sig_dfl = 0, sig_ign = 1;
inline constexpr uint64_t sa_siginfo = 4, sa_restorer = 0x0400'0000, sa_onstack = 0x0800'0000,
                          sa_nodefer = 0x4000'0000, sa_resethand = 0x8000'0000;
inline constexpr int32_t ss_disable = 2, ss_autodisarm = static_cast<int32_t>(1u << 31);

constexpr uint64_t bit(int signo) { return 1ull << (signo - 1); }
constexpr bool is_guarded(int signo) { return guarded & bit(signo); }
bool is_on_stack(const Altstack& alternate, uint64_t sp);

// What a handler blocks, beside what is blocked when it is entered.
constexpr uint64_t blocked_in(int signo, const Action& action) {
  return action.mask | (action.flags & sa_nodefer ? 0 : bit(signo));
}

long set_kernel_action(int signo, const Action& action);   // this one
long install_kernel_action(int signo, const Action& app);  // our entry in place of a handler
void adopt_handlers(Process& process);                     // at start: what was installed before us
void give_back_handlers(const Process& process);  // the app's own are in the kernel from here on

long app_sigaction(ThreadState& self, const uint64_t* args);
long app_sigaltstack(ThreadState& self, const uint64_t* args);
uint64_t app_sigreturn(ThreadState& self, uint64_t at);  // where the kernel finds its frame

// In the child of a CLONE_CLEAR_SIGHAND: the kernel has forgotten all handlers, ours too.
void have_no_handlers(ThreadState& self);
// SIG_IGN is inherited: the kernel must know it of the guarded ones.
void ignore_for_exec(Process& process, bool going);

}  // namespace sctrace::preload
