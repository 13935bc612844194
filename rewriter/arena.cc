#include "rewriter/arena.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#include "arch/x86_64/frame.h"

namespace sctrace::rewriter {
namespace {

constexpr uint64_t page = 4096;
constexpr uint64_t reach =
    0x7ff0'0000;                      // jmp rel32, less a megabyte for what stubs point at besides
constexpr uint64_t lowest = 0x10000;  // the usual vm.mmap_min_addr
constexpr uint64_t highest = 0x7fff'ffff'0000;

uint64_t page_up(uint64_t value) { return (value + page - 1) & ~(page - 1); }

// At exactly this address, or nothing: kernels before 4.17 take the flag for none and the address
// for a hint.
bool try_map_at(uint64_t address, uint64_t size) {
  const long got = arch::raw_syscall(SYS_mmap, address, size, PROT_READ | PROT_WRITE,
                                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (got == static_cast<long>(address)) return true;
  if (got > 0) arch::raw_syscall(SYS_munmap, got, size);
  return false;
}

// Where the kernel likes, if that is near enough: mostly it is, where libraries lie.
uint64_t map_anywhere_near(uint64_t low, uint64_t high, uint64_t size) {
  const long got = arch::raw_syscall(SYS_mmap, 0, size, PROT_READ | PROT_WRITE,
                                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (got <= 0) return 0;
  const auto address = static_cast<uint64_t>(got);
  if (Arena{address, size}.reaches(low, high)) return address;
  arch::raw_syscall(SYS_munmap, got, size);
  return 0;
}

bool is_written(long file, uint64_t begin, uint64_t size) {
  for (uint64_t done = 0; done < size;) {
    const long n = arch::raw_syscall(SYS_pwrite64, file, begin + done, size - done, done);
    if (n <= 0) return false;
    done += static_cast<uint64_t>(n);
  }
  return true;
}

// Where memory that was ever writable may not become executable (PR_SET_MDWE, a service manager's
// MemoryDenyWriteExecute): the same bytes once more, as a private mapping of a nameless file.
bool try_seal_by_file(const Arena& arena) {
  constexpr unsigned executable = 0x10;  // MFD_EXEC, Linux 6.3
  long file = arch::raw_syscall(SYS_memfd_create, "sctrace stubs", MFD_CLOEXEC | executable);
  if (file < 0) file = arch::raw_syscall(SYS_memfd_create, "sctrace stubs", MFD_CLOEXEC);
  if (file < 0) return false;
  const bool works =
      is_written(file, arena.begin, arena.size) &&
      arch::raw_syscall(SYS_mmap, arena.begin, arena.size, PROT_READ | PROT_EXEC,
                        MAP_PRIVATE | MAP_FIXED, file, 0) == static_cast<long>(arena.begin);
  arch::raw_syscall(SYS_close, file);
  return works;
}

}  // namespace

bool Arena::reaches(uint64_t low, uint64_t high) const {
  const uint64_t first = begin < low ? begin : low;
  const uint64_t last = begin + size > high ? begin + size : high;
  return last - first <= reach;
}

Arena map_near(uint64_t low, uint64_t high, uint64_t size) {
  size = page_up(size);
  low &= ~(page - 1);
  high = page_up(high);
  if (high - low > reach) return {};
  if (const uint64_t address = map_anywhere_near(low, high, size)) return {address, size};
  const auto fits = [&](uint64_t address) {
    return address >= lowest && address < highest && Arena{address, size}.reaches(low, high) &&
           try_map_at(address, size);
  };
  for (uint64_t step = page; step <= reach; step *= 2)  // dense surroundings are left fast
    if (low > size + step && fits(low - size - step)) return {low - size - step, size};
  for (uint64_t step = 0; step <= reach; step += 16 << 20)
    if (low > size + step && fits(low - size - step)) return {low - size - step, size};
  for (uint64_t step = reach & ~(page - 1); step > 16 << 20;
       step -= 16 << 20)  // far from a heap's end first
    if (fits(high + step)) return {high + step, size};
  return {};
}

bool try_seal(Arena& arena, uint64_t used) {
  used = page_up(used);
  if (used < arena.size) arch::raw_syscall(SYS_munmap, arena.begin + used, arena.size - used);
  arena.size = used < arena.size ? used : arena.size;
  if (!arena.size) return false;
  if (arch::raw_syscall(SYS_mprotect, arena.begin, arena.size, PROT_READ | PROT_EXEC) < 0)
    return try_seal_by_file(arena);
  // A kernel without names for anonymous memory refuses: it is only for people who read the maps.
  constexpr int set_vma = 0x53564d41, anon_name = 0;  // Linux 5.17
  arch::raw_syscall(SYS_prctl, set_vma, anon_name, arena.begin, arena.size, "sctrace stubs");
  return true;
}

void unmap(Arena& arena) {
  if (arena.size) arch::raw_syscall(SYS_munmap, arena.begin, arena.size);
  arena = {};
}

}  // namespace sctrace::rewriter
