#include "formats/cli/lend.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "formats/cli/lend_frame.h"
#include "formats/cli/sleeps.h"
#include "formats/wire/session.h"

namespace sctrace::cli {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

std::string text_of(const std::string& path) {
  char some[4096];
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const ssize_t n = fd < 0 ? 0 : ::read(fd, some, sizeof some);
  if (fd >= 0) ::close(fd);
  return {some, n > 0 ? static_cast<size_t>(n) : 0};
}

// The value of a line of /proc/…/status.
std::string status_line(const std::string& status, const std::string& key) {
  const size_t at = status.find("\n" + key + ":");
  if (at == status.npos) return {};
  const size_t begin = status.find_first_not_of(" \t", at + key.size() + 2);
  return status.substr(begin, status.find('\n', begin) - begin);
}

// How little a thread notices: one that sleeps and goes on as it was, best.
int cost_of(const Task& task) {
  switch (trace_of_stop(task)) {
    case Trace::none: return task.call < 0 ? 1 : 0;
    case Trace::time_anew: return 2;
    case Trace::other: return 3;
  }
  return 3;
}

// Some of the threads, other ones each time, those first that notice least.
std::vector<Task> candidates(uint32_t pid, const std::vector<uint32_t>& tids, size_t& first) {
  constexpr size_t most = 32;
  std::vector<Task> some;
  for (size_t i = 0; i < tids.size() && i < most; ++i, ++first)
    if (const Task task = task_of(pid, tids[first % tids.size()]); !std::strchr("?DZX", task.state))
      some.push_back(task);
  std::stable_sort(some.begin(), some.end(),
                   [](const Task& a, const Task& b) { return cost_of(a) < cost_of(b); });
  return some;
}

// Alone in a process of its own: if it dies, or has to be given up, the kernel lets the thread go.
enum Lent { lent = 0, unsuited = 1, forbidden = 2, stopped = 3 };

int try_lend(uint32_t tid, uint32_t pid, const wire::Live& live, uint64_t place) {
  const pid_t child = ::fork();
  if (child < 0) return unsuited;
  if (child == 0) ::_exit(lend_here(tid, pid, live, place));
  const auto end = std::chrono::steady_clock::now() + 500ms;
  int status = 0;
  while (::waitpid(child, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > end) ::kill(child, SIGKILL);
    std::this_thread::sleep_for(50us);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : unsuited;
}

uint64_t place_of_live(const std::string& ring_file) {
  uint64_t place = 0;
  std::ifstream in(ring_file, std::ios::binary);
  in.seekg(offsetof(wire::Image, live));
  in.read(reinterpret_cast<char*>(&place), sizeof place);
  return in ? place : 0;
}

}  // namespace

std::vector<uint32_t> tids_of(uint32_t pid) {
  std::vector<uint32_t> all;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(fmt::format("/proc/{}/task", pid), error))
    all.push_back(static_cast<uint32_t>(std::stoul(entry.path().filename().string())));
  return all;
}

void look_at_call(uint32_t pid, Task& task) {
  const std::string call = text_of(fmt::format("/proc/{}/task/{}/syscall", pid, task.tid));
  task.call = -1;
  if (!call.empty() && call[0] >= '0' && call[0] <= '9') {
    uint64_t* args = task.args;
    std::sscanf(call.c_str(), "%ld %lx %lx %lx %lx %lx %lx", &task.call, args, args + 1, args + 2,
                args + 3, args + 4, args + 5);
  }
}

Task task_of(uint32_t pid, uint32_t tid) {
  Task task;
  task.tid = tid;
  const std::string stat = text_of(fmt::format("/proc/{}/task/{}/stat", pid, tid));
  if (const size_t at = stat.rfind(')'); at != stat.npos && at + 2 < stat.size())
    task.state = stat[at + 2];
  look_at_call(pid, task);
  return task;
}

void Reached::refuse(const std::string& why) const { throw CantReach(name_, why); }

bool Reached::try_read(uint64_t address, void* to, size_t bytes) const {
  const iovec mine{to, bytes}, theirs{reinterpret_cast<void*>(address), bytes};
  return ::process_vm_readv(static_cast<pid_t>(pid_), &mine, 1, &theirs, 1, 0) ==
         static_cast<ssize_t>(bytes);
}

void Reached::write(uint64_t address, const void* from, size_t bytes) const {
  const iovec mine{const_cast<void*>(from), bytes}, theirs{reinterpret_cast<void*>(address), bytes};
  if (::process_vm_writev(static_cast<pid_t>(pid_), &mine, 1, &theirs, 1, 0) !=
      static_cast<ssize_t>(bytes))
    refuse(fmt::format("its memory can't be written: {}", std::strerror(errno)));
}

Reached::Reached(uint32_t pid, const std::string& ring_file, std::string name)
    : pid_(pid), name_(std::move(name)), memory_((sizeof(wire::Live) + 7) / 8) {
  live_ = reinterpret_cast<const wire::Live*>(memory_.data());
  place_ = place_of_live(ring_file);
  if (!place_) refuse("its library can't be reached from outside");
  look();
}

void Reached::look() {
  if (!try_read(place_, memory_.data(), sizeof(wire::Live))) {
    const int error = errno;
    if (error == ESRCH) refuse("it has ended");
    refuse(error == EPERM
               ? "may not be traced by you: another user's, or forbidden (kernel.yama.ptrace_scope)"
               : fmt::format("its memory can't be read: {}", std::strerror(error)));
  }
  if (live_->magic != wire::live_magic || live_->version != wire::live_version)
    refuse("carries a library of another version");
}

bool Reached::is_pending() const {
  return live_->busy.load() || static_cast<int32_t>(live_->wish.number - live_->done.load()) > 0;
}

std::vector<Reached::Thread> Reached::threads() const {
  std::vector<Thread> all;
  constexpr uint32_t slabs_most = 4096, blocks_most = 64;  // more than the library makes
  uint32_t count = 0;
  if (!try_read(live_->slab_count, &count, sizeof count) || count > slabs_most) return all;
  std::vector<uint64_t> slabs(count);
  if (count && !try_read(live_->slabs, slabs.data(), count * sizeof slabs[0])) return all;
  const size_t bytes = live_->block_bytes - live_->state_at;
  if (bytes > live_->block_bytes || bytes > 65536 || bytes < sizeof(uint32_t)) return all;
  std::vector<char> state(bytes);
  const auto word = [&](uint32_t at) {
    uint32_t value = 0;
    if (at <= bytes - sizeof value) std::memcpy(&value, state.data() + at, sizeof value);
    return value;
  };
  for (const uint64_t slab : slabs)
    for (uint32_t i = 0; i < live_->slab_blocks && i < blocks_most; ++i) {
      const uint64_t at = slab + uint64_t{i} * live_->block_bytes + live_->state_at;
      if (!try_read(at, state.data(), bytes) || word(live_->use_at) != 1) continue;
      if (const uint32_t tid = word(live_->tid_at))
        all.push_back({tid, at, static_cast<wire::Bond>(word(live_->bond_at)),
                       word(live_->phase_at), word(live_->in_flight_at), word(live_->turn_at)});
    }
  return all;
}

void Reached::check(uint32_t tid) const {
  const std::string status = text_of(fmt::format("/proc/{}/task/{}/status", pid_, tid));
  if (const std::string filter = status_line(status, "Seccomp"); !filter.empty() && filter != "0")
    refuse("has put itself under a seccomp filter, which may forbid what would be done");
  if (status_line(status, "x86_Thread_features").find("shstk") != std::string::npos)
    refuse("has a shadow stack: no thread of it can be lent");
  if (const std::string by = status_line(status, "TracerPid"); !by.empty() && by != "0")
    refuse("is traced by process " + by);
}

// Where doors are open, who installs one comes by; what was there at an exec the first thread has.
bool Reached::sees_filters() const {
  uint32_t seen = 1;
  return live_->open.load() && try_read(live_->filters, &seen, sizeof seen) && seen == 0;
}

wire::Outcome Reached::carry_out(wire::Wish wish) {
  for (const auto late = std::chrono::steady_clock::now() + 5s; look(), is_pending();) {
    if (std::chrono::steady_clock::now() > late)
      refuse("a thread of it has not yet done what was asked before");
    std::this_thread::sleep_for(200us);
  }
  const std::vector<uint32_t> tids = tids_of(pid_);
  check(pid_);
  if (!sees_filters())  // a thousand threads take 10 ms
    for (const uint32_t tid : tids) check(tid);
  wish.number = live_->done.load() + 1;
  write(place_ + offsetof(wire::Live, wish) + sizeof wish.number,
        reinterpret_cast<const char*>(&wish) + sizeof wish.number,
        sizeof wish - sizeof wish.number);
  const auto begin = std::chrono::steady_clock::now(), end = begin + 3s;
  int result = unsuited;
  Sleeps sleeps;
  for (size_t first = 0; result == unsuited && std::chrono::steady_clock::now() < end;) {
    const std::vector<Task> some = candidates(pid_, tids, first);
    if (some.empty() && tids_of(pid_).empty()) refuse("it has ended");
    const auto waited = std::chrono::steady_clock::now() - begin;
    for (size_t i = 0; i < some.size() && result == unsuited; ++i) {
      const int cost = cost_of(some[i]);
      const bool fresh = cost == 2 && sleeps.has_just_begun(pid_, some[i].tid);
      if ((cost == 2 && !fresh && waited < 1s) || (cost == 3 && waited < 2s)) continue;
      check(some[i].tid);
      result = try_lend(some[i].tid, pid_, *live_, place_);
    }
    if (result == unsuited) std::this_thread::sleep_for(1ms);
  }
  if (result == forbidden) refuse("may not be traced by you, or is traced already");
  if (result == stopped) refuse("is stopped");
  if (result != lent) refuse("no thread of it can be lent now; try again");
  for (const auto late = std::chrono::steady_clock::now() + 30s;
       live_->done.load() != wish.number;) {
    if (std::chrono::steady_clock::now() > late)
      refuse("the thread that was asked does not get to it; it will, when it runs");
    std::this_thread::sleep_for(100us);
    look();
  }
  return live_->outcome;
}

}  // namespace sctrace::cli
