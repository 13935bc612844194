#include "preload/objects.h"

#include <asm/unistd.h>
#include <link.h>
#include <unistd.h>

#include "arch/x86_64/frame.h"
#include "preload/environment.h"
#include "preload/global.h"
#include "preload/say.h"

namespace sctrace::preload {
namespace {

struct Segment {
  uint64_t begin, end;
  bool has(uint64_t address) const { return address >= begin && address < end; }
};

Segment segment(const dl_phdr_info& info, const ElfW(Phdr) & header) {
  const uint64_t begin = info.dlpi_addr + header.p_vaddr;
  return {begin, begin + header.p_memsz};
}

// The loaded segment that holds an address, as bytes.
rewriter::Bytes bytes_around(const dl_phdr_info& info, uint64_t address) {
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    const auto& header = info.dlpi_phdr[i];
    if (header.p_type != PT_LOAD || !(header.p_flags & PF_R)) continue;
    const Segment s = segment(info, header);
    if (s.has(address))
      return {{reinterpret_cast<const uint8_t*>(s.begin), header.p_filesz}, s.begin};
  }
  return {};
}

void list(Objects& objects, const dl_phdr_info& info) {
  Line line;
  line.hex(info.dlpi_addr)
      .text(" ")
      .text(*info.dlpi_name ? info.dlpi_name : global.image->program)
      .text("\n");
  if (objects.list_used + line.size() >= objects.list_bytes) return;
  __builtin_memcpy(objects.list + objects.list_used, line.c_str(), line.size());
  objects.list_used += line.size();
}

// Our own path, absolute: what an exec puts into LD_PRELOAD.
void remember_library(const char* name) {
  Line line;
  char cwd[900];
  if (*name != '/' && arch::raw_syscall(__NR_getcwd, cwd, sizeof cwd) > 0) line.text(cwd).text("/");
  line.text(name);
  if (line.size() < sizeof environment.library)
    __builtin_memcpy(environment.library, line.c_str(), line.size() + 1);
}

int look_at(dl_phdr_info* info, size_t, void* data) {
  auto& objects = *static_cast<Objects*>(data);
  list(objects, *info);
  rewriter::Bytes hdr, frames;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    if (header.p_type != PT_GNU_EH_FRAME) continue;
    const Segment s = segment(*info, header);
    hdr = {{reinterpret_cast<const uint8_t*>(s.begin), header.p_memsz}, s.begin};
    frames = bytes_around(*info, s.begin);
  }
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    if (header.p_type != PT_LOAD || !(header.p_flags & PF_X)) continue;
    const Segment s = segment(*info, header);
    if (s.has(reinterpret_cast<uint64_t>(sctrace_trampoline))) {
      global.guest_begin = s.begin, global.guest_end = s.end;
      remember_library(info->dlpi_name);
      return 0;
    }
    if (info->dlpi_addr == _r_debug.r_ldbase)
      global.loader_begin = s.begin, global.loader_end = s.end;
    if (s.has(reinterpret_cast<uint64_t>(&getppid)))
      global.libc_begin = s.begin, global.libc_end = s.end;
    if (!(header.p_flags & PF_R) || objects.count == sizeof objects.all / sizeof objects.all[0])
      continue;
    objects.all[objects.count++] = {
        .text = {{reinterpret_cast<const uint8_t*>(s.begin), header.p_filesz}, s.begin},
        .eh_frame_hdr = hdr,
        .frames = frames,
        .protection = (header.p_flags & PF_W ? 2 : 0) | 5};
  }
  return 0;
}

}  // namespace

void find_objects(Objects& objects) { dl_iterate_phdr(look_at, &objects); }

}  // namespace sctrace::preload
