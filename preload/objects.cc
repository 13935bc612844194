#include "preload/objects.h"

#include <asm/unistd.h>
#include <link.h>

#include "arch/x86_64/frame.h"
#include "preload/capture.h"
#include "preload/environment.h"
#include "preload/global.h"
#include "preload/link_map.h"
#include "preload/say.h"

namespace sctrace::preload {

decltype(&dl_iterate_phdr) each_object = dl_iterate_phdr;

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

// A header's bytes, if they were loaded at all.
rewriter::Bytes loaded(const dl_phdr_info& info, const ElfW(Phdr) & header) {
  const Segment s = segment(info, header);
  const rewriter::Bytes around = bytes_around(info, s.begin);
  return {around.part(s.begin, header.p_memsz), s.begin};
}

// A file that was cut ends somewhere, and all behind is gone: what lies last in it tells for all.
Origin origin_of(const dl_phdr_info& info, uint64_t frames) {
  Origin origin{};
  origin.path = info.dlpi_name;
  uint64_t last_offset = 0;
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    const auto& header = info.dlpi_phdr[i];
    if (header.p_type == PT_LOAD && segment(info, header).has(frames))
      origin.frames_offset = header.p_offset;
    if (header.p_type == PT_LOAD && header.p_flags & PF_R && !(header.p_flags & PF_W) &&
        header.p_filesz && header.p_offset + header.p_filesz > last_offset) {
      last_offset = header.p_offset + header.p_filesz;
      origin.last_byte = segment(info, header).begin + header.p_filesz - 1;
    }
    if (header.p_type == PT_NOTE && !origin.build_id.size)
      origin.build_id = build_id_in(loaded(info, header));
  }
  return origin;
}

void list(const dl_phdr_info& info, const BuildId& build_id) {
  const char* path = *info.dlpi_name ? info.dlpi_name : global.image_program;
  uint64_t end = 0;
  for (int i = 0; i < info.dlpi_phnum; ++i)
    if (const auto& header = info.dlpi_phdr[i]; header.p_type == PT_LOAD)
      if (header.p_vaddr + header.p_memsz > end) end = header.p_vaddr + header.p_memsz;
  list_object({.base = info.dlpi_addr,
               .path = path,
               .path_bytes = strlen(path),
               .bytes = end,
               .build_id = build_id});
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
  rewriter::Bytes hdr, frames;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    if (header.p_type != PT_GNU_EH_FRAME) continue;
    hdr = loaded(*info, header);
    frames = bytes_around(*info, hdr.address);
  }
  Origin origin = origin_of(*info, frames.address);
  list(*info, origin.build_id);
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    if (header.p_type != PT_LOAD || !(header.p_flags & PF_X)) continue;
    const Segment s = segment(*info, header);
    if (s.has(reinterpret_cast<uint64_t>(sctrace_trampoline))) {
      global.guest_begin = s.begin, global.guest_end = s.end;
      remember_library(info->dlpi_name);
      objects.own_build_id = origin.build_id;
      return 0;
    }
    if (info->dlpi_addr == objects.loader) global.loader_begin = s.begin, global.loader_end = s.end;
    if (s.has(objects.libc)) global.libc_begin = s.begin, global.libc_end = s.end;
    if (!(header.p_flags & PF_R) || objects.count == sizeof objects.all / sizeof objects.all[0])
      continue;
    origin.text_offset = header.p_offset;
    objects.origins[objects.count] = origin;
    objects.all[objects.count++] = {
        .text = {{reinterpret_cast<const uint8_t*>(s.begin), header.p_filesz}, s.begin},
        .eh_frame_hdr = hdr,
        .frames = frames,
        .protection = (header.p_flags & PF_W ? 2 : 0) | 5};
  }
  return 0;
}

}  // namespace

void drop_cut_objects(Objects& objects) {
  uint32_t kept = 0;
  const char* said = nullptr;  // once a file, whatever it has of segments
  for (uint32_t i = 0; i < objects.count; ++i) {
    const Origin& origin = objects.origins[i];
    uint8_t last;
    if (!read_app(&last, origin.last_byte, 1)) {
      if (said != origin.path)
        say(environment.inherited ? Level::info : Level::warn,
            *origin.path ? origin.path : global.image_program,
            ": shorter than what is mapped of it; left to the trap");
      said = origin.path;
      continue;
    }
    objects.all[kept] = objects.all[i];
    objects.origins[kept++] = origin;
  }
  objects.count = kept;
}

void find_objects(Objects& objects) {
  link_map* list = objects.loaded;
  if (const uint64_t own = in_libc(list, "dl_iterate_phdr"))
    each_object = reinterpret_cast<decltype(&dl_iterate_phdr)>(own);
  objects.libc = in_libc(list, "getppid");
  each_object(look_at, &objects);
  go_last(list);
}

}  // namespace sctrace::preload
