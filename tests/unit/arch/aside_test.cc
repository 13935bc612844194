#include "arch/x86_64/aside.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "tests/support/catch.h"

namespace {

uint64_t escape;

void lead_out(int, siginfo_t*, void* context) {
  auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  registers[REG_RSP] = static_cast<long long>(escape);
  registers[REG_RIP] = reinterpret_cast<long long>(sctrace_aside_fault);
}

void spoil(void* what) {
  asm volatile("pcmpeqd %%xmm7, %%xmm7\n pcmpeqd %%xmm15, %%xmm15" ::: "xmm7", "xmm15");
  *static_cast<uint64_t*>(what) = escape;
}

void spoil_and_fault(void* what) {
  spoil(what);
  void* nowhere = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  asm volatile(
      "xor %%rbx, %%rbx\n xor %%r12, %%r12\n xor %%r15, %%r15\n movl $1, (%0)" ::"r"(nowhere)
      : "rbx", "r12", "r15", "memory");
}

struct Seen {
  int answer;
  uint64_t xmm7, xmm15, rbx, inside;
};

Seen aside(void (*work)(void*)) {
  Seen seen{};
  uint64_t inside = 0;
  asm volatile(
      "mov $0x1234567812345678, %%rax\n movq %%rax, %%xmm7\n movq %%rax, %%xmm15\n mov %%rax, "
      "%%rbx\n"
      "call sctrace_aside\n"
      "movq %%xmm7, %[a]\n movq %%xmm15, %[b]\n mov %%rbx, %[c]\n mov %%eax, %[d]\n"
      : [a] "=m"(seen.xmm7), [b] "=m"(seen.xmm15), [c] "=m"(seen.rbx), [d] "=m"(seen.answer),
        "+D"(work)
      : "S"(&inside), "d"(&escape)
      : "rax", "rbx", "rcx", "r8", "r9", "r10", "r11", "xmm0", "xmm7", "xmm15", "memory", "cc");
  seen.inside = inside;
  return seen;
}

constexpr uint64_t kept = 0x1234567812345678;

}  // namespace

TEST_CASE("work done aside keeps vector registers, and a fault leads out of it", "[arch][aside]") {
  REQUIRE(sctrace::arch::has_xsave());
  struct sigaction fault {
  }, before{};
  fault.sa_sigaction = lead_out, fault.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &fault, &before);
  sctrace_aside_compact = GENERATE(false, true) && sctrace::arch::has_xsavec();
  const bool faults = GENERATE(false, true);
  const Seen seen = aside(faults ? spoil_and_fault : spoil);
  sigaction(SIGSEGV, &before, nullptr);
  CHECK(seen.answer == faults);
  CHECK(seen.xmm7 == kept);
  CHECK(seen.xmm15 == kept);
  CHECK(seen.rbx == kept);
  CHECK(seen.inside != 0);  // while it ran there was a way out
  CHECK(escape == 0);       // and there is none afterwards
}
