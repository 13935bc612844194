#include "preload/go_table.h"

#include <asm/unistd.h>
#include <fcntl.h>
#include <link.h>

#include "arch/x86_64/frame.h"
#include "preload/objects.h"

namespace sctrace::preload {
namespace {

using arch::raw_syscall;

struct Wanted {
  uint64_t address;
  rewriter::Bytes table;
};

bool is_read(long file, void* to, uint64_t bytes, uint64_t offset) {
  return raw_syscall(__NR_pread64, file, to, bytes, offset) == static_cast<long>(bytes);
}

// ".gopclntab", or ".data.rel.ro.gopclntab" in a position-independent program.
bool ends_as_the_table(const char* name, uint64_t size) {
  const char* want = ".gopclntab";
  uint64_t length = 0;
  while (length < size && name[length]) ++length;
  if (length < 10) return false;
  for (name += length - 10; *want; ++want, ++name)
    if (*name != *want) return false;
  return true;
}

// Its address as linked and its size; 0 and 0 when there is none.
ElfW(Shdr) section_of(long file) {
  constexpr unsigned most = 64, names_most = 2048;
  ElfW(Ehdr) header;
  ElfW(Shdr) sections[most], names{};
  char text[names_most];
  if (!is_read(file, &header, sizeof header, 0) || header.e_shnum == 0 || header.e_shnum > most ||
      header.e_shentsize != sizeof sections[0] || header.e_shstrndx >= header.e_shnum ||
      !is_read(file, sections, header.e_shnum * sizeof sections[0], header.e_shoff))
    return {};
  names = sections[header.e_shstrndx];
  if (names.sh_size > names_most || !is_read(file, text, names.sh_size, names.sh_offset)) return {};
  for (unsigned n = 0; n < header.e_shnum; ++n) {
    const ElfW(Word) at = sections[n].sh_name;
    if (at < names.sh_size && ends_as_the_table(text + at, names.sh_size - at)) return sections[n];
  }
  return {};
}

int look_at(dl_phdr_info* info, size_t, void* data) {
  auto& wanted = *static_cast<Wanted*>(data);
  const auto holds = [&](const ElfW(Phdr) & segment, uint64_t address, uint64_t size) {
    const uint64_t offset = address - (info->dlpi_addr + segment.p_vaddr);
    return segment.p_type == PT_LOAD && offset <= segment.p_filesz &&
           size <= segment.p_filesz - offset;
  };
  bool here = false;
  for (int i = 0; i < info->dlpi_phnum; ++i) here |= holds(info->dlpi_phdr[i], wanted.address, 2);
  if (!here) return 0;
  const char* path = *info->dlpi_name ? info->dlpi_name : "/proc/self/exe";
  const long file = raw_syscall(__NR_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 1;
  const ElfW(Shdr) section = section_of(file);
  raw_syscall(__NR_close, file);
  const uint64_t begin = info->dlpi_addr + section.sh_addr;
  for (int i = 0; i < info->dlpi_phnum && section.sh_size; ++i)
    if (holds(info->dlpi_phdr[i], begin, section.sh_size) && info->dlpi_phdr[i].p_flags & PF_R)
      wanted.table = {{reinterpret_cast<const uint8_t*>(begin), section.sh_size}, begin};
  return 1;
}

}  // namespace

rewriter::Bytes go_table_at(uint64_t address) {
  Wanted wanted{address, {}};
  each_object(look_at, &wanted);
  return wanted.table;
}

}  // namespace sctrace::preload
