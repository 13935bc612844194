#include "preload/plain_names.h"

#include <asm/unistd.h>
#include <fcntl.h>
#include <sched.h>

#include <atomic>

#include "preload/capture.h"

namespace sctrace::preload {
namespace {

constexpr uint32_t remembered_most = 1024;
struct alignas(64) Names {
  std::atomic<uint64_t> hashes[remembered_most];  // which 0 is none of
  std::atomic<uint64_t> turn;            // part of each: another turn, and none is known any more
  std::atomic<bool> directories_differ;  // of threads; so relative names are not remembered
} remembered;

uint64_t hash_of(const char* text, uint64_t size) {
  constexpr uint64_t odd = 0x9e3779b97f4a7c15;
  uint64_t hash = size * odd ^ remembered.turn.load(std::memory_order_relaxed);
  for (uint64_t at = 0; at < size; at += 8) {
    uint64_t word = 0;
    sctrace_copy(&word, text + at, size - at < 8 ? size - at : 8);
    hash = (hash ^ word) * odd;
    hash ^= hash >> 29;
  }
  return hash ? hash : 1;
}

// One part, and the kernel was told not to follow it: then it is in the directory that it says.
bool is_unfollowed(const Name& name, uint64_t flags) {
  constexpr uint64_t made_new = O_CREAT | O_EXCL;
  if (!(flags & O_NOFOLLOW) && (flags & made_new) != made_new) return false;
  for (uint64_t i = 0; i < name.size; ++i)
    if (name.text[i] == '/') return false;
  return name.text[0] != '.' || (name.size > 1 && name.text[1] != '.');
}

}  // namespace

bool is_to_be_asked(const ThreadState& self, Name& name) {
  const auto& call = self.frame;
  const bool plain = call.nr == __NR_open;
  const uint64_t text = call.args[plain ? 0 : 1];
  name.key = 0;
  const long size =
      sctrace_copy_string(name.text, reinterpret_cast<const char*>(text), sizeof name.text - 1);
  name.size = size > 0 ? static_cast<uint64_t>(size) : 0;
  if (!name.size || call.nr == __NR_openat2) return true;  // its flags are elsewhere
  const bool absolute = name.text[0] == '/';
  if (!absolute && is_unfollowed(name, call.args[plain ? 1 : 2])) return false;
  const bool here = plain || static_cast<int32_t>(call.args[0]) == AT_FDCWD;
  if (!absolute && (!here || self.borrowed_from ||
                    remembered.directories_differ.load(std::memory_order_relaxed)))
    return true;
  name.key = hash_of(name.text, name.size);
  return remembered.hashes[name.key % remembered_most].load(std::memory_order_relaxed) != name.key;
}

bool try_remember(const Name& name, const char* path, uint64_t path_bytes) {
  if (!name.key) return false;
  uint64_t before = 0;  // of the path, that the name does not say: the directory
  if (name.text[0] != '/') {
    char directory[sizeof name.text];
    const long n = arch::raw_syscall(__NR_getcwd, directory, sizeof directory);
    if (n <= 1 || directory[0] != '/') return false;
    directory[n - 1] = '/';  // in place of its nul
    before = n == 2 ? 1 : static_cast<uint64_t>(n);
    if (path_bytes < before || __builtin_memcmp(path, directory, before) != 0) return false;
  }
  if (path_bytes - before != name.size ||
      __builtin_memcmp(path + before, name.text, name.size) != 0)
    return false;
  remembered.hashes[name.key % remembered_most].store(name.key, std::memory_order_relaxed);
  return true;
}

bool moves_names(uint32_t nr) {
  switch (nr) {
    case __NR_chdir:
    case __NR_fchdir:
    case __NR_chroot:
    case __NR_pivot_root:
    case __NR_unshare:
    case __NR_setns:
    case __NR_symlink:
    case __NR_symlinkat:
    case __NR_rename:
    case __NR_renameat:
    case __NR_renameat2:
    case __NR_mount:
    case __NR_umount2:
    case __NR_move_mount: return true;
    default: return false;
  }
}

void forget_names(const arch::Frame& call) {
  if (call.nr == __NR_unshare && call.args[0] & CLONE_FS) remembered.directories_differ = true;
  remembered.turn.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace sctrace::preload
