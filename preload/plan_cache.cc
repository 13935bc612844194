#include "preload/plan_cache.h"

#include <asm/unistd.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#include <cerrno>

#include "arch/x86_64/clock.h"
#include "arch/x86_64/frame.h"
#include "preload/environment.h"
#include "preload/global.h"
#include "preload/mapped_file.h"
#include "preload/say.h"

namespace sctrace::preload {
namespace {

using arch::raw_syscall;
using rewriter::PlanStore;
using rewriter::Region;

constexpr uint64_t text_least = 128 << 10;  // below, planning costs no more than looking here
constexpr uint64_t file_most = 4 << 20;
constexpr int64_t settled_seconds = 60;  // writeback, after which a store is told of again: 35

// File systems that set a file's time of change at every write. overlayfs does what the one below
// does.
constexpr uint64_t telling[] = {
    0xef53,      // ext2, ext3, ext4
    0x58465342,  // xfs
    0x9123683e,  // btrfs
    0xf2f52010,  // f2fs
    0x2fc12fc1,  // zfs
    0xca451a4e,  // bcachefs
    0x794c7630,  // overlayfs
    0x73717368,  // squashfs, never written
    0xe0f5e1e2,  // erofs, neither
};

struct Key {
  uint8_t planner[32], object[32];  // build-ids
  MappedFile mapped;
  uint64_t device, inode, bytes, modified_ns, changed_ns;
  uint64_t text_offset, text_bytes;
  uint64_t content;  // hash of the vDSO; of a file 0
};

struct State {
  const Objects* objects;
  char folder[1100], parent[1100], home[1100];  // the latter two empty: not to be looked at
  long directory;                               // descriptor; negative: why there is none
  Key key;                                      // of the object that was taken last
  char name[20];                                // and its file
  bool keep;                                    // its plans may be put
  uint64_t vdso;  // where it begins: libc is not asked while its text is open
};
constinit State state{};

void complain(const char* what, const char* why) {
  say(Level::info, "plans in ", state.folder, *what ? "/" : "", what, why);
}

void close(long fd) {
  if (fd >= 0) raw_syscall(__NR_close, fd);
}

bool is_ours(const struct stat& status) {
  return status.st_uid == raw_syscall(__NR_geteuid) && !(status.st_mode & 022);
}

bool set(Line& line, char (&to)[1100]) {
  if (line.size() >= sizeof to) return false;
  __builtin_memcpy(to, line.c_str(), line.size() + 1);
  return true;
}

bool choose_folder() {
  const char* cache = variable(global.environment, "XDG_CACHE_HOME");
  const char* home = variable(global.environment, "HOME");
  Line above, parent, folder;
  if (*global.config.cache) return set(folder.text(global.config.cache), state.folder);
  if (cache && *cache == '/')
    parent.text(cache);
  else if (home && *home == '/')
    above.text(home), parent.text(home).text("/.cache");
  else
    return false;
  folder.text(parent.c_str()).text("/sctrace");
  return set(above, state.home) && set(parent, state.parent) && set(folder, state.folder);
}

void open_folder() {
  struct stat status;
  state.directory = raw_syscall(__NR_openat, AT_FDCWD, state.folder,
                                O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (state.directory < 0) {
    if (state.directory != -ENOENT) complain(": ", error_name(state.directory));
    return;
  }
  if (raw_syscall(__NR_fstat, state.directory, &status) == 0 && is_ours(status)) return;
  complain("", ": of somebody else, or writable for others; not used");
  close(state.directory);
  state.directory = -EACCES;
}

bool is_path_ours(const char* path) {
  struct stat status;
  return raw_syscall(__NR_newfstatat, AT_FDCWD, path, &status, 0) == 0 &&
         status.st_uid == raw_syscall(__NR_geteuid);
}

// Where there is no folder yet, and those above are ours too: root with somebody's HOME leaves
// nothing there.
void make_folder() {
  if (*state.home && !is_path_ours(state.home)) return;
  if (*state.home) raw_syscall(__NR_mkdirat, AT_FDCWD, state.parent, 0700);
  if (*state.parent && !is_path_ours(state.parent)) return;
  if (raw_syscall(__NR_mkdirat, AT_FDCWD, state.folder, 0700) == 0) open_folder();
}

uint64_t nanoseconds(const timespec& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

const char* path_of(const Origin& origin) { return *origin.path ? origin.path : "/proc/self/exe"; }

// The kernel's own object has no file. All of it is one segment, and it is a page or two, so that
// the key holds a hash of all that a plan is made from.
bool is_vdso(const rewriter::Object& object) {
  const auto& text = object.text;
  return state.vdso && text.address == state.vdso && text.holds(object.frames.address, 0) &&
         object.frames.end() <= text.end() && text.holds(object.eh_frame_hdr.address, 0) &&
         object.eh_frame_hdr.end() <= text.end();
}

uint64_t hash(std::span<const uint8_t> bytes) {
  uint64_t sum = bytes.size(), word = 0;
  for (size_t at = 0; at < bytes.size(); at += sizeof word) {
    const size_t left = bytes.size() - at;
    word = 0;
    if (left >= sizeof word)
      __builtin_memcpy(&word, bytes.data() + at, sizeof word);
    else
      __builtin_memcpy(&word, bytes.data() + at, left);
    sum = (sum ^ word) * 0x9e3779b97f4a7c15, sum ^= sum >> 32;
  }
  return sum;
}

// False where the plan would not be worth a file, or nothing tells which file was mapped.
bool find_key(size_t index, Region& memory) {
  const rewriter::Object& object = state.objects->all[index];
  const Origin& origin = state.objects->origins[index];
  const BuildId& ours = state.objects->own_build_id;
  Key& key = state.key = {};
  if (!ours.size) return false;
  __builtin_memcpy(key.planner, ours.bytes, sizeof ours.bytes);
  __builtin_memcpy(key.object, origin.build_id.bytes, sizeof origin.build_id.bytes);
  key.text_offset = origin.text_offset;
  key.text_bytes = object.text.bytes.size();
  if (is_vdso(object)) return key.content = hash(object.text.bytes), true;
  if (object.text.bytes.size() < text_least || !origin.build_id.size) return false;
  struct stat status;
  if (!find_mapped_file(object.text.address, memory, key.mapped)) return false;
  if (raw_syscall(__NR_newfstatat, AT_FDCWD, path_of(origin), &status, 0) < 0) return false;
  // Devices may differ for one and the same file: btrfs and overlayfs have numbers of their own.
  if (!S_ISREG(status.st_mode) || status.st_ino != key.mapped.inode) return false;
  key.device = status.st_dev;
  key.inode = status.st_ino;
  key.bytes = static_cast<uint64_t>(status.st_size);
  key.modified_ns = nanoseconds(status.st_mtim);
  key.changed_ns = nanoseconds(status.st_ctim);
  return true;
}

std::span<const uint8_t> bytes_of(const Key& key) {
  return {reinterpret_cast<const uint8_t*>(&key), sizeof key};
}

// Sixteen hexadecimal digits. Two keys of one name take each other's place, that is all.
void name_file() {
  uint64_t words[sizeof(Key) / 8], name = 0;
  __builtin_memcpy(words, &state.key, sizeof words);
  for (const uint64_t word : words) name = (name ^ word) * 0x9e3779b97f4a7c15, name ^= name >> 32;
  for (int i = 0; i < 16; ++i) state.name[i] = "0123456789abcdef"[name >> (60 - 4 * i) & 15];
  state.name[16] = 0;
}

std::span<const uint8_t> read_file(Region& memory) {
  const long fd = raw_syscall(__NR_openat, state.directory, state.name,
                              O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd == -ENOENT) return {};
  if (fd < 0) return complain(state.name, ": can't be opened"), std::span<const uint8_t>{};
  struct stat status;
  const bool good = raw_syscall(__NR_fstat, fd, &status) == 0 && S_ISREG(status.st_mode) &&
                    is_ours(status) && static_cast<uint64_t>(status.st_size) <= file_most;
  if (!good) complain(state.name, ": not a file of ours alone; not used");
  const auto room = memory.rest<uint64_t>();
  const auto size = good ? static_cast<uint64_t>(status.st_size) : 0;
  long got = 0;
  if (size && size <= room.size() * 8) got = raw_syscall(__NR_read, fd, room.data(), size);
  close(fd);
  if (got <= 0 || static_cast<uint64_t>(got) != size) return {};
  memory.keep<uint64_t>((size + 7) / 8);
  return {reinterpret_cast<const uint8_t*>(room.data()), size};
}

PlanStore::Kept take(size_t index, Region& memory) {
  if (!find_key(index, memory)) return {};
  name_file();
  state.keep = true;
  return {bytes_of(state.key),
          state.directory < 0 ? std::span<const uint8_t>{} : read_file(memory)};
}

// Would a change of the file be seen? See the head of plan_cache.h.
bool is_settled(const Origin& origin) {
  timespec now{};
  struct statfs system {};
  raw_syscall(__NR_clock_gettime, CLOCK_REALTIME, &now);
  const uint64_t settled = state.key.changed_ns + settled_seconds * 1'000'000'000;
  if (!state.key.changed_ns || nanoseconds(now) < settled) return false;
  if (raw_syscall(__NR_statfs, path_of(origin), &system) < 0) return false;
  for (const uint64_t type : telling)
    if (type == static_cast<uint32_t>(system.f_type)) return true;
  return false;
}

// Memory may be otherwise than its file: a debugger's breakpoints, an audit module, relocations. A
// plan of that would be nobody else's.
bool is_as_in_file(long fd, const rewriter::Bytes& memory, uint64_t offset) {
  static uint8_t piece[1 << 16];
  for (uint64_t at = 0; at < memory.bytes.size(); at += sizeof piece) {
    const uint64_t left = memory.bytes.size() - at;
    const uint64_t size = left < sizeof piece ? left : sizeof piece;
    if (raw_syscall(__NR_pread64, fd, piece, size, offset + at) != static_cast<long>(size))
      return false;
    uint64_t i = 0, a = 0, b = 0;
    for (; i + 8 <= size && a == b; i += 8) {
      __builtin_memcpy(&a, piece + i, 8);
      __builtin_memcpy(&b, memory.bytes.data() + at + i, 8);
    }
    for (; i < size && a == b; ++i) a = piece[i], b = memory.bytes[at + i];
    if (a != b) return false;
  }
  return true;
}

bool is_whole_file(size_t index) {
  const rewriter::Object& object = state.objects->all[index];
  const Origin& origin = state.objects->origins[index];
  const long fd = raw_syscall(__NR_openat, AT_FDCWD, path_of(origin), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  struct stat status;
  const bool same = raw_syscall(__NR_fstat, fd, &status) == 0 &&
                    status.st_dev == state.key.device && status.st_ino == state.key.inode &&
                    nanoseconds(status.st_ctim) == state.key.changed_ns &&
                    is_as_in_file(fd, object.text, origin.text_offset) &&
                    is_as_in_file(fd, object.frames, origin.frames_offset);
  close(fd);
  return same;
}

// A write beyond the limit is a SIGXFSZ, and would be the program's end.
bool is_allowed(uint64_t bytes) {
  rlimit limit{};
  return raw_syscall(__NR_prlimit64, 0, RLIMIT_FSIZE, 0, &limit) == 0 && limit.rlim_cur >= bytes;
}

bool write_file(const char* name, std::span<const uint8_t> file) {
  const long fd = raw_syscall(__NR_openat, state.directory, name,
                              O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return complain("", ": can't be written"), false;
  const long written = raw_syscall(__NR_write, fd, file.data(), file.size());
  close(fd);
  if (written == static_cast<long>(file.size()) &&
      raw_syscall(__NR_renameat, state.directory, name, state.directory, state.name) == 0)
    return true;
  raw_syscall(__NR_unlinkat, state.directory, name, 0);
  return complain(state.name, ": can't be written"), false;
}

void put(size_t index, std::span<const uint8_t> file) {
  if (!state.keep) return;
  state.keep = false;
  const Origin& origin = state.objects->origins[index];
  if (file.size() > file_most || !is_allowed(file.size())) return;
  const bool has_file = !state.key.content;
  if (has_file && !is_settled(origin))
    return say(Level::info, path_of(origin), ": changed too lately for its plan to be kept");
  if (state.directory == -ENOENT) make_folder();
  if (state.directory < 0) return;
  if (has_file && !is_whole_file(index))
    return say(Level::info, path_of(origin), ": memory differs from it; its plan is not kept");
  Line name;  // the pid alone may come again in another namespace
  name.text(".").number(raw_syscall(__NR_getpid)).text("-").hex(arch::ticks());
  if (write_file(name.c_str(), file)) complain(state.name, ": written");
}

constexpr PlanStore store{take, put};

}  // namespace

const PlanStore* open_plan_cache(const Objects& objects) {
  state = {};
  state.objects = &objects;
  state.vdso = getauxval(AT_SYSINFO_EHDR);
  state.directory = -ENOENT;
  if (!global.config.caches || getauxval(AT_SECURE) || !choose_folder()) return nullptr;
  open_folder();
  return state.directory < 0 && state.directory != -ENOENT ? nullptr : &store;
}

void close_plan_cache() {
  close(state.directory);
  state.directory = -ENOENT;
  close_mapped_files();
}

}  // namespace sctrace::preload
