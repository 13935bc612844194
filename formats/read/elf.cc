#include "formats/read/elf.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace sctrace::read {

namespace {

constexpr uint64_t page = 4096;
constexpr size_t most_headers = 256, most_notes = 1 << 16;

class Bytes {
 public:
  explicit Bytes(const std::string& path) {
    fd_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat is {};
    if (fd_ >= 0 && (fstat(fd_, &is) != 0 || !S_ISREG(is.st_mode))) close(fd_), fd_ = -1;
  }
  ~Bytes() {
    if (fd_ >= 0) close(fd_);
  }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  bool read(uint64_t at, void* to, size_t n) const {
    return fd_ >= 0 && at < uint64_t{1} << 62 &&
           pread(fd_, to, n, static_cast<off_t>(at)) == static_cast<ssize_t>(n);
  }

 private:
  int fd_;
};

std::string build_id_in(const std::string& notes) {
  for (size_t at = 0; at + sizeof(Elf64_Nhdr) <= notes.size();) {
    Elf64_Nhdr note;
    std::memcpy(&note, notes.data() + at, sizeof note);
    const size_t name = at + sizeof note, description = name + (size_t{note.n_namesz} + 3) / 4 * 4;
    if (description + note.n_descsz > notes.size()) return {};
    if (note.n_type == NT_GNU_BUILD_ID && notes.compare(name, 4, std::string("GNU\0", 4)) == 0)
      return notes.substr(description, std::min<size_t>(note.n_descsz, 20));
    at = description + (size_t{note.n_descsz} + 3) / 4 * 4;
  }
  return {};
}

}  // namespace

ElfFacts elf_facts(const std::string& path) {
  ElfFacts facts;
  const Bytes file(path);
  Elf64_Ehdr head;
  if (!file.read(0, &head, sizeof head) || std::memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
      head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_phentsize != sizeof(Elf64_Phdr))
    return facts;
  for (size_t n = 0; n < std::min<size_t>(head.e_phnum, most_headers); ++n) {
    Elf64_Phdr part;
    if (!file.read(head.e_phoff + n * sizeof part, &part, sizeof part)) break;
    if (part.p_type == PT_LOAD) {
      if (part.p_flags & PF_X && part.p_filesz && part.p_filesz < uint64_t{1} << 40)
        facts.code.push_back({part.p_vaddr / page * page,
                              (part.p_vaddr % page + part.p_filesz + page - 1) / page * page,
                              part.p_offset / page * page});
    } else if (part.p_type == PT_NOTE && facts.build_id.empty() && part.p_filesz < most_notes) {
      std::string notes(part.p_filesz, '\0');
      if (file.read(part.p_offset, notes.data(), notes.size())) facts.build_id = build_id_in(notes);
    }
  }
  return facts;
}

}  // namespace sctrace::read
