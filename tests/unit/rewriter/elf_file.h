// An ELF file laid out as the loader would, at its link-time addresses: real code for the planner.
#pragma once
#include <elf.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "rewriter/object.h"

namespace sctrace::test {

struct ElfFile {
  std::vector<uint8_t> image;
  std::vector<Elf64_Phdr> segments;

  explicit ElfFile(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    const std::vector<char> file{std::istreambuf_iterator<char>(in), {}};
    if (file.size() < sizeof(Elf64_Ehdr)) return;
    Elf64_Ehdr header;
    std::memcpy(&header, file.data(), sizeof header);
    segments.resize(header.e_phnum);
    std::memcpy(segments.data(), file.data() + header.e_phoff,
                segments.size() * sizeof(Elf64_Phdr));
    for (const Elf64_Phdr& s : segments) {
      if (s.p_type != PT_LOAD) continue;
      if (image.size() < s.p_vaddr + s.p_memsz) image.resize(s.p_vaddr + s.p_memsz);
      std::memcpy(image.data() + s.p_vaddr, file.data() + s.p_offset, s.p_filesz);
    }
  }

  rewriter::Bytes part(const Elf64_Phdr& s) const {
    return {std::span(image).subspan(s.p_vaddr, s.p_memsz), s.p_vaddr};
  }
  rewriter::Object object() const {
    rewriter::Object object;
    for (const Elf64_Phdr& s : segments) {
      if (s.p_type == PT_LOAD && s.p_flags & PF_X) object.text = part(s);
      if (s.p_type == PT_GNU_EH_FRAME) object.eh_frame_hdr = part(s);
    }
    object.frames = {std::span(image), 0};
    return object;
  }
};

inline const char libc_path[] = "/lib/x86_64-linux-gnu/libc.so.6";
inline const char loader_path[] = "/lib64/ld-linux-x86-64.so.2";

}  // namespace sctrace::test
