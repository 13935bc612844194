#include "preload/stubs.h"

#include <asm/unistd.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>

#include "arch/x86_64/frame.h"
#include "preload/environment.h"
#include "preload/global.h"
#include "preload/go_table.h"
#include "preload/plan_cache.h"
#include "preload/say.h"

namespace sctrace::preload {
namespace {

using arch::raw_syscall;

// The sites that go by the trap.
constexpr uint32_t left_most = 256;
struct Left {
  rewriter::Site sites[left_most];
  uint32_t count;
};

// For `sctrace info`, and for the indexes that entries hold.
void publish_sites(const Left& left) {
  wire::Image& image = *global.image;
  uint32_t n = 0;
  const uint64_t first = reinterpret_cast<uint64_t>(image.sites) & ~4095ull;
  const uint64_t end = reinterpret_cast<uint64_t>(image.sites + global.stub_count + left.count);
  constexpr int populate_write = 23;  // MADV_POPULATE_WRITE: an errno now, not a SIGBUS below
  if (raw_syscall(__NR_madvise, first, end - first, populate_write) == -EFAULT) return;
  for (uint32_t i = 0; i < global.stub_count; ++i)
    image.sites[n++] = {.address = global.stubs[i].site,
                        .tactic = static_cast<uint8_t>(global.stubs[i].tactic),
                        .refusal = 0,
                        .object = 0,
                        .reserved = 0};
  for (uint32_t i = 0; i < left.count; ++i) {
    if (n == wire::site_max)
      ++image.sites_refused;
    else
      image.sites[n++] = {.address = left.sites[i].address,
                          .tactic = static_cast<uint8_t>(left.sites[i].tactic),
                          .refusal = static_cast<uint8_t>(left.sites[i].refusal),
                          .object = 0,
                          .reserved = 0};
  }
  image.site_count = n;
}

// Is there one thread? A count of links that is not there says no.
bool is_alone() {
  struct stat status {};
  return raw_syscall(__NR_newfstatat, AT_FDCWD, "/proc/self/task", &status, 0) == 0 &&
         status.st_nlink == 3;
}

// Sites that no frame covers: a Go program's get their doors by its own table. They are taken out
// of `left` and into `go`, which is the object as it is to be looked at once more.
bool is_go(const rewriter::Object& object, Left& left, rewriter::Object& go) {
  static uint64_t addresses[left_most];
  const auto is_uncovered = [&](const rewriter::Site& site) {
    return site.refusal == rewriter::Refusal::no_function && object.text.holds(site.address, 2);
  };
  uint32_t taken = 0, kept = 0;
  for (uint32_t i = 0; i < left.count; ++i)
    if (is_uncovered(left.sites[i])) addresses[taken++] = left.sites[i].address;
  if (!taken) return false;
  go = object;
  go.go_table = go_table_at(addresses[0]);
  go.confirmed = {addresses, taken};
  if (go.go_table.bytes.empty()) return false;
  for (uint32_t i = 0; i < left.count; ++i)
    if (!is_uncovered(left.sites[i])) left.sites[kept++] = left.sites[i];
  left.count = kept;
  return true;
}

}  // namespace

void open_stubs(Objects& objects, bool shut) {
  constexpr uint64_t stubs_most = 4 * wire::site_max;  // room for what is loaded later
  constexpr uint64_t table_bytes = stubs_most * sizeof(rewriter::Stub), scratch_bytes = 8 << 20;
  if (global.config.doors == Doors::trap) return;
  const long table = raw_syscall(__NR_mmap, 0, table_bytes, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  const long scratch = raw_syscall(__NR_mmap, 0, scratch_bytes, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (table < 0 || scratch < 0)
    return say(environment.inherited ? Level::info : Level::warn,
               "no memory for stubs; every call goes by the trap");
  // Together: what a kept plan of libc takes; a fault each otherwise.
  raw_syscall(__NR_madvise, scratch, 14 * 4096, 23 /* MADV_POPULATE_WRITE */);
  static Left left;
  rewriter::Region region{reinterpret_cast<uint8_t*>(scratch), scratch_bytes, 0};
  rewriter::Report report;
  auto* const global_table = reinterpret_cast<rewriter::Stub*>(table);
  const bool alone = is_alone();
  global.stubs = global_table;
  drop_cut_objects(objects);
  const auto rewrite = [&](std::span<const rewriter::Object> some,
                           const rewriter::PlanStore* store) {
    return rewriter::rewrite(some, reinterpret_cast<uint64_t>(sctrace_trampoline), region,
                             {global_table, stubs_most}, left.sites, left.count, report, alone,
                             store, shut);
  };
  uint32_t count = rewrite({objects.all, objects.count}, open_plan_cache(objects));
  close_plan_cache();
  for (uint32_t i = 0; i < objects.count; ++i)
    if (rewriter::Object go; is_go(objects.all[i], left, go)) count = rewrite({&go, 1}, nullptr);
  global.stub_count = count < wire::site_max ? count : wire::site_max;
  global.image->sites_refused += count - global.stub_count;
  rewriter::begin_late(wire::site_max);
  publish_sites(left);
  raw_syscall(__NR_munmap, scratch, scratch_bytes);
}

}  // namespace sctrace::preload
