#include <fmt/format.h>

#include <algorithm>

#include "arch/requests.h"
#include "formats/read/decode.h"

namespace sctrace::read {

std::string Files::path(uint32_t pid, int64_t fd) const {
  const auto process = open_.find(pid);
  if (process == open_.end()) return {};
  const auto file = process->second.find(fd);
  return file == process->second.end() ? std::string() : file->second;
}

std::string Files::device(uint32_t pid, int64_t fd) const {
  const auto process = device_.find(pid);
  if (process == device_.end()) return {};
  const auto file = process->second.find(fd);
  return file == process->second.end() ? std::string() : file->second;
}

std::string Files::directory(uint32_t pid) const {
  const auto at = directory_.find(pid);
  return at == directory_.end() ? std::string() : at->second;
}

std::string Files::resolved(uint32_t pid, int64_t dirfd, std::string_view name) const {
  if (name.starts_with('/')) return std::string(name);
  const std::string base = dirfd == -100 ? directory(pid) : path(pid, dirfd);
  if (base.empty()) return std::string(name);
  return name.empty() || name == "." ? base : (base == "/" ? base : base + '/') + std::string(name);
}

namespace {

// Descriptors of the kernel's own making, as /proc/PID/fd calls them.
const char* anonymous(uint32_t nr) {
  using namespace arch;
  switch (nr) {
    case nr_inotify_init:
    case nr_inotify_init1: return "anon_inode:inotify";
    case nr_epoll_create:
    case nr_epoll_create1: return "anon_inode:[eventpoll]";
    case nr_eventfd:
    case nr_eventfd2: return "anon_inode:[eventfd]";
    case nr_timerfd_create: return "anon_inode:[timerfd]";
    case nr_signalfd:
    case nr_signalfd4: return "anon_inode:[signalfd]";
    case nr_pidfd_open: return "anon_inode:[pidfd]";
    case nr_userfaultfd: return "anon_inode:[userfaultfd]";
    case nr_fanotify_init: return "anon_inode:[fanotify]";
    case nr_perf_event_open: return "anon_inode:[perf_event]";
    case nr_io_uring_setup: return "anon_inode:[io_uring]";
    case nr_landlock_create_ruleset: return "anon_inode:[landlock-ruleset]";
    default: return nullptr;
  }
}

}  // namespace

void Files::learn(const Call& call, const Memory& memory) {
  if (!call.ended || call.result < 0) return;
  made(call, memory, open_[call.pid]);
}

void Files::made(const Call& call, const Memory& memory, Table& files) {
  using namespace arch;
  Table& devices = device_[call.pid];
  const auto name = [&](int i) {
    const std::string text = memory.bytes(call.args[i], 4096, false);
    return text.substr(0, text.find('\0'));
  };
  const auto low = [&](int i) { return static_cast<int32_t>(call.args[i]); };
  const auto copy = [&](int64_t from, int64_t to) {
    const auto one = files.find(from), other = devices.find(from);
    if (one != files.end())
      files[to] = std::string(one->second);
    else
      files.erase(to);
    if (other != devices.end())
      devices[to] = std::string(other->second);
    else
      devices.erase(to);
  };
  const auto opened = [&](std::string path) {
    files[call.result] = std::move(path);
    devices.erase(call.result);
  };
  if (const char* kind = anonymous(call.nr)) opened(kind);
  switch (call.nr) {
    case nr_open:
    case nr_creat: return opened(resolved(call.pid, -100, name(0)));
    case nr_openat:
    case nr_openat2:
    case nr_open_tree: return opened(resolved(call.pid, low(0), name(1)));
    case nr_memfd_create: return opened("/memfd:" + name(0) + " (deleted)");
    case nr_pidfd_open: devices[call.result] = fmt::format("pid:{}", low(0)); return;
    case nr_dup: return copy(low(0), call.result);
    case nr_dup2:
    case nr_dup3: return copy(low(0), low(1));
    case nr_fcntl:
      if (low(1) == 0 || low(1) == 1030) copy(low(0), call.result);
      return;
    case nr_ioctl:
      if (const auto request = static_cast<uint32_t>(call.args[1]);
          request == arch::requests::io_KVM_CREATE_VM)
        opened("anon_inode:kvm-vm");
      else if (request == arch::requests::io_KVM_CREATE_VCPU)
        opened(fmt::format("anon_inode:kvm-vcpu:{}", low(2)));
      return;
    case nr_clone: {
      int32_t fd = 0;
      if (call.args[0] & 0x1000 && memory.whole(&fd, call.args[2], 4, true)) {
        files[fd] = "anon_inode:[pidfd]";
        devices[fd] = fmt::format("pid:{}", call.result);
      }
      return;
    }
    default: return;
  }
}

void Files::forget(const Call& call) {
  using namespace arch;
  if (!call.ended || call.result < 0) return;
  const Memory memory(call);
  Table& files = open_[call.pid];
  const auto text = [&](bool out) {
    const std::string all = memory.bytes(call.args[0], 4096, out);
    return all.substr(0, all.find('\0'));
  };
  switch (call.nr) {
    case nr_close: files.erase(static_cast<int32_t>(call.args[0])); break;
    case nr_chdir: directory_[call.pid] = resolved(call.pid, -100, text(false)); break;
    case nr_fchdir:
      directory_[call.pid] = path(call.pid, static_cast<int32_t>(call.args[0]));
      break;
    case nr_getcwd: directory_[call.pid] = text(true); break;
    case nr_close_range:
      if (!(call.args[2] & 4))
        std::erase_if(files, [&](const auto& f) {
          return static_cast<uint64_t>(f.first) >= call.args[0] &&
                 static_cast<uint64_t>(f.first) <= call.args[1];
        });
      break;
    default: break;
  }
}

}  // namespace sctrace::read
