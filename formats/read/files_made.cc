#include <fmt/format.h>

#include "arch/requests.h"
#include "formats/read/decode.h"

namespace sctrace::read {

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
    case nr_fsopen:
    case nr_fspick: return "anon_inode:[fscontext]";
    case nr_landlock_create_ruleset: return "anon_inode:[landlock-ruleset]";
    default: return nullptr;
  }
}

}  // namespace

const char* made_by_bpf(uint32_t command) {
  switch (command) {
    case 0:                                  // BPF_MAP_CREATE
    case 14: return "anon_inode:bpf-map";    // BPF_MAP_GET_FD_BY_ID
    case 5:                                  // BPF_PROG_LOAD
    case 13: return "anon_inode:bpf-prog";   // BPF_PROG_GET_FD_BY_ID
    case 18:                                 // BPF_BTF_LOAD
    case 19: return "anon_inode:btf";        // BPF_BTF_GET_FD_BY_ID
    case 17:                                 // BPF_RAW_TRACEPOINT_OPEN
    case 28: return "anon_inode:bpf_link";   // BPF_LINK_CREATE
    case 30: return "anon_inode:bpf-link";   // BPF_LINK_GET_FD_BY_ID: the kernel has two names
    case 32: return "anon_inode:bpf-stats";  // BPF_ENABLE_STATS
    case 33: return "anon_inode:bpf_iter";   // BPF_ITER_CREATE
    case 7: return "";                       // BPF_OBJ_GET: any of these
    default: return nullptr;
  }
}

void Files::made_pidfd(const Call& call, uint64_t flags, uint64_t at) {
  constexpr uint64_t clone_pidfd = 0x1000;
  int32_t fd = 0;
  if (flags & clone_pidfd && Memory(call).whole(&fd, at, 4, true))
    open(call, fd, anonymous(arch::nr_pidfd_open), fmt::format("pid:{}", call.result));
}

void Files::open(const Call& call, int64_t fd, std::string path, std::string detail) {
  auto& place = (*process(call.pid).open)[fd];
  place = std::make_shared<One>();
  place->told.path = std::move(path);
  place->detail = std::move(detail);
}

void Files::copy(uint32_t pid, int64_t from, int64_t to) {
  Table& files = *process(pid).open;
  const auto one = files.find(from);
  if (one == files.end())
    files.erase(to);
  else
    files[to] = std::shared_ptr<One>(one->second);
}

void Files::made(const Call& call) {
  using namespace arch;
  const auto opened = [&](std::string path, std::string detail = {}) {
    open(call, call.result, std::move(path), std::move(detail));
  };
  const auto deleted = [&] { (*process(call.pid).open)[call.result]->deleted = true; };
  constexpr uint64_t new_listener = 8;  // SECCOMP_FILTER_FLAG_NEW_LISTENER
  switch (call.nr) {
    case nr_open:
    case nr_creat: return opened(resolved(call.pid, -100, string_of(call, 0)));
    case nr_openat:
    case nr_openat2:
    case nr_open_tree: return opened(resolved(call.pid, low(call, 0), string_of(call, 1)));
    case nr_memfd_create: opened("/memfd:" + string_of(call, 0)); return deleted();
    case nr_memfd_secret: opened("/secretmem"); return deleted();
    case nr_mq_open: return opened('/' + string_of(call, 0));
    case nr_seccomp:
      if (call.args[1] & new_listener) opened("anon_inode:seccomp notify");
      return;
    case nr_pidfd_open: return opened(anonymous(call.nr), fmt::format("pid:{}", low(call, 0)));
    case nr_dup: return copy(call.pid, low(call, 0), call.result);
    case nr_fcntl:
      if (low(call, 1) == 0 || low(call, 1) == 1030) copy(call.pid, low(call, 0), call.result);
      return;
    case nr_ioctl:
      if (const auto request = static_cast<uint32_t>(call.args[1]);
          request == arch::requests::io_KVM_CREATE_VM)
        open(call, static_cast<int32_t>(call.result), "anon_inode:kvm-vm");
      else if (request == arch::requests::io_KVM_CREATE_VCPU)
        open(call, static_cast<int32_t>(call.result),
             fmt::format("anon_inode:kvm-vcpu:{}", low(call, 2)));
      return;
    case nr_bpf:
      if (const char* kind = made_by_bpf(static_cast<uint32_t>(call.args[0]))) opened(kind);
      return;
    case nr_clone: return made_pidfd(call, call.args[0], call.args[2]);
    case nr_clone3: {
      uint64_t given[2];  // flags, and where the descriptor goes
      if (Memory(call).whole(given, call.args[0], sizeof given, false))
        made_pidfd(call, given[0], given[1]);
      return;
    }
    case nr_getsockopt: {
      constexpr int32_t sol_socket = 1, so_peerpidfd = 77;
      int32_t fd = 0;
      if (low(call, 1) == sol_socket && low(call, 2) == so_peerpidfd &&
          Memory(call).whole(&fd, call.args[3], 4, true))
        open(call, fd, anonymous(nr_pidfd_open));
      return;
    }
    default:
      if (const char* kind = anonymous(call.nr)) opened(kind);
  }
}

}  // namespace sctrace::read
