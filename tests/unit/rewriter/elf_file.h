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
  uint64_t go_address = 0, go_bytes = 0;  // .gopclntab

  explicit ElfFile(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    const std::vector<char> file{std::istreambuf_iterator<char>(in), {}};
    if (file.size() < sizeof(Elf64_Ehdr)) return;
    Elf64_Ehdr header;
    std::memcpy(&header, file.data(), sizeof header);
    segments.resize(header.e_phnum);
    std::memcpy(segments.data(), file.data() + header.e_phoff,
                segments.size() * sizeof(Elf64_Phdr));
    find_go_table(file, header);
    for (const Elf64_Phdr& s : segments) {
      if (s.p_type != PT_LOAD) continue;
      if (image.size() < s.p_vaddr + s.p_memsz) image.resize(s.p_vaddr + s.p_memsz);
      std::memcpy(image.data() + s.p_vaddr, file.data() + s.p_offset, s.p_filesz);
    }
  }

  void find_go_table(const std::vector<char>& file, const Elf64_Ehdr& header) {
    const auto section = [&](unsigned n) {
      Elf64_Shdr s{};
      if (header.e_shoff + (n + 1) * sizeof s <= file.size())
        std::memcpy(&s, file.data() + header.e_shoff + n * sizeof s, sizeof s);
      return s;
    };
    const Elf64_Shdr names = section(header.e_shstrndx);
    for (unsigned n = 0; n < header.e_shnum; ++n) {
      const Elf64_Shdr s = section(n);
      const uint64_t name = names.sh_offset + s.sh_name;
      if (name < file.size() && std::string(file.data() + name).ends_with(".gopclntab"))
        go_address = s.sh_addr, go_bytes = s.sh_size;
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
  // With the table of a Go program in place of the frames, if it has one.
  rewriter::Object go_object() const {
    rewriter::Object go = object();
    if (go_bytes) go.go_table = {std::span(image).subspan(go_address, go_bytes), go_address};
    return go;
  }
};

inline const char libc_path[] = "/lib/x86_64-linux-gnu/libc.so.6";
inline const char loader_path[] = "/lib64/ld-linux-x86-64.so.2";

}  // namespace sctrace::test
