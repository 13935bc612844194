#include "preload/mappings.h"

#include <asm/unistd.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "arch/x86_64/aside.h"
#include "preload/capture.h"
#include "preload/files.h"
#include "preload/frame_rules.h"
#include "preload/global.h"
#include "preload/listed.h"
#include "preload/special.h"

namespace sctrace::preload {
namespace {

using arch::raw_syscall;
using rewriter::Running;

constexpr uint64_t page = 4096, scratch_bytes = 8 << 20;
constexpr int map_fixed_noreplace = 0x100000;

std::atomic<uint32_t> busy;

class Lock {
 public:
  // Waits for a holder that is at work, but not for one that was killed between two instructions.
  explicit Lock(int tries) : mine_(try_lock_text(tries)) {}
  ~Lock() {
    if (mine_) unlock_text();
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  bool is_mine() const { return mine_; }

 private:
  bool mine_;
};
constexpr int patience = 2'000'000;  // some 50 ms: no call that a filter could forbid

struct Range {
  uint64_t begin, end;
  explicit operator bool() const { return begin < end; }
};

Range range(uint64_t begin, uint64_t bytes) {
  const uint64_t length = (bytes + page - 1) & ~(page - 1);
  return {begin, begin + length < begin ? ~0ull : begin + length};
}

// What a call does to text that lies in its way.
enum class Fate { none, replaced, moved, writable, discarded };

struct Change {
  Fate fate = Fate::none;
  Range old{}, target{};  // target: what else is replaced
};

Change change_of(uint32_t nr, const uint64_t* a) {
  switch (nr) {
    case __NR_munmap: return {Fate::replaced, range(a[0], a[1])};
    case __NR_mmap:
      if (a[3] & MAP_FIXED && !(a[3] & map_fixed_noreplace))
        return {Fate::replaced, range(a[0], a[1])};
      return {};
    case __NR_mremap:
      return {Fate::moved, range(a[0], a[1]),
              a[3] & MREMAP_FIXED ? range(a[4], a[2]) : Range{0, 0}};
    case __NR_mprotect:
    case __NR_pkey_mprotect:
      if (a[2] & PROT_WRITE) return {Fate::writable, range(a[0], a[1])};
      return {};
    case __NR_madvise:
      if (a[2] == MADV_DONTNEED || a[2] == MADV_REMOVE || a[2] == 24 /* MADV_DONTNEED_LOCKED */)
        return {Fate::discarded, range(a[0], a[1])};
      return {};
    default: return {};
  }
}

bool has_text(const Change& change) {
  return (change.old && rewriter::has_text_in(change.old.begin, change.old.end)) ||
         (change.target && rewriter::has_text_in(change.target.begin, change.target.end));
}

// Before it goes: what is looked up from here on finds nothing. That the call may fail is a pity.
void forget_changed(const Change& change) {
  if (change.fate != Fate::replaced && change.fate != Fate::moved) return;
  if (change.old) forget_frames(change.old.begin, change.old.end);
  if (change.target) forget_frames(change.target.begin, change.target.end);
}

// Other threads, and children that share our memory, may be anywhere.
Running running_now() { return is_alone() ? Running::nobody : Running::anybody; }

// What the loader just mapped, as the rewriter is to see it.
struct Loaded {
  rewriter::Object object;
  uint64_t base = 0, bytes = 0;  // from there to the end of its last segment
  BuildId build_id{};
};

void read_notes(const FreshText& fresh, const Elf64_Phdr& segment, Loaded& loaded) {
  uint8_t notes[512];
  if (loaded.build_id.size || segment.p_filesz > sizeof notes) return;
  const auto bytes = static_cast<long>(segment.p_filesz);
  if (raw_syscall(__NR_pread64, fresh.fd, notes, bytes, segment.p_offset) == bytes)
    loaded.build_id = build_id_in({{notes, segment.p_filesz}, 0x1000});
}

// Reads the headers from the file: where they are mapped is not known.
bool describe(const FreshText& fresh, Loaded& loaded) {
  Elf64_Ehdr header;
  Elf64_Phdr segments[24];
  if (raw_syscall(__NR_pread64, fresh.fd, &header, sizeof header, 0) != sizeof header) return false;
  constexpr uint8_t magic[] = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB};
  for (unsigned i = 0; i < sizeof magic; ++i)
    if (header.e_ident[i] != magic[i]) return false;
  const unsigned count = header.e_phnum < 24 ? header.e_phnum : 24;
  const long bytes = static_cast<long>(count * sizeof segments[0]);
  if (header.e_phentsize != sizeof segments[0] || header.e_machine != EM_X86_64 ||
      raw_syscall(__NR_pread64, fresh.fd, segments, bytes, header.e_phoff) != bytes)
    return false;
  const Elf64_Phdr *text = nullptr, *hdr = nullptr, *frames = nullptr;
  for (unsigned i = 0; i < count; ++i) {
    const Elf64_Phdr& s = segments[i];
    if (s.p_type == PT_GNU_EH_FRAME) hdr = &s;
    if (s.p_type == PT_NOTE) read_notes(fresh, s, loaded);
    if (s.p_type == PT_LOAD && s.p_vaddr + s.p_memsz > loaded.bytes)
      loaded.bytes = s.p_vaddr + s.p_memsz;
    if (s.p_type == PT_LOAD && s.p_flags & PF_X && (s.p_offset & ~(page - 1)) == fresh.offset)
      text = &s;
  }
  if (!text || !hdr || text->p_filesz > fresh.bytes + page) return false;
  for (unsigned i = 0; i < count; ++i)
    if (const Elf64_Phdr& s = segments[i];
        s.p_type == PT_LOAD && s.p_flags & PF_R && hdr->p_vaddr - s.p_vaddr < s.p_filesz)
      frames = &s;
  if (!frames) return false;
  loaded.base = fresh.begin - (text->p_vaddr & ~(page - 1));
  const auto bytes_at = [&](uint64_t address, uint64_t size) {
    return rewriter::Bytes{{reinterpret_cast<const uint8_t*>(loaded.base + address), size},
                           loaded.base + address};
  };
  loaded.object.text = bytes_at(text->p_vaddr, text->p_filesz);
  loaded.object.eh_frame_hdr = bytes_at(hdr->p_vaddr, hdr->p_memsz);
  loaded.object.frames = bytes_at(frames->p_vaddr, frames->p_filesz);
  loaded.object.protection = PROT_READ | PROT_EXEC | (text->p_flags & PF_W ? PROT_WRITE : 0);
  return true;
}

void list(const Loaded& loaded, int32_t fd) {
  char path[512];
  const long n = link_of(fd, path, sizeof path - 1);
  if (n <= 0) return;
  list_object({.base = loaded.base,
               .path = path,
               .path_bytes = static_cast<size_t>(n),
               .bytes = loaded.bytes,
               .build_id = loaded.build_id,
               .again = true});
}

bool is_listed(const wire::Image& image, const wire::Site& site) {
  for (uint32_t i = 0; i < image.site_count && i < wire::site_max; ++i)
    if (image.sites[i].address == site.address && image.sites[i].tactic == site.tactic) return true;
  return false;
}

// For `sctrace info`. A library that comes and goes at the same place is there once.
void publish_sites(std::span<const rewriter::Plan> plans) {
  wire::Image& image = *global.image;
  for (const rewriter::Plan& plan : plans) {
    const wire::Site site{.address = plan.site.address,
                          .tactic = static_cast<uint8_t>(plan.site.tactic),
                          .refusal = static_cast<uint8_t>(plan.site.refusal),
                          .object = 0,
                          .reserved = 0};
    if (is_listed(image, site)) continue;
    const uint32_t count = image.site_count;
    if (count >= wire::site_max) {
      ++image.sites_refused;
    } else {
      image.sites[count] = site;
      __atomic_store_n(&image.site_count, count + 1, __ATOMIC_RELEASE);
    }
  }
}

// The rewriter's work on one object, as it is called aside.
struct Work {
  rewriter::Late late;
  rewriter::Object object;
  rewriter::Region scratch;
  rewriter::Report report;
  bool prepared;
};

void prepare(void* what) {
  Work& work = *static_cast<Work*>(what);
  work.prepared =
      rewriter::try_prepare(work.late, work.object, reinterpret_cast<uint64_t>(sctrace_trampoline),
                            work.scratch, work.report);
}

void look_at_text(ThreadState& self, const FreshText& fresh, const Loaded& loaded, bool patches) {
  const long scratch = raw_syscall(__NR_mmap, 0, scratch_bytes, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (scratch < 0) return;
  auto& work = *reinterpret_cast<Work*>(scratch);  // all zero is empty
  work.object = loaded.object;
  work.scratch = {reinterpret_cast<uint8_t*>(scratch) + page, scratch_bytes - page, 0};
  static_assert(sizeof(Work) <= page);
  rewriter::forget(fresh.begin, fresh.begin + fresh.bytes);
  const bool faulted = sctrace_aside(prepare, &work, &self.escape);
  if (faulted || !work.prepared)
    rewriter::abandon(work.late);
  else if (patches)
    rewriter::commit(work.late, Running::nobody);
  else
    rewriter::admit(work.late);
  if (!faulted && !work.late.plans.empty()) publish_sites(work.late.plans);
  raw_syscall(__NR_munmap, scratch, scratch_bytes);
}

void undo(const Change& change) {
  const Running running = running_now();
  rewriter::undo(change.old.begin, change.old.end, running);
}

bool is_loader(uint64_t site) { return site >= global.loader_begin && site < global.loader_end; }

// close is looked at while somebody has text that is not patched yet, and not before.
void look_at_close(bool look) {
  uint8_t& what = global.facts[__NR_close].what;
  what = static_cast<uint8_t>(look ? what | is_special : what & ~is_special);
}

}  // namespace

void mapping_enter(ThreadState& self, uint32_t nr) {
  const uint64_t* args = self.frame.args;
  const Change change = change_of(nr, args);
  if (global.knows_frames) forget_changed(change);
  const bool text = change.fate != Fate::none && has_text(change);
  const bool fresh = nr == __NR_mmap && args[2] & PROT_EXEC && !(args[3] & MAP_ANONYMOUS) &&
                     is_loader(site_of(self));
  if (!text && !fresh) return;
  self.in_flight.after = After::mapping;
  self.text_births = rewriter::births();
  if (!text || change.fate == Fate::replaced) return;
  SpecialWork work(self);
  if (!may(self, own_others)) return;
  const Lock lock(patience);
  undo(change);
}

void mapping_leave(ThreadState& self) {
  const uint64_t* args = self.frame.args;
  const auto nr = static_cast<uint32_t>(self.frame.nr);
  const Change change = change_of(nr, args);
  const bool done = self.frame.result >= 0 || self.frame.result < -4095;
  if (done && nr == __NR_mmap && args[2] & PROT_EXEC && !(args[3] & MAP_ANONYMOUS) &&
      is_loader(site_of(self))) {
    self.fresh = {.begin = static_cast<uint64_t>(self.frame.result),
                  .bytes = args[1],
                  .offset = args[5],
                  .fd = static_cast<int32_t>(args[4])};
    look_at_close(true);
  }
  if (change.fate == Fate::none || !has_text(change)) return;
  SpecialWork work(self);
  const Lock lock(patience);
  const bool stays = change.fate == Fate::discarded || !done;
  if (!stays) {
    rewriter::forget(change.old.begin, change.old.end, self.text_births);
    rewriter::forget(change.target.begin, change.target.end, self.text_births);
  } else if (change.fate != Fate::replaced && may(self, own_others)) {
    rewriter::redo(change.old.begin, change.old.end, running_now());
  }
}

namespace {

// What it writes, and what a site that we have changed reaches on either side.
Range written(uint64_t begin, uint64_t bytes) {
  constexpr uint64_t reach = 32;
  return {begin < reach ? 0 : begin - reach, begin + bytes + reach};
}

}  // namespace

void writing_text(ThreadState& self, uint64_t begin, uint64_t bytes) {
  const Range text = written(begin, bytes);
  if (!rewriter::has_text_in(text.begin, text.end)) return;
  self.text_births = rewriter::births();
  const Lock lock(patience);
  rewriter::undo(text.begin, text.end, running_now());
}

void wrote_text(const ThreadState& self, uint64_t begin, uint64_t bytes, bool done) {
  const Range text = written(begin, bytes);
  if (!rewriter::has_text_in(text.begin, text.end)) return;
  const Lock lock(patience);
  if (done)
    rewriter::forget(text.begin, text.end, self.text_births);
  else
    rewriter::redo(text.begin, text.end, running_now());
}

void closing_file(ThreadState& self) {
  const FreshText fresh = self.fresh;
  if (!fresh.bytes || fresh.fd != static_cast<int32_t>(self.frame.args[0])) return;
  self.fresh.bytes = 0;
  look_at_close(false);
  const bool stacks = global.knows_frames;
  if (!(global.stubs || stacks) || !self.process->follow) return;
  // Asked here and not at start: in a virtual machine each cpuid is 20 us.
  const bool patches = global.stubs && arch::has_xsave();
  if (!patches && !stacks) return;
  SpecialWork work(self);
  const Lock lock(0);
  Loaded loaded;
  if (!lock.is_mine() || !may(self, own_others) || !describe(fresh, loaded)) return;
  if (stacks) know_frames(loaded.object);
  list(loaded, fresh.fd);
  if (patches) look_at_text(self, fresh, loaded, true);
}

bool try_lock_text(int tries) {
  for (; busy.exchange(1, std::memory_order_acquire); __builtin_ia32_pause())
    if (tries-- == 0) return false;
  return true;
}

void unlock_text() { busy.store(0, std::memory_order_release); }

bool is_alone() {
  struct stat status {};
  return raw_syscall(__NR_newfstatat, AT_FDCWD, "/proc/self/task", &status, 0) == 0 &&
         status.st_nlink == 3;
}

namespace {

// Work on a text that is mapped, with what its file says of it.
template <typename Act>
void with_text(uint64_t begin, uint64_t bytes, uint64_t offset, const char* path, Act act) {
  const long fd = raw_syscall(__NR_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return;
  const FreshText text{begin, bytes, offset, static_cast<int32_t>(fd)};
  Loaded loaded;
  if (describe(text, loaded)) act(text, loaded);
  raw_syscall(__NR_close, fd);
}

}  // namespace

void know_text(ThreadState& self, uint64_t begin, uint64_t bytes, uint64_t offset,
               const char* path) {
  with_text(begin, bytes, offset, path, [&](const FreshText& text, const Loaded& loaded) {
    if (global.knows_frames) know_frames(loaded.object);
    list(loaded, text.fd);
    look_at_text(self, text, loaded, false);
  });
}

void know_frames_of(uint64_t begin, uint64_t bytes, uint64_t offset, const char* path) {
  with_text(begin, bytes, offset, path, [](const FreshText& text, const Loaded& loaded) {
    know_frames(loaded.object);
    list(loaded, text.fd);
  });
}

void text_after_fork() { busy.store(0, std::memory_order_relaxed); }

}  // namespace sctrace::preload
