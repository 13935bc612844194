#include "formats/cli/program.h"

#include <elf.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "arch/secure_exec.h"

namespace sctrace::cli {

namespace fs = std::filesystem;

namespace {

int status_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return 127;
  return S_ISREG(status.st_mode) && ::access(path.c_str(), X_OK) == 0 ? 0 : 126;
}

const char* machine_name(unsigned machine) {
  switch (machine) {
    case EM_386: return "32-bit x86";
    case EM_AARCH64: return "AArch64";
    case EM_ARM: return "32-bit ARM";
    case EM_RISCV: return "RISC-V";
    case EM_PPC64: return "POWER";
    case EM_S390: return "S/390";
    default: return "another architecture";
  }
}

// Reads at an offset; false when the file is shorter.
bool read_at(std::ifstream& file, uint64_t offset, void* to, size_t bytes) {
  file.clear();
  return file.seekg(static_cast<std::streamoff>(offset)) &&
         file.read(static_cast<char*>(to), static_cast<std::streamsize>(bytes));
}

struct Elf {
  std::string interpreter;
  bool is_library_loader =
      false;  // ld.so itself: it obeys LD_PRELOAD for the program that it is given
};

// The program headers' PT_INTERP; nothing in a static program.
Elf read_elf(std::ifstream& file, const Elf64_Ehdr& header, const std::string& path) {
  Elf elf;
  elf.is_library_loader = fs::path(path).filename().string().starts_with("ld-linux");
  for (unsigned n = 0; n < std::min<unsigned>(header.e_phnum, 512); ++n) {
    Elf64_Phdr segment{};
    if (!read_at(file, header.e_phoff + n * sizeof segment, &segment, sizeof segment)) break;
    if (segment.p_type != PT_INTERP) continue;
    std::string name(std::min<uint64_t>(segment.p_filesz, 4096), '\0');
    if (read_at(file, segment.p_offset, name.data(), name.size())) elf.interpreter = name.c_str();
  }
  return elf;
}

void examine_elf(std::ifstream& file, const std::string& path, std::vector<Finding>& all) {
  Elf64_Ehdr header{};
  if (!read_at(file, 0, &header, sizeof header))
    return all.push_back({true, path + ": a truncated ELF file"});
  // e_machine lies at the same place in a 32-bit file
  if (header.e_ident[EI_CLASS] == ELFCLASS32 && header.e_machine == EM_X86_64)
    return all.push_back({true, path + ": an x32 program, and the library is x86-64"});
  if (header.e_machine != EM_X86_64)
    return all.push_back({true, fmt::format("{}: made for {}, and the library is x86-64", path,
                                            machine_name(header.e_machine))});
  const Elf elf = read_elf(file, header, path);
  if (elf.is_library_loader) return;
  if (elf.interpreter.empty())
    all.push_back({true, path + ": static: LD_PRELOAD has no effect"});
  else if (elf.interpreter.find("ld-musl") != std::string::npos)
    all.push_back({true, path + ": linked against musl, and the library needs glibc"});
  else if (status_of(elf.interpreter) == 127)
    all.push_back({true, fmt::format("{}: its loader {} does not exist", path, elf.interpreter)});
}

// Of the file that is mapped in the end: what a script says of rights the kernel does not hear.
void examine_rights(const std::string& path, std::vector<Finding>& all) {
  struct stat status {};
  struct statfs system {};
  if (::stat(path.c_str(), &status) != 0 || ::statfs(path.c_str(), &system) != 0) return;
  arch::ExecRights rights{
      .user = ::getuid(),
      .effective_user = ::geteuid(),
      .group = ::getgid(),
      .effective_group = ::getegid(),
      .mode = status.st_mode,
      .file_user = status.st_uid,
      .file_group = status.st_gid,
      .has_capabilities = ::getxattr(path.c_str(), "security.capability", nullptr, 0) > 0,
      .honoured = true};
  const bool gives = arch::gives_rights(rights);
  rights.honoured = !(system.f_flags & ST_NOSUID) && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1;
  const char* const what = status.st_mode & S_ISUID   ? "setuid"
                           : status.st_mode & S_ISGID ? "setgid"
                                                      : "has file capabilities";
  if (arch::is_secure_exec(rights))
    all.push_back({true, gives ? fmt::format("{}: {}: the loader ignores LD_PRELOAD", path, what)
                               : path + ": the user or group in force is not the real one: the "
                                        "loader ignores LD_PRELOAD"});
  else if (gives)
    all.push_back(
        {false, fmt::format("{}: {}, which gives you no right that you have not", path, what)});
}

void examine_file(const std::string& path, unsigned depth, std::vector<Finding>& all) {
  std::ifstream file(path, std::ios::binary);
  char start[256] = {};
  if (!file) {
    examine_rights(path, all);
    return all.push_back(
        {false, path + ": cannot be read, only executed: nothing more can be said"});
  }
  file.read(start, sizeof start - 1);
  if (std::memcmp(start, ELFMAG, SELFMAG) == 0) {
    examine_rights(path, all);
    return examine_elf(file, path, all);
  }
  if (std::memcmp(start, "#!", 2) != 0)
    return all.push_back(
        {false, path + ": neither ELF nor script; shells would read it with /bin/sh"});
  std::istringstream line(std::string(start + 2, std::strcspn(start + 2, "\n")));
  std::string interpreter, argument;
  line >> interpreter >> argument;
  all.push_back({false, fmt::format("{}: a script: {} is what is traced", path, interpreter)});
  if (depth == 0) return all.push_back({true, path + ": too many interpreters of interpreters"});
  if (fs::path(interpreter).filename() == "env" && !argument.empty() && argument[0] != '-') {
    const Found found = find_command(argument);
    if (!found.status) examine_file(found.path, depth - 1, all);
  }
  if (const int status = status_of(interpreter))
    all.push_back({true, fmt::format("{}: {}", interpreter,
                                     status == 127 ? "does not exist" : "is not executable")});
  else
    examine_file(interpreter, depth - 1, all);
}

}  // namespace

Found find_command(const std::string& name) {
  if (name.empty()) return {name, 127};
  if (name.find('/') != std::string::npos) return {name, status_of(name)};
  const char* path = std::getenv("PATH");
  std::istringstream folders(path ? path : "/usr/local/bin:/usr/bin:/bin");
  Found best{name, 127};
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string candidate = (folder.empty() ? "." : folder) + "/" + name;
    const int status = status_of(candidate);
    if (status == 0) return {candidate, 0};
    if (status == 126) best = {candidate, 126};
  }
  return best;
}

std::vector<Finding> examine(const std::string& path) {
  std::vector<Finding> all;
  examine_file(path, 4, all);
  return all;
}

std::string find_library() {
  std::error_code error;
  if (const char* named = std::getenv("SCTRACE_LIBRARY"))
    return fs::absolute(named, error).string();
  const fs::path here = fs::read_symlink("/proc/self/exe", error).parent_path();
  std::vector<fs::path> places{here, here.parent_path() / "lib",
                               here.parent_path() / "lib/x86_64-linux-gnu",
                               here.parent_path() / "lib64", here / SCTRACE_LIBDIR_FROM_BIN};
  for (const fs::path& place : places)
    if (fs::exists(place / "libsctrace.so", error))
      return (place / "libsctrace.so").lexically_normal().string();
  return {};
}

}  // namespace sctrace::cli
