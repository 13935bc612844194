#include "formats/read/files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "arch/requests.h"
#include "formats/read/decode.h"

namespace sctrace::read {

namespace {

constexpr uint64_t shares_files = 0x400, shares_directory = 0x200, is_thread = 0x10000;
constexpr uint32_t type_mask = 0170000, socket_type = 0140000;
constexpr size_t path_max = 4096;
constexpr std::string_view deleted_mark = " (deleted)";

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

}  // namespace

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
  if (!wants_details) return {};
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

uint32_t Files::process_behind(uint32_t pid, int64_t fd) const {
  const One* one = at(pid, fd);
  if (!one || one->told.path != "anon_inode:[pidfd]") return 0;
  constexpr std::string_view mark = "pid:";
  if (!one->detail.starts_with(mark)) return static_cast<uint32_t>(one->told.special);
  return static_cast<uint32_t>(std::strtoul(one->detail.c_str() + mark.size(), nullptr, 10));
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
  const auto found = processes_.find(pid);
  if (name.starts_with('/'))
    return found == processes_.end() ? normal(name) : below_root(found->second, normal(name));
  std::string base = path(pid, dirfd);
  if (dirfd == wire::file_directory)
    base = found == processes_.end() ? std::string() : found->second.directory->path;
  return base.starts_with('/') ? normal(base + '/' + std::string(name)) : std::string(name);
}

// Where everybody else finds what this process calls by an absolute path.
std::string Files::below_root(const Process& of, const std::string& path) {
  const std::string& root = of.directory->root;
  if (root.empty() || !path.starts_with('/')) return path;
  return path == "/" ? root : root + path;
}

void Files::tell(Process& in, const OpenFile& file) {
  if (file.flags & wire::file_left_out) return;
  if (file.fd == wire::file_directory) {
    if (file.path.empty()) return;  // it is deleted, or nobody can get at it
    in.directory->path = below_root(in, file.path);
    in.directory->deleted = false;
    return;
  }
  auto& place = (*in.open)[file.fd];
  const bool same = place && place->told.inode == file.inode &&
                    (file.mode & type_mask) == socket_type;  // it has other names now
  if (!same) place = std::make_shared<One>();
  const bool unasked = place && !place->told.inode;  // the path is what the call says
  std::string path = same || unasked ? place->told.path : std::string();
  place->told = file;
  place->told.path = below_root(in, file.path);
  if (file.path.ends_with(deleted_mark) && file.path.starts_with('/')) {
    place->deleted = true;
    place->told.path.resize(place->told.path.size() - deleted_mark.size());
  }
  if (!file.path.empty()) return;
  if ((file.mode & type_mask) == socket_type) path = fmt::format("socket:[{}]", file.inode);
  if ((file.mode & type_mask) == 0010000) path = fmt::format("pipe:[{}]", file.inode);
  place->told.path = std::move(path);
}

void Files::begin(const Thread& thread, std::string_view program) {
  tasks_.begin(thread, program);
  process_of_[thread.tid] = thread.pid;
  switch (thread.began) {
    case wire::Began::image:
    case wire::Began::exec: {
      const auto before = std::move(process(thread.pid).open);
      process(thread.pid).open = std::make_shared<Table>();
      for (const OpenFile& file : thread.files) tell(process(thread.pid), file);
      keep_peers(*before, *process(thread.pid).open);
      return;
    }
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
  tasks_.enter(call);
  if (!is_fork(call.nr)) return;
  const uint64_t flags = clone_flags(call);
  if (!(flags & is_thread)) bequeathed_[call.tid] = inherited(call.pid, flags);
}

// What it was born with is known before it has said a word, and if nobody listens to it.
void Files::born(const Call& call) {
  const auto of = bequeathed_.find(call.tid);
  if (of == bequeathed_.end() || clone_flags(call) & is_thread) return;
  processes_.try_emplace(static_cast<uint32_t>(call.result), of->second);
}

void Files::learn(const Call& call) {
  tasks_.learn(call);
  if (!call.ended || changes_names(call.nr)) return;
  if (is_fork(call.nr) && call.result > 0) born(call);
  if (call.result >= 0) made(call);
  Process& self = process(call.pid);
  for (const OpenFile& file : call.files)
    if (file.fd != wire::file_directory) tell(self, file);
  if (call.nr == arch::nr_accept || call.nr == arch::nr_accept4) accepted(call);
  if (call.nr != arch::nr_socketpair || call.files.size() != 2) return;
  const auto one = self.open->find(call.files[0].fd), other = self.open->find(call.files[1].fd);
  if (one == self.open->end() || other == self.open->end()) return;
  one->second->peer_inode = other->second->told.inode;
  other->second->peer_inode = one->second->told.inode;
}

namespace {
// Also of what lies below it, where it is a folder.
bool is_moved(std::string& path, const std::string& from, const std::string& to) {
  if (!path.starts_with(from) || (path.size() > from.size() && path[from.size()] != '/'))
    return false;
  path.replace(0, from.size(), to);
  return true;
}
}  // namespace

template <class Move>
void Files::each_path(Move move) {
  for (auto& [pid, process] : processes_) {
    move(process.directory->path);
    for (auto& [fd, one] : *process.open)
      if (!one->deleted) move(one->told.path);
  }
}

// What two names, a table or a place share is looked at once for each of them.
void Files::rename(const std::string& from, const std::string& to) {
  if (from == to) return;
  unlink(to);
  each_path([&](std::string& path) { is_moved(path, from, to); });
}

void Files::exchange(const std::string& one, const std::string& other) {
  const std::string between(1, '\0');  // no path begins so
  each_path([&](std::string& path) { is_moved(path, one, between); });
  each_path([&](std::string& path) { is_moved(path, other, one); });
  each_path([&](std::string& path) { is_moved(path, between, other); });
}

void Files::unlink(const std::string& path) {
  for (auto& [pid, process] : processes_) {
    if (process.directory->path == path) process.directory->deleted = true;
    for (auto& [fd, one] : *process.open)
      if (one->told.path == path) one->deleted = true;
  }
}

void Files::forget(const Call& call) {
  using namespace arch;
  Process& self = process(call.pid);
  if (changes_names(call.nr))
    for (const OpenFile& file : call.files) tell(self, file);
  if (call.nr == nr_connect) connected(call);
  constexpr int64_t no_such_descriptor = -9;  // all other errors of close come after it was closed
  if (call.ended && call.nr == nr_close && call.result != no_such_descriptor)
    self.open->erase(low(call, 0));
  if (!call.ended || call.result < 0) return;
  const auto name = [&](int dirfd, int path) {
    return resolved(call.pid, dirfd < 0 ? -100 : low(call, dirfd), string_of(call, path));
  };
  const auto moved_to = [&](std::string path) {
    self.directory->path = std::move(path), self.directory->deleted = false;
  };
  for (const OpenFile& file : call.files)
    if (file.fd == wire::file_directory && !file.path.empty()) return tell(self, file);
  switch (call.nr) {
    case nr_dup2:
    case nr_dup3: copy(call.pid, low(call, 0), low(call, 1)); break;
    case nr_chdir: moved_to(name(-1, 0)); break;
    case nr_fchdir: moved_to(path(call.pid, low(call, 0))); break;
    case nr_getcwd:
      if (!self.directory->deleted) moved_to(below_root(self, string_of(call, 0, true)));
      break;
    case nr_chroot: self.directory->root = name(-1, 0); break;
    case nr_unlink:
    case nr_rmdir: unlink(name(-1, 0)); break;
    case nr_unlinkat: unlink(name(0, 1)); break;
    case nr_rename: rename(name(-1, 0), name(-1, 1)); break;
    case nr_renameat: rename(name(0, 1), name(2, 3)); break;
    case nr_renameat2:
      if (call.args[4] & 2)  // RENAME_EXCHANGE
        exchange(name(0, 1), name(2, 3));
      else
        rename(name(0, 1), name(2, 3));
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
