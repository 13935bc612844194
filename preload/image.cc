#include "preload/image.h"

#include <asm/unistd.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>

#include <cerrno>

#include "formats/wire/metadata.h"
#include "preload/environment.h"
#include "preload/global.h"
#include "preload/process.h"
#include "preload/rings.h"

extern "C" const char sctrace_metadata[], sctrace_metadata_end[];  // arch/metadata.S

namespace sctrace::preload {
namespace {

using arch::raw_syscall;

// Of the header, what every image fills. Each page more costs 0.1 ms where the trace is on a disk.
constexpr uint64_t header_first = (offsetof(wire::Image, sites) + 4095) & ~4095ull;
constexpr uint32_t slots_mapped[] = {chunk_slots, 16, 4, 1};  // what address space there is

long directory_of_ours(const char* path) {
  constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  long fd = raw_syscall(__NR_openat, AT_FDCWD, path, flags);  // all but the first process find it
  if (fd == -ENOENT) {
    raw_syscall(__NR_mkdirat, AT_FDCWD, path, 0700);
    fd = raw_syscall(__NR_openat, AT_FDCWD, path, flags);
  }
  if (fd < 0) return fd;
  struct stat status;
  long result = raw_syscall(__NR_fstat, fd, &status);
  if (result == 0 && (status.st_uid != raw_syscall(__NR_geteuid) || status.st_mode & 022))
    result = -EACCES;
  if (result == 0) return fd;
  raw_syscall(__NR_close, fd);
  return result;
}

const char* base_name(const char* path) {
  const char* name = path;
  for (; *path; ++path)
    if (*path == '/') name = path + 1;
  return name;
}

// %e program, %p pid, %h host, %t seconds since 1970, %% itself; made absolute.
void expand(const char* pattern, Line& line) {
  if (*pattern != '/') {
    char cwd[900];
    if (raw_syscall(__NR_getcwd, cwd, sizeof cwd) > 0) line.text(cwd).text("/");
  }
  for (; *pattern; ++pattern) {
    if (*pattern != '%' || !pattern[1]) {
      line.text(pattern, 1);
      continue;
    }
    utsname host;
    timespec now{};
    switch (*++pattern) {
      case 'e': line.text(base_name(global.image_program)); break;
      case 'p': line.number(main_process.pid); break;
      case 'h':
        if (raw_syscall(__NR_uname, &host) == 0) line.text(host.nodename);
        break;
      case 't':
        raw_syscall(__NR_clock_gettime, CLOCK_REALTIME, &now);
        line.number(now.tv_sec);
        break;
      default: line.text(pattern, 1);
    }
  }
}

void set_directory(Line& line) {
  __builtin_memcpy(global.directory, line.c_str(), line.size() + 1);
}

long make_directory() {
  Line wish;
  expand(global.config.output, wish);
  const long fd =
      wish.size() < sizeof global.directory ? directory_of_ours(wish.c_str()) : -ENAMETOOLONG;
  if (fd >= 0) return set_directory(wish), fd;
  const char* tmp = variable(global.environment, "TMPDIR");
  for (const char* folder : {tmp, "/tmp"}) {
    if (!folder || *folder != '/') continue;
    Line second;
    second.text(folder)
        .text("/sctrace-")
        .text(base_name(global.image_program))
        .text("-")
        .number(main_process.pid);
    const long other =
        second.size() < sizeof global.directory ? directory_of_ours(second.c_str()) : -ENAMETOOLONG;
    if (other < 0) continue;
    say(Level::warn, wish.c_str(), ": ", error_name(fd), "; the trace goes to ", second.c_str());
    return set_directory(second), other;
  }
  say(Level::error, wish.c_str(), ": ", error_name(fd), "; running untraced");
  return fd;
}

// Maps a file of `bytes`, all of it asked for now up to `populated`: no later store may be a
// SIGBUS.
long map_file(long fd, uint64_t bytes, uint64_t populated) {
  const long at =
      raw_syscall(__NR_mmap, 0, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
  if (at < 0) return at;
  raw_syscall(__NR_madvise, at, bytes, MADV_RANDOM);  // read ahead into a hole costs 2.5 ms on ext4
  const long there = raw_syscall(__NR_madvise, at, populated, 23 /* MADV_POPULATE_WRITE */);
  if (there == 0 || there == -EINVAL) return at;
  raw_syscall(__NR_munmap, at, bytes);
  return there == -EFAULT ? -ENOSPC : there;
}

void fill_session(wire::Session& session) {
  utsname host;
  if (raw_syscall(__NR_uname, &host) == 0) {
    __builtin_memcpy(session.host, host.nodename, sizeof session.host - 1);
    __builtin_memcpy(session.kernel, host.release, sizeof session.kernel - 1);
  }
  session.version = wire::version;
  session.order = wire::byte_order;
  session.max_bytes = global.config.max_bytes;
  session.magic = wire::session_magic;
}

long join_session(long directory, bool& fresh) {
  fresh = true;
  long fd = raw_syscall(__NR_openat, directory, wire::session_name,
                        O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd == -EEXIST) {
    fresh = false;
    fd = raw_syscall(__NR_openat, directory, wire::session_name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  }
  if (fd < 0) return fd;
  if (fresh) raw_syscall(__NR_ftruncate, fd, wire::session_bytes);
  struct stat status;
  raw_syscall(__NR_fstat, fd, &status);
  const long at =
      status.st_size < wire::session_bytes ? -EINVAL : map_file(fd, wire::session_bytes, 4096);
  raw_syscall(__NR_close, fd);
  if (at < 0) return at;
  global.session = reinterpret_cast<wire::Session*>(at);
  if (fresh) fill_session(*global.session);
  for (int tries = 0; !global.session->version && tries < 1000;
       ++tries)  // somebody is filling it just now
    raw_syscall(__NR_sched_yield);
  return global.session->version == wire::version ? 0 : -EINVAL;
}

void fill_image(wire::Image& image, uint64_t ring_bytes, uint32_t slots) {
  image.version = wire::version;
  image.order = wire::byte_order;
  image.header_bytes = wire::image_header_bytes;
  Measures& ours = global.measures;
  image.slots = ours.slots = slots;
  image.ring_bytes = ours.ring_bytes = ring_bytes;
  image.block_bytes = ours.block_bytes = ring_bytes / 4 < 65536 ? 16384 : ring_bytes / 4;
  image.slot_bytes = ours.slot_bytes = wire::ring_header_bytes + ring_bytes;
  image.mode = ours.mode = global.config.mode;
  image.pid = main_process.pid;
  image.ppid = static_cast<uint32_t>(raw_syscall(__NR_getppid));
  image.capture_flags = (global.config.capture_in ? 1 : 0) | (global.config.capture_out ? 2 : 0) |
                        (global.config.exact ? 4 : 0);
  image.strsize = global.config.strsize > 0xffffffff ? 0xffffffff
                                                     : static_cast<uint32_t>(global.config.strsize);
  timespec mono{}, real{};
  const uint64_t tsc = arch::ticks();
  raw_syscall(__NR_clock_gettime, CLOCK_MONOTONIC, &mono);
  raw_syscall(__NR_clock_gettime, CLOCK_REALTIME, &real);
  ours.first = {.tsc = tsc,
                .monotonic = static_cast<uint64_t>(mono.tv_sec) * 1'000'000'000 + mono.tv_nsec,
                .realtime = static_cast<uint64_t>(real.tv_sec) * 1'000'000'000 + real.tv_nsec};
  image.first = ours.first;
  image.magic = wire::image_magic;
}

long make_image(long directory) {
  const uint64_t ring_bytes = global.config.ring_bytes;
  const uint64_t slot_bytes = wire::ring_header_bytes + ring_bytes;
  long fd = -EEXIST;
  Line name;
  for (int n = 0; fd == -EEXIST; ++n) {
    name = {};
    name.number(main_process.pid).text("-").number(n).text(".ring");
    fd = raw_syscall(__NR_openat, directory, name.c_str(),
                     O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  }
  if (fd < 0) return fd;
  uint32_t file_slots = slots_most;
  long at = raw_syscall(__NR_ftruncate, fd, wire::image_header_bytes + file_slots * slot_bytes);
  if (at == -EFBIG) {
    file_slots = slots_mapped[0];
    at = raw_syscall(__NR_ftruncate, fd, wire::image_header_bytes + file_slots * slot_bytes);
  }
  uint32_t mapped = 0;
  for (const uint32_t slots : slots_mapped) {
    if (at < 0) break;
    mapped = slots;
    at = map_file(fd, wire::image_header_bytes + slots * slot_bytes, header_first);
    if (at != -ENOMEM) break;
    at = 0;
  }
  raw_syscall(__NR_close, fd);
  if (at <= 0) {
    raw_syscall(__NR_unlinkat, directory, name.c_str(), 0);
    return at ? at : -ENOMEM;
  }
  Line ring, data;
  ring.text(global.directory).text("/").text(name.c_str());
  data.text(global.directory).text("/").text(name.c_str(), name.size() - 4).text("data");
  __builtin_memcpy(global.ring_path, ring.c_str(), ring.size() + 1);
  __builtin_memcpy(global.data_path, data.c_str(), data.size() + 1);
  global.image = reinterpret_cast<wire::Image*>(at);
  fill_image(*global.image, ring_bytes, file_slots);
  first_chunk(reinterpret_cast<uint8_t*>(at) + wire::image_header_bytes, mapped);
  global.session->images.fetch_add(1);
  global.session->bytes.fetch_add(wire::image_header_bytes);
  return 0;
}

// So that nobody needs our table to read the trace. Once a trace, and behind everything else: where
// the room ends here, the trace can do without. (A write that begins within RLIMIT_FSIZE, as it
// does where an image had room, is shortened by it and raises no signal.)
void describe_trace(long directory) {
  const long bytes = sctrace_metadata_end - sctrace_metadata;
  const long fd = raw_syscall(__NR_openat, directory, wire::metadata_name,
                              O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return;
  const long done = raw_syscall(__NR_write, fd, sctrace_metadata, bytes);
  raw_syscall(__NR_close, fd);
  if (done == bytes)
    global.session->bytes.fetch_add(static_cast<uint64_t>(bytes));
  else
    raw_syscall(__NR_unlinkat, directory, wire::metadata_name, 0);
}

}  // namespace

long open_trace(const char* inherited) {
  long directory;
  if (*inherited) {
    directory = directory_of_ours(inherited);
    if (directory >= 0) __builtin_memcpy(global.directory, inherited, sizeof global.directory);
  } else {
    directory = make_directory();
  }
  if (directory < 0) return directory;
  bool fresh = false;
  long result = join_session(directory, fresh);
  if (result == 0) result = global.session->stopped ? -EFBIG : make_image(directory);
  if (result < 0 && global.session) global.session->unseen_programs.fetch_add(1);
  if (result == 0 && fresh) describe_trace(directory);
  raw_syscall(__NR_close, directory);
  // Said once a trace, by the program that began it.
  if (result < 0)
    say(fresh ? Level::error : Level::info, global.directory, ": ", error_name(result),
        "; running untraced");
  if (result < 0) global.image = nullptr;
  return result;
}

}  // namespace sctrace::preload
