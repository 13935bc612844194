#include "preload/files.h"

#include <asm/unistd.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <iterator>

#include "preload/capture.h"
#include "preload/global.h"
#include "preload/load.h"
#include "preload/own_files.h"
#include "preload/plain_names.h"
#include "preload/say.h"
#include "preload/special.h"

namespace sctrace::preload {
namespace {

using arch::raw_syscall;

constexpr uint32_t files_most = 512;  // told at start; at about 2 µs each
constexpr uint32_t path_most = 4095;  // of a link; the kernel gives no longer ones

struct Address {
  uint8_t bytes[128];
  uint32_t size;
};
const Address nobody{};

// The kernel cuts what does not fit, and says how long it would have been.
bool is_told(Address& to, long call, long fd) {
  to.size = sizeof to.bytes;
  if (raw_syscall(call, fd, to.bytes, &to.size) < 0) return to.size = 0, false;
  if (to.size > sizeof to.bytes) to.size = sizeof to.bytes;
  return true;
}

uint32_t option(long fd, int name) {
  uint32_t value = 0, size = sizeof value;
  raw_syscall(__NR_getsockopt, fd, SOL_SOCKET, name, &value, &size);
  return value;
}

void write_file(ThreadState& self, const wire::File& file, const char* path, const Address& name,
                const Address& peer) {
  RingWriter& out = self.out;
  if (!out.header || out.dead) return;
  const uint64_t told = uint64_t{file.path_bytes} + name.size + peer.size;
  const uint64_t size = sizeof file + ((told + 7) & ~7ull);
  uint32_t ticks;
  uint8_t* place = begin_record(self, out, size, ticks);
  if (!place) return;
  uint8_t* at = place + sizeof file;
  const uint64_t zero = 0;
  if (told) __builtin_memcpy(place + size - 8, &zero, 8);
  sctrace_copy(at, path, file.path_bytes);
  sctrace_copy(at + file.path_bytes, name.bytes, name.size);
  sctrace_copy(at + file.path_bytes + name.size, peer.bytes, peer.size);
  auto* record = reinterpret_cast<wire::File*>(place);
  *record = file;
  record->header.units = static_cast<uint16_t>(size / 8);
  record->header.type = wire::Type::file;
  record->header.ticks = ticks;
  record->name_bytes = static_cast<uint8_t>(name.size);
  record->peer_bytes = static_cast<uint8_t>(peer.size);
  out.cursor += size;
}

constexpr char pidfd_link[] = "anon_inode:[pidfd]";

// Which process a pidfd stands for; 0: it is gone, or this kernel (before 6.13) does not say.
uint32_t process_of(int32_t fd) {
  constexpr long get_info = 0xc040ff0b;  // PIDFD_GET_INFO with the first version of its struct
  struct {
    uint64_t mask, cgroup;
    uint32_t pid, others[11];
  } info{};
  static_assert(sizeof info == 64);
  info.mask = 1;  // PIDFD_INFO_PID
  return raw_syscall(__NR_ioctl, fd, get_info, &info) < 0 ? 0 : info.pid;
}

// Who connected, or was connected to.
uint32_t process_behind(int32_t fd) {
  struct {
    int32_t pid;
    uint32_t user, group;
  } peer{};
  uint32_t size = sizeof peer;
  raw_syscall(__NR_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
  return peer.pid > 0 ? static_cast<uint32_t>(peer.pid) : 0;
}

bool is_local(const Address& name) {
  return name.size >= 2 && name.bytes[0] == AF_UNIX && name.bytes[1] == 0;
}

void tell(ThreadState& self, int32_t fd, const struct stat& status, const char* path,
          uint64_t path_bytes) {
  wire::File file{};
  Address name, peer;
  name.size = peer.size = 0;
  file.fd = fd;
  file.mode = status.st_mode;
  file.device = status.st_dev, file.inode = status.st_ino, file.special = status.st_rdev;
  file.path_bytes = static_cast<uint16_t>(path_bytes);
  if (S_ISSOCK(status.st_mode)) {
    file.kind = static_cast<uint16_t>(option(fd, SO_TYPE));
    file.protocol = static_cast<uint16_t>(option(fd, SO_PROTOCOL));
    if (is_told(name, __NR_getsockname, fd) && is_told(peer, __NR_getpeername, fd) &&
        is_local(name))
      file.special = process_behind(fd);
  } else if (path_bytes == sizeof pidfd_link - 1 &&
             __builtin_memcmp(path, pidfd_link, sizeof pidfd_link - 1) == 0) {
    file.special = process_of(fd);
  }
  write_file(self, file, path, name, peer);
}

void tell(ThreadState& self, int32_t fd, const char* path, uint64_t path_bytes) {
  struct stat status;
  if (raw_syscall(__NR_fstat, fd, &status) == 0) tell(self, fd, status, path, path_bytes);
}

// The descriptor with what its link in /proc/self/fd (open as `folder`) says.
void tell_link(ThreadState& self, long folder, const char* number, int32_t fd) {
  char path[path_most + 1];
  const long n = raw_syscall(__NR_readlinkat, folder, number, path, path_most);
  tell(self, fd, path, n > 0 ? static_cast<uint64_t>(n) : 0);
}

// Answers its length, or 0; `path` has room for path_most bytes.
uint64_t named_by_link(int32_t fd, char* path) {
  const long n = link_of(fd, path, path_most);
  return n > 0 ? static_cast<uint64_t>(n) : 0;
}

void tell_by_number(ThreadState& self, int32_t fd) {
  char path[path_most + 1];
  tell(self, fd, path, named_by_link(fd, path));
}

// Devices are opened again and again, and their links cost ten times what fstat does: where a name
// led to that very file before, and was all that its link said, it does now.
void tell_device(ThreadState& self, int32_t fd, uint64_t address) {
  char path[path_most + 1];
  struct stat status;
  if (raw_syscall(__NR_fstat, fd, &status) < 0) return;
  const auto opened_as = [&](long n) {
    Opened one{
        .device = status.st_dev, .inode = status.st_ino, .special = status.st_rdev, .name = {}};
    const bool fits = n > 0 && static_cast<uint64_t>(n) < sizeof one.name;
    if (fits) sctrace_copy(one.name, path, static_cast<uint64_t>(n));
    return fits ? one : Opened{};
  };
  const long named =
      sctrace_copy_string(path, reinterpret_cast<const char*>(address), sizeof Opened{}.name);
  const Opened opened = opened_as(named);
  for (const Opened& one : self.opened)
    if (opened.device && one == opened)
      return tell(self, fd, status, path, static_cast<uint64_t>(named));
  const uint64_t bytes = named_by_link(fd, path);
  tell(self, fd, status, path, bytes);
  if (opened.device && opened_as(static_cast<long>(bytes)) == opened)
    self.opened[self.opened_next++ % std::size(self.opened)] = opened;
}

void tell_directory(ThreadState& self, uint8_t flags) {
  char path[path_most + 1];
  const long n = raw_syscall(__NR_getcwd, path, sizeof path);
  wire::File file{};
  file.header.flags = flags;
  file.fd = wire::file_directory;
  file.mode = S_IFDIR;
  if (n > 0 && path[0] == '/') file.path_bytes = static_cast<uint16_t>(n - 1);
  write_file(self, file, path, nobody, nobody);
}

// What the call opened, unless its name says as much. Where /proc is not there nobody can say.
void tell_opened(ThreadState& self, int32_t fd, const Name& name) {
  char path[path_most + 1];
  const uint64_t path_bytes = named_by_link(fd, path);
  if (path_bytes && !try_remember(name, path, path_bytes)) tell(self, fd, path, path_bytes);
}

struct Entry {  // linux_dirent64
  uint64_t inode, offset;
  uint16_t size;
  uint8_t type;
  char name[];
};

int32_t number_of(const char* name) {
  int32_t n = 0;
  for (; *name; ++name) {
    if (*name < '0' || *name > '9' || n > 0x7ffffff) return -1;
    n = n * 10 + (*name - '0');
  }
  return n;
}

uint32_t tell_entries(ThreadState& self, long folder) {
  alignas(8) char entries[4096];
  uint32_t told = 0, left_out = 0;
  for (long n; (n = raw_syscall(__NR_getdents64, folder, entries, sizeof entries)) > 0;)
    for (long at = 0; at < n;) {
      const auto* entry = reinterpret_cast<const Entry*>(entries + at);
      at += entry->size;
      const int32_t fd = number_of(entry->name);
      if (fd < 0 || fd == folder) continue;
      if (told == files_most)
        ++left_out;
      else
        tell_link(self, folder, entry->name, fd), ++told;
    }
  return left_out;
}

struct Message {
  uint64_t name, name_bytes, vectors, count, control, control_bytes, flags;
};

// Descriptors that a message brought along.
void tell_received(ThreadState& self, uint64_t address) {
  Message message;
  struct {
    uint64_t bytes;
    int32_t level, type;
  } part;
  if (!read_app(&message, address, sizeof message)) return;
  constexpr uint64_t most = 253 * 4;  // SCM_MAX_FD
  constexpr int32_t scm_pidfd = 4;
  uint64_t at = message.control;
  const uint64_t end = at + (message.control_bytes < 65536 ? message.control_bytes : 65536);
  while (at && at + sizeof part <= end && read_app(&part, at, sizeof part)) {
    if (part.bytes < sizeof part || part.bytes > end - at) return;
    if (part.level == SOL_SOCKET && (part.type == SCM_RIGHTS || part.type == scm_pidfd))
      for (uint64_t i = 0; i + 4 <= part.bytes - sizeof part && i < most; i += 4) {
        int32_t fd;
        if (read_app(&fd, at + sizeof part + i, sizeof fd) && fd >= 0) tell_by_number(self, fd);
      }
    at += (part.bytes + 7) & ~7ull;
  }
}

void tell_all_received(ThreadState& self, uint64_t address, uint64_t count) {
  constexpr uint64_t stride = 64;  // struct mmsghdr
  for (uint64_t i = 0; i < count; ++i) tell_received(self, address + i * stride);
}

bool is_device(uint64_t path) {
  constexpr uint32_t dev = '/' | 'd' << 8 | 'e' << 16 | 'v' << 24;
  uint32_t head;
  uint8_t slash;
  return try_load(path, head) && head == dev && try_load(path + 4, slash) && slash == '/';
}

// A file that never had a name. openat2 keeps its flags elsewhere, and is asked about in any case.
bool is_nameless(const arch::Frame& call) {
  return call.nr == __NR_openat && (call.args[2] & O_TMPFILE) == O_TMPFILE;
}

// Requests that answer with a descriptor.
bool opens(uint64_t request) {
  switch (static_cast<uint32_t>(request)) {
    case 0x5441:               // TIOCGPTPEER
    case 0x894c:               // SIOCGSKNS
    case 0xaa00:               // USERFAULTFD_IOC_NEW
    case 0xb701:               // NS_GET_USERNS
    case 0xb702: return true;  // NS_GET_PARENT
    default: return false;
  }
}

}  // namespace

long link_of(int32_t fd, char* path, uint64_t most) {
  Line name;
  name.text("/proc/self/fd/").number(fd);
  return raw_syscall(__NR_readlinkat, AT_FDCWD, name.c_str(), path, most);
}

void tell_files_at_start(ThreadState& self) {
  if (self.out.counts) return;
  const long folder = raw_syscall(__NR_openat, AT_FDCWD, "/proc/self/fd",
                                  O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (folder < 0) return;
  tell_directory(self, wire::file_first);
  if (const uint32_t left_out = tell_entries(self, folder)) {
    wire::File file{};
    file.header.flags = wire::file_left_out;
    file.fd = -1;
    file.special = left_out;
    write_file(self, file, "", nobody, nobody);
  }
  raw_syscall(__NR_close, folder);
  if (self.out.header && !self.out.dead) self.out.publish();
}

bool makes_files(uint32_t nr) {
  switch (nr) {
    case __NR_socket:
    case __NR_socketpair:
    case __NR_accept:
    case __NR_accept4:
    case __NR_pipe:
    case __NR_pipe2:
    case __NR_bind:
    case __NR_connect:
    case __NR_listen:
    case __NR_open:
    case __NR_openat:
    case __NR_openat2:
    case __NR_open_by_handle_at:
    case __NR_pidfd_getfd:
    case __NR_recvmsg:
    case __NR_recvmmsg:
    case __NR_fsmount:
    case __NR_open_tree:
    case __NR_ioctl: return true;
    default: return moves_names(nr);
  }
}

namespace {

// Descriptors come with control data, which most messages have none of.
bool has_control(uint64_t message) {
  constexpr uint64_t bytes_at = 40;  // in struct msghdr
  uint64_t bytes;
  return try_load(message + bytes_at, bytes) && bytes;
}

// What only the kernel can tell of it: most that is opened has a name that says it all.
bool is_worth_telling(const ThreadState& self, Name& name) {
  const auto& call = self.frame;
  // A connection in progress has its names already.
  if (call.result < 0 && !(call.nr == __NR_connect && call.result == -EINPROGRESS)) return false;
  switch (static_cast<uint32_t>(call.nr)) {
    case __NR_open: return is_device(call.args[0]) || is_to_be_asked(self, name);
    case __NR_openat:
    case __NR_openat2:
      return is_device(call.args[1]) || is_nameless(call) || is_to_be_asked(self, name);
    case __NR_ioctl: return opens(call.args[1]);
    case __NR_chdir:
    case __NR_fchdir: return true;
    case __NR_recvmsg: return has_control(call.args[1]);
    default: return !moves_names(static_cast<uint32_t>(call.nr));
  }
}

}  // namespace

void tell_files(ThreadState& self) {
  const auto& call = self.frame;
  const auto result = static_cast<int32_t>(call.result);
  const auto nr = static_cast<uint32_t>(call.nr);
  if (call.result >= 0 && moves_names(nr)) forget_names(call);
  if (call.result >= 0 && opens_by_name(nr)) mark_own_file(self);
  Name name;
  name.size = name.key = 0;
  if (!self.in_flight.recording || !is_worth_telling(self, name)) return;
  const SpecialWork work(self);
  if (!may(self, own_others)) return;
  int32_t pair[2];
  switch (nr) {
    case __NR_socket:
    case __NR_accept:
    case __NR_accept4: return tell(self, result, "", 0);
    case __NR_bind:
    case __NR_connect:
    case __NR_listen: return tell(self, static_cast<int32_t>(call.args[0]), "", 0);
    case __NR_open:
    case __NR_openat:
    case __NR_openat2: {
      const uint64_t path = call.args[call.nr == __NR_open ? 0 : 1];
      return is_device(path) ? tell_device(self, result, path) : tell_opened(self, result, name);
    }
    case __NR_open_by_handle_at:
    case __NR_pidfd_getfd:
    case __NR_fsmount:
    case __NR_open_tree:
    case __NR_ioctl: return tell_by_number(self, result);
    case __NR_chdir:
    case __NR_fchdir: return tell_directory(self, 0);
    case __NR_recvmsg: return tell_received(self, call.args[1]);
    case __NR_recvmmsg:
      return tell_all_received(self, call.args[1], static_cast<uint64_t>(call.result));
    case __NR_pipe:
    case __NR_pipe2:
    case __NR_socketpair:
      if (!read_app(pair, call.args[call.nr == __NR_socketpair ? 3 : 0], sizeof pair)) return;
      tell(self, pair[0], "", 0);
      return tell(self, pair[1], "", 0);
    default: return;
  }
}

}  // namespace sctrace::preload
