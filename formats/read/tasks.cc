#include "formats/read/tasks.h"

#include "arch/table.h"
#include "formats/read/decode_memory.h"
#include "formats/read/open_calls.h"

namespace sctrace::read {
namespace {

constexpr size_t most = 15;  // TASK_COMM_LEN, without its nul

std::string called(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1).substr(0, most));
}

int executed_by(const Call& call) { return call.nr == arch::nr_execveat; }

bool makes_task(uint32_t nr) {
  using namespace arch;
  return nr == nr_fork || nr == nr_vfork || nr == nr_clone || nr == nr_clone3;
}

}  // namespace

void Tasks::begin(const Thread& thread, std::string_view program) {
  switch (thread.began) {
    case wire::Began::image:
    case wire::Began::exec: {
      const auto found = executed_.find(thread.pid);
      names_[thread.tid] = found == executed_.end() ? called(program) : found->second;
      if (found != executed_.end()) executed_.erase(found);
      return;
    }
    case wire::Began::clone:
    case wire::Began::fork:
    case wire::Began::vfork: names_[thread.tid] = name(thread.parent); return;
    case wire::Began::back:
    case wire::Began::adopted: return;
  }
}

// Where it comes back, the new program has begun already.
void Tasks::enter(const Call& call) {
  if (is_exec(call.nr)) executed_[call.pid] = called(string_of(call, executed_by(call)));
}

void Tasks::learn(const Call& call) {
  constexpr uint64_t set_name = 15;       // PR_SET_NAME
  constexpr uint32_t stays = 0x01000000;  // WNOWAIT
  if (is_exec(call.nr) && call.ended) executed_.erase(call.pid);
  if (!call.ended || call.result < 0) return;
  if (makes_task(call.nr) && call.result > 0)
    names_.try_emplace(static_cast<uint32_t>(call.result), name(call.tid));
  if (call.nr == arch::nr_prctl && call.args[0] == set_name)
    names_[call.tid] = string_of(call, 1).substr(0, most);
  const bool reaps = call.nr == arch::nr_wait4 && !(call.args[2] & stays) && call.result > 0;
  uint32_t status = 0;
  if (reaps &&
      (!Memory(call).whole(&status, call.args[1], sizeof status, true) || (status & 0xff) != 0x7f))
    names_.erase(static_cast<uint32_t>(call.result));
}

std::string Tasks::name(int64_t tid) const {
  const auto found = names_.find(static_cast<uint32_t>(tid));
  return found == names_.end() ? std::string() : found->second;
}

}  // namespace sctrace::read
