// torture CYCLES: sites are patched and given back while threads run through them and signals
// arrive. Each call has to give its result, and the bytes have to be the first ones in the end.
// What a jump may not be put over while threads run there, has to be refused. By hand: 100,000
// cycles.
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "tests/unit/rewriter/executed.h"

using namespace sctrace::rewriter;
using namespace sctrace::test;

// Keeps nothing anywhere but on the stack of its thread.
asm(R"(
    .pushsection .text
    .globl toy_trampoline
toy_trampoline:
    leaq  -136(%rsp), %rsp
    movq  %r11, (%rsp)
    lock incq stubs_run(%rip)
    syscall
    movq  (%rsp), %rcx
    leaq  136(%rsp), %rsp
    jmp   *%rcx
    .popsection
    .pushsection .bss
    .globl stubs_run
    .balign 8
stubs_run: .quad 0
    .popsection
)");
extern "C" {
extern std::atomic<uint64_t> stubs_run;
}
uint32_t toy_index, toy_calls;  // executed.h names them; unused here

namespace {

struct Shape {
  const char* name;
  const char* code;
  Tactic tactic;
  bool refused;  // under running threads
};
// Each makes getpid, from an eax of 0x27 or set by itself. Odd offsets: most windows cross a word.
const Shape shapes[] = {
    {"mov", "[b827000000 0f05 c3]", Tactic::mov, false},
    {"pad", "[89c0 0f05 c3] cccccccccc [c3]", Tactic::pad, false},
    {"before, one", "[488d7f0190 488dbf00010000 0f05 c3]", Tactic::before, false},
    {"before, two", "[4889f6 4889ff 89c0 0f05 c3]", Tactic::before, true},
    {"after", "[0f05 488d7f00 c3]", Tactic::after, true},
};
constexpr int shape_count = std::size(shapes), thread_count = 8;

const Mapped* mapped[shape_count];
std::atomic<bool> stop;
std::atomic<uint64_t> calls, wrong, led, ticks;

void on_fault(int, siginfo_t* info, void* context) {
  auto& pc = static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP];
  const uint64_t place = info->si_code == SI_KERNEL ? instead_of(static_cast<uint64_t>(pc)) : 0;
  if (!place) {
    std::fprintf(stderr, "a fault at %llx, code %d\n", pc, info->si_code);
    _exit(3);
  }
  pc = static_cast<long long>(place);
  led.fetch_add(1);
}
void on_tick(int) { ticks.fetch_add(1); }

void* caller(void* seed) {
  std::minstd_rand random(static_cast<unsigned>(reinterpret_cast<uintptr_t>(seed)) + 1);
  const long pid = getpid();
  while (!stop.load(std::memory_order_relaxed)) {
    const auto shape = random() % shape_count;
    for (int i = 0; i < 50; ++i)
      if (run(mapped[shape]->at(0), 39).rax != pid) wrong.fetch_add(1);
    calls.fetch_add(50);
  }
  return nullptr;
}

void tick(timer_t& timer) {
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGALRM;
  const itimerspec spec{.it_interval = {0, 1'000'000}, .it_value = {0, 1'000'000}};
  timer_create(CLOCK_MONOTONIC, &event, &timer);
  timer_settime(timer, 0, &spec, nullptr);
}

int fail(const char* what, const char* shape) {
  std::printf("FAULT %s: %s\n", shape, what);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const long cycles = argc > 1 ? std::atol(argv[1]) : 3000;
  struct sigaction fault {
  }, alarm{};
  fault.sa_sigaction = on_fault, fault.sa_flags = SA_SIGINFO | SA_NODEFER;
  alarm.sa_handler = on_tick, alarm.sa_flags = SA_RESTART;
  sigaction(SIGSEGV, &fault, nullptr);
  sigaction(SIGALRM, &alarm, nullptr);
  Rewritten rewritten;
  int status = 0;
  for (int i = 0; i < shape_count; ++i) {
    mapped[i] = new Mapped(shapes[i].code, 5 + 2 * i);
    rewritten.add(mapped[i]->object());
    if (rewritten.table[i].tactic != shapes[i].tactic)
      status |= fail("another tactic", shapes[i].name);
  }
  if (undo(0, ~0ull)) status |= fail("no undoing", "all");
  pthread_t threads[thread_count];
  for (intptr_t i = 0; i < thread_count; ++i)
    pthread_create(&threads[i], nullptr, caller, reinterpret_cast<void*>(i));
  timer_t timer;
  tick(timer);
  std::minstd_rand random(7);
  long patched = 0, refused = 0;
  for (long i = 0; i < cycles; ++i) {
    const auto shape = random() % shape_count;
    const uint64_t site = rewritten.table[shape].site;
    const bool was_refused = redo(site, site + 1, Running::anybody) != 0;
    if (was_refused != shapes[shape].refused) status |= fail("refused or not", shapes[shape].name);
    ++(was_refused ? refused : patched);
    if (undo(site, site + 1, Running::anybody)) status |= fail("not undone", shapes[shape].name);
  }
  stop = true;
  for (pthread_t thread : threads) pthread_join(thread, nullptr);
  timer_delete(timer);
  for (int i = 0; i < shape_count; ++i)
    if (!mapped[i]->is_original())
      status |= fail("its bytes are not the first ones", shapes[i].name);
  if (wrong) status |= fail("a wrong result", "all");
  if (!stubs_run || !patched || !refused) status |= fail("nothing was tried", "all");
  std::printf(
      "%ld patched and undone, %ld refused; %lu calls, %lu by stubs, %lu led on from a hlt, "
      "%lu ticks, %lu wrong\n",
      patched, refused, calls.load(), stubs_run.load(), led.load(), ticks.load(), wrong.load());
  std::fflush(stdout);
  _exit(status);  // the mappings stay: threads of the past ran there
}
