#include "formats/cli/proof.h"

#include <chrono>
#include <map>
#include <thread>

#include "arch/x86_64/frame.h"
#include "formats/cli/lead.h"

namespace sctrace::cli {

namespace {

using namespace std::chrono_literals;
using wire::Bond;

constexpr uint32_t recording_bits = 3;  // of a call in flight (preload/facts.h)
constexpr unsigned rounds_ms = 250;     // to lead threads, before all are looked at anew

enum class Known { proven, waits, strange, written };

Known of_on(const Reached::Thread* state, const wire::Live& live) {
  if (!state || state->bond == Bond::away) return Known::strange;
  return state->bond == Bond::here && !was_in_a_call(*state, live) ? Known::proven : Known::waits;
}

// Who sleeps is still in that call; who runs may have left it by a jump, with nobody told.
Known of_on(const Task& task, const Reached::Thread* state, const wire::Live& live) {
  const bool still = task.call >= 0 && state && state->bond == Bond::here;
  return still ? Known::proven : of_on(state, live);
}

Known of_off(const Task& task, const Reached::Thread* state) {
  if (!state || state->bond != Bond::here) return Known::proven;
  const auto phase = static_cast<arch::Phase>(state->phase);
  if (phase == arch::Phase::left) return Known::proven;
  if (task.call < 0) return Known::waits;
  return state->in_flight & recording_bits ? Known::written : Known::proven;
}

}  // namespace

void hasten(Reached& process, wire::Wish wish) {
  constexpr unsigned patience_ms = 15;
  if (process.live().strange_threads) {  // being born, or really strange
    std::this_thread::sleep_for(1ms);
    wish.strangers = 1;
    process.carry_out(wish);
  }
  Sleeps sleeps;
  lead_known(process, sleeps, patience_ms);
}

uint32_t prove(Reached& process, const wire::Wish& wish, unsigned patience_ms) {
  const auto begin = std::chrono::steady_clock::now();
  const auto end = begin + std::chrono::milliseconds(patience_ms);
  const bool on = wish.deed == wire::Deed::on;
  Sleeps sleeps;
  for (int round = 0;; ++round) {
    // The states first: what the kernel says of a thread is then the newer of the two; and who was
    // born since has a parent that is there.
    std::map<uint32_t, Reached::Thread> states;
    for (const Reached::Thread& state : process.threads()) states[state.tid] = state;
    uint32_t waits = 0, again = 0, known = 0;
    for (const uint32_t tid : tids_of(process.pid())) {
      const auto found = states.find(tid);
      const Reached::Thread* state = found == states.end() ? nullptr : &found->second;
      if (on && of_on(state, process.live()) == Known::proven) continue;
      const Task task = task_of(process.pid(), tid);
      if (task.state == '?' || task.state == 'Z' || task.state == 'X') continue;
      const Known is = on ? of_on(task, state, process.live()) : of_off(task, state);
      waits += is != Known::proven;
      known += on && is == Known::waits;
      again += is == Known::strange || is == Known::written;
    }
    if (!waits) return 0;
    const auto now = std::chrono::steady_clock::now();
    if (now > end) return waits;
    // Threads that were just being born, or calls that had just begun.
    if (again && round % 16 == 0) {
      wire::Wish anew = wish;
      anew.strangers = round > 0;
      process.carry_out(anew);
      continue;
    }
    if (known && lead_known(process, sleeps, rounds_ms) == waits && now > begin + 1s) return waits;
    std::this_thread::sleep_for(500us);
  }
}

}  // namespace sctrace::cli
