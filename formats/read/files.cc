#include "formats/read/files.h"

#include <fmt/format.h>

#include <algorithm>

#include "arch/requests.h"
#include "formats/read/decode.h"

namespace sctrace::read {

namespace {

constexpr uint64_t shares_files = 0x400, shares_directory = 0x200, is_thread = 0x10000;
constexpr uint32_t type_mask = 0170000, socket_type = 0140000;
constexpr size_t path_max = 4096;
constexpr std::string_view deleted_mark = " (deleted)";

std::string string_at(const Call& call, uint64_t at, bool out = false) {
  const std::string text = Memory(call).bytes(at, 4096, out);
  return text.substr(0, text.find('\0'));
}

int32_t low(const Call& call, int i) { return static_cast<int32_t>(call.args[i]); }

// Without ".", ".." and doubled slashes: as a path of which nothing is a symbolic link.
std::string normal(std::string_view path) {
  std::vector<std::string_view> parts;
  for (size_t at = 0; at < path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, end - at);
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
    at = end + 1;
  }
  std::string out;
  for (std::string_view part : parts) (out += '/') += part;
  return out.empty() ? "/" : out;
}

bool is_fork(uint32_t nr) {
  using namespace arch;
  return nr == nr_fork || nr == nr_vfork || nr == nr_clone || nr == nr_clone3;
}

// Its arguments are shown as they were before it.
bool changes_names(uint32_t nr) {
  return nr == arch::nr_bind || nr == arch::nr_connect || nr == arch::nr_listen;
}

uint64_t clone_flags(const Call& call) {
  uint64_t flags = 0;
  if (call.nr == arch::nr_clone) return call.args[0];
  if (call.nr == arch::nr_clone3) Memory(call).whole(&flags, call.args[0], sizeof flags, false);
  return flags;
}

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

const Files::One* Files::at(uint32_t pid, int64_t fd) const {
  const auto process = processes_.find(pid);
  if (process == processes_.end()) return nullptr;
  const auto file = process->second.open->find(fd);
  return file == process->second.open->end() ? nullptr : file->second.get();
}

std::string Files::path(uint32_t pid, int64_t fd) const {
  const One* one = at(pid, fd);
  return one ? one->told.path : std::string();
}

std::vector<Value> Files::details(uint32_t pid, int64_t fd) const {
  const One* one = at(pid, fd);
  if (!one) return {};
  if (!one->detail.empty()) return {value_text(one->detail)};
  return details_of(one->told, one->peer_inode);
}

const OpenFile* Files::told(uint32_t pid, int64_t fd) const {
  const One* one = at(pid, fd);
  return one ? &one->told : nullptr;
}

std::shared_ptr<const OpenFile> Files::socket(uint32_t pid, int64_t fd) const {
  const auto process = processes_.find(pid);
  if (process == processes_.end()) return nullptr;
  const auto file = process->second.open->find(fd);
  if (file == process->second.open->end() || (file->second->told.mode & type_mask) != socket_type)
    return nullptr;
  return {file->second, &file->second->told};
}

bool Files::is_deleted(uint32_t pid, int64_t fd) const {
  const One* one = at(pid, fd);
  return one && one->deleted;
}

std::string Files::directory(uint32_t pid) const {
  const auto found = processes_.find(pid);
  if (found == processes_.end()) return {};
  const Place& place = *found->second.directory;
  if (place.path.size() >= path_max) return {};  // nor would the kernel say it
  return place.path + std::string(place.deleted ? deleted_mark : "");
}

std::string Files::resolved(uint32_t pid, int64_t dirfd, std::string_view name) const {
  if (name.starts_with('/')) return normal(name);
  const auto found = processes_.find(pid);
  std::string base = path(pid, dirfd);
  if (dirfd == wire::file_directory)
    base = found == processes_.end() ? std::string() : found->second.directory->path;
  return base.starts_with('/') ? normal(base + '/' + std::string(name)) : std::string(name);
}

void Files::tell(Process& in, const OpenFile& file) {
  if (file.flags & wire::file_left_out) return;
  if (file.fd == wire::file_directory) {
    in.directory = std::make_shared<Place>();
    in.directory->path = file.path;
    return;
  }
  auto& place = (*in.open)[file.fd];
  const bool same = place && place->told.inode == file.inode &&
                    (file.mode & type_mask) == socket_type;  // it has other names now
  if (!same) place = std::make_shared<One>();
  std::string path = same ? place->told.path : std::string();
  place->told = file;
  if (file.path.ends_with(deleted_mark) && file.path.starts_with('/')) {
    place->deleted = true;
    place->told.path.resize(file.path.size() - deleted_mark.size());
  }
  if (!file.path.empty()) return;
  if ((file.mode & type_mask) == socket_type) path = fmt::format("socket:[{}]", file.inode);
  if ((file.mode & type_mask) == 0010000) path = fmt::format("pipe:[{}]", file.inode);
  place->told.path = std::move(path);
}

void Files::begin(const Thread& thread) {
  process_of_[thread.tid] = thread.pid;
  switch (thread.began) {
    case wire::Began::image:
    case wire::Began::exec:
      process(thread.pid).open = std::make_shared<Table>();
      for (const OpenFile& file : thread.files) tell(process(thread.pid), file);
      return;
    case wire::Began::fork:
    case wire::Began::vfork:
    case wire::Began::clone: {
      if (thread.pid != thread.tid) return;
      const auto from = bequeathed_.find(thread.parent);
      if (from == bequeathed_.end()) return;
      processes_[thread.pid] = std::move(from->second);
      bequeathed_.erase(from);
      return;
    }
    case wire::Began::back:
    case wire::Began::adopted: return;
  }
}

Files::Process Files::inherited(uint32_t pid, uint64_t flags) {
  Process child = process(pid);
  if (!(flags & shares_files)) child.open = std::make_shared<Table>(*child.open);
  if (!(flags & shares_directory)) child.directory = std::make_shared<Place>(*child.directory);
  return child;
}

void Files::enter(const Call& call) {
  if (!is_fork(call.nr)) return;
  const uint64_t flags = clone_flags(call);
  if (!(flags & is_thread)) bequeathed_[call.tid] = inherited(call.pid, flags);
}

void Files::learn(const Call& call) {
  if (!call.ended || changes_names(call.nr)) return;
  if (call.result >= 0) made(call);
  Process& self = process(call.pid);
  for (const OpenFile& file : call.files) tell(self, file);
  if (call.nr != arch::nr_socketpair || call.files.size() != 2) return;
  const auto one = self.open->find(call.files[0].fd), other = self.open->find(call.files[1].fd);
  if (one == self.open->end() || other == self.open->end()) return;
  one->second->peer_inode = other->second->told.inode;
  other->second->peer_inode = one->second->told.inode;
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
  switch (call.nr) {
    case nr_open:
    case nr_creat: return opened(resolved(call.pid, -100, string_at(call, call.args[0])));
    case nr_openat:
    case nr_openat2:
    case nr_open_tree:
      return opened(resolved(call.pid, low(call, 0), string_at(call, call.args[1])));
    case nr_memfd_create:
      opened("/memfd:" + string_at(call, call.args[0]));
      (*process(call.pid).open)[call.result]->deleted = true;
      return;
    case nr_pidfd_open: return opened(anonymous(call.nr), fmt::format("pid:{}", low(call, 0)));
    case nr_dup: return copy(call.pid, low(call, 0), call.result);
    case nr_dup2:
    case nr_dup3: return copy(call.pid, low(call, 0), low(call, 1));
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
    case nr_clone: {
      int32_t fd = 0;
      if (call.args[0] & 0x1000 && Memory(call).whole(&fd, call.args[2], 4, true))
        open(call, fd, "anon_inode:[pidfd]", fmt::format("pid:{}", call.result));
      return;
    }
    default:
      if (const char* kind = anonymous(call.nr)) opened(kind);
  }
}

void Files::rename(const std::string& from, const std::string& to) {
  const auto moved = [&](std::string& path) {
    if (path == from || (path.starts_with(from) && path[from.size()] == '/'))
      path.replace(0, from.size(), to);
  };
  unlink(to);
  for (auto& [pid, process] : processes_) {
    moved(process.directory->path);
    for (auto& [fd, one] : *process.open)
      if (!one->deleted) moved(one->told.path);
  }
}

void Files::unlink(const std::string& path) {
  for (auto& [pid, process] : processes_) {
    if (process.directory->path == path) process.directory->deleted = true;
    for (auto& [fd, one] : *process.open)
      if (one->told.path == path) one->deleted = true;
  }
}

// Who is at the other end of a connection that was still being made when the writer asked.
void Files::connected(const Call& call) {
  constexpr int64_t in_progress = -115;
  if (!call.ended || (call.result != 0 && call.result != in_progress)) return;
  const Table& files = *process(call.pid).open;
  const auto one = files.find(low(call, 0));
  if (one == files.end() || !one->second->told.peer.empty()) return;
  one->second->told.peer =
      Memory(call).bytes(call.args[1], std::min<uint64_t>(call.args[2], 128), false);
}

void Files::forget(const Call& call) {
  using namespace arch;
  Process& self = process(call.pid);
  if (changes_names(call.nr))
    for (const OpenFile& file : call.files) tell(self, file);
  if (call.nr == nr_connect) connected(call);
  if (!call.ended || call.result < 0) return;
  const auto name = [&](int dirfd, int path) {
    return resolved(call.pid, dirfd < 0 ? -100 : low(call, dirfd),
                    string_at(call, call.args[path]));
  };
  const auto moved_to = [&](std::string path) { *self.directory = {std::move(path), false}; };
  switch (call.nr) {
    case nr_close: self.open->erase(low(call, 0)); break;
    case nr_chdir: moved_to(name(-1, 0)); break;
    case nr_fchdir: moved_to(path(call.pid, low(call, 0))); break;
    case nr_getcwd:
      if (!self.directory->deleted) moved_to(string_at(call, call.args[0], true));
      break;
    case nr_unlink:
    case nr_rmdir: unlink(name(-1, 0)); break;
    case nr_unlinkat: unlink(name(0, 1)); break;
    case nr_rename: rename(name(-1, 0), name(-1, 1)); break;
    case nr_renameat: rename(name(0, 1), name(2, 3)); break;
    case nr_renameat2:
      if (!(call.args[4] & 2)) rename(name(0, 1), name(2, 3));  // RENAME_EXCHANGE
      break;
    case nr_unshare: self = inherited(call.pid, ~call.args[0]); break;
    case nr_close_range:
      if (call.args[2] & 2) self.open = std::make_shared<Table>(*self.open);
      if (!(call.args[2] & 4))
        std::erase_if(*self.open, [&](const auto& f) {
          return static_cast<uint32_t>(f.first) >= static_cast<uint32_t>(call.args[0]) &&
                 static_cast<uint32_t>(f.first) <= static_cast<uint32_t>(call.args[1]);
        });
      break;
    default: break;
  }
}

}  // namespace sctrace::read
