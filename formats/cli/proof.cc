#include "formats/cli/proof.h"

#include <chrono>
#include <map>
#include <thread>

#include "arch/x86_64/frame.h"

namespace sctrace::cli {

namespace {

using namespace std::chrono_literals;
using wire::Bond;

constexpr uint64_t long_enough_ns = 1'000'000;  // for the few instructions from site to kernel
constexpr uint32_t recording_bits = 3;          // of a call in flight (preload/facts.h)

enum class Known { proven, waits, strange, written };

// What there is to say of one thread; `since`: how long it had run when it was first asked about.
Known of_on(const Task& task, const Reached::Thread* state, uint64_t since) {
  if (!state || state->bond == Bond::away) return Known::strange;
  if (state->bond == Bond::here || task.call >= 0) return Known::proven;
  return task.ran_ns - since >= long_enough_ns ? Known::proven : Known::waits;
}

Known of_off(const Task& task, const Reached::Thread* state) {
  if (!state || state->bond != Bond::here) return Known::proven;
  const auto phase = static_cast<arch::Phase>(state->phase);
  if (phase == arch::Phase::left) return Known::proven;
  if (task.call < 0) return Known::waits;
  return state->in_flight & recording_bits ? Known::written : Known::proven;
}

}  // namespace

uint32_t prove(Reached& process, const wire::Wish& wish, unsigned patience_ms) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
  std::map<uint32_t, uint64_t> ran;
  const bool on = wish.deed == wire::Deed::on;
  for (int round = 0;; ++round) {
    // The states first: what the kernel says of a thread is then the newer of the two.
    std::map<uint32_t, Reached::Thread> states;
    for (const Reached::Thread& state : process.threads()) states[state.tid] = state;
    uint32_t waits = 0, again = 0;
    for (const uint32_t tid : tids_of(process.pid())) {
      const Task task = task_of(process.pid(), tid);
      if (task.state == '?' || task.state == 'Z' || task.state == 'X') continue;
      const auto found = states.find(task.tid);
      const Reached::Thread* state = found == states.end() ? nullptr : &found->second;
      const uint64_t since = ran.try_emplace(task.tid, task.ran_ns).first->second;
      const Known known = on ? of_on(task, state, since) : of_off(task, state);
      waits += known != Known::proven;
      again += known == Known::strange || known == Known::written;
    }
    if (!waits) return 0;
    if (std::chrono::steady_clock::now() > end) return waits;
    // Threads that were just being born, or calls that had just begun.
    if (again && (round % 16 == 0)) {
      process.carry_out(wish);
      if (on && process.live().strange_threads == waits && round > 32) return waits;
    } else {
      std::this_thread::sleep_for(500us);
    }
  }
}

}  // namespace sctrace::cli
