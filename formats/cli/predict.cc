// What the library would find in a program: its objects mapped as files, planned as at start. No
// code of the program runs; the system's loader is asked which libraries it would load.
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <memory>
#include <sstream>

#include "formats/cli/object_doors.h"
#include "rewriter/plan.h"

namespace sctrace::cli {
namespace {

constexpr char loader[] = "/lib64/ld-linux-x86-64.so.2";

struct MappedFile {
  const uint8_t* bytes = nullptr;
  size_t size = 0;

  explicit MappedFile(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status {};
    if (file >= 0 && ::fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
      void* got =
          ::mmap(nullptr, static_cast<size_t>(status.st_size), PROT_READ, MAP_PRIVATE, file, 0);
      if (got != MAP_FAILED)
        bytes = static_cast<const uint8_t*>(got), size = static_cast<size_t>(status.st_size);
    }
    if (file >= 0) ::close(file);
  }
  ~MappedFile() {
    if (bytes) ::munmap(const_cast<uint8_t*>(bytes), size);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  template <typename T>
  bool read(uint64_t offset, T& to) const {
    if (offset > size || size - offset < sizeof to) return false;
    std::memcpy(&to, bytes + offset, sizeof to);
    return true;
  }
  rewriter::Bytes part(const Elf64_Phdr& segment) const {
    if (segment.p_offset > size || size - segment.p_offset < segment.p_filesz) return {};
    return {{bytes + segment.p_offset, segment.p_filesz}, segment.p_vaddr};
  }
};

ObjectDoors planned(const std::string& path) {
  ObjectDoors doors{.path = path, .sites = {}, .refusals = {}, .calls = {}};
  const MappedFile file(path);
  Elf64_Ehdr header{};
  if (!file.read(0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return doors;
  std::vector<Elf64_Phdr> segments(std::min<unsigned>(header.e_phnum, 64));
  for (size_t n = 0; n < segments.size(); ++n)
    if (!file.read(header.e_phoff + n * sizeof segments[0], segments[n])) return doors;
  rewriter::Object object;
  for (const Elf64_Phdr& s : segments)
    if (s.p_type == PT_GNU_EH_FRAME) object.eh_frame_hdr = file.part(s);
  for (const Elf64_Phdr& s : segments)
    if (s.p_type == PT_LOAD && object.eh_frame_hdr.address - s.p_vaddr < s.p_filesz)
      object.frames = file.part(s);
  constexpr size_t lent = 8 << 20;  // as much as the library has
  const auto memory = std::make_unique<uint8_t[]>(lent);
  for (const Elf64_Phdr& s : segments) {
    if (s.p_type != PT_LOAD || !(s.p_flags & PF_X) || !(s.p_flags & PF_R)) continue;
    object.text = file.part(s);
    rewriter::Region region{memory.get(), lent, 0};
    rewriter::Report report;
    for (const rewriter::Plan& plan : rewriter::plan_object(object, region, report))
      doors.add(plan.site.tactic, plan.site.refusal);
  }
  return doors;
}

// What `ld.so --list` prints: "name => path (address)" or "path (address)".
std::vector<std::string> libraries(const std::string& program) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], 1);
    ::dup2(::open("/dev/null", O_WRONLY), 2);
    ::unsetenv("LD_PRELOAD");
    ::execl(loader, loader, "--list", program.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(ends[1]);
  std::string text;
  char piece[4096];
  for (ssize_t n; (n = ::read(ends[0], piece, sizeof piece)) > 0;)
    text.append(piece, static_cast<size_t>(n));
  ::close(ends[0]);
  if (child > 0) ::waitpid(child, nullptr, 0);
  std::vector<std::string> paths;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const size_t begin = line.find('/'), end = line.rfind(" (");
    if (begin != std::string::npos && end != std::string::npos && begin < end)
      paths.push_back(line.substr(begin, end - begin));
  }
  return paths;
}

}  // namespace

std::vector<ObjectDoors> predicted_doors(const std::string& program) {
  std::vector<ObjectDoors> all;
  std::vector<std::string> paths = libraries(program);
  if (paths.empty()) return all;
  paths.insert(paths.begin(), program);
  for (const std::string& path : paths)
    if (ObjectDoors doors = planned(path); !doors.sites.empty()) all.push_back(std::move(doors));
  return all;
}

}  // namespace sctrace::cli
