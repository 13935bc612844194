// exec: the new program must find our library and our settings, and see neither: what is added to
// its environment here, start.cc takes out again (environment.h) before its first own instruction.
#include <asm/unistd.h>
#include <elf.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <cerrno>

#include "arch/secure_exec.h"
#include "preload/capture.h"
#include "preload/dispositions.h"
#include "preload/environment.h"
#include "preload/global.h"
#include "preload/live.h"
#include "preload/process.h"
#include "preload/special.h"
#include "preload/step_aside.h"

namespace sctrace::preload {
namespace {

using arch::raw_syscall;
using arch::Route;

constexpr uint64_t strings_most =
    1 << 20;  // pointers in an environment; the kernel's own bound is near

// How many pointers, without the null; ~0 when the vector can't be read.
uint64_t length_of(uint64_t vector) {
  for (uint64_t n = 0; n < strings_most; ++n) {
    uint64_t pointer;
    if (!read_app(&pointer, vector + n * 8, 8)) return ~0ull;
    if (!pointer) return n;
  }
  return ~0ull;
}

bool starts_with(uint64_t string, const char* prefix) {
  char head[64];
  const long n = sctrace_copy_string(head, reinterpret_cast<const char*>(string), sizeof head - 1);
  for (long i = 0; prefix[i]; ++i)
    if (i >= n || head[i] != prefix[i]) return false;
  return true;
}

struct Text {
  char* at;
  char* end;
  void add(const char* s) {
    while (*s && at < end - 1) *at++ = *s++;
    *at = 0;
  }
};

// What the new program's loader would make of LD_PRELOAD.
enum class Finds : uint8_t {
  us,
  nothing,  // it does not look there
  trouble,  // it would complain about us, or stop
};

// envp with LD_PRELOAD naming us first and one variable that says how to undo it; or, where that
// would be trouble, with LD_PRELOAD not naming us.
uint64_t* new_environment(uint64_t old, uint64_t count, Finds finds, bool follow, char* memory,
                          uint64_t bytes) {
  auto* vector = reinterpret_cast<uint64_t*>(memory);
  Text text{memory + (count + 3) * 8, memory + bytes};
  uint64_t n = 0, preload = 0, place = ~0ull;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t pointer = 0;
    if (!read_app(&pointer, old + i * 8, 8)) return nullptr;
    if (!preload && starts_with(pointer, "LD_PRELOAD=")) preload = pointer, place = n;
    vector[n++] = pointer;
  }
  if (!preload) place = n++;
  char was[4096] = "";
  if (preload)
    sctrace_copy_string(was, reinterpret_cast<const char*>(preload + 11), sizeof was - 1);
  was[sizeof was - 1] = 0;
  if (finds == Finds::trouble) {
    const char* rest = without_us(was);
    vector[place] = reinterpret_cast<uint64_t>(text.at);
    text.add("LD_PRELOAD=");
    if (rest)
      text.add(rest);
    else
      for (--n; place < n; ++place) vector[place] = vector[place + 1];
    vector[n] = 0;
    return vector;
  }
  vector[n++] = reinterpret_cast<uint64_t>(text.at);
  text.add("SCTRACE_INHERIT=");
  text.add(preload ? "+" : "-");
  text.add(follow ? "+" : "-");
  text.add(is_recording() ? "+" : "-");
  text.add(was);  // to the letter: what the new program executes unseen finds us by it
  text.add("\n");
  text.add(global.directory);
  text.add("\n");
  text.add(environment.settings);
  text.add(environment.told[environment.told_at.load(std::memory_order_acquire) & 1]);
  vector[place] = reinterpret_cast<uint64_t>(++text.at);
  text.add("LD_PRELOAD=");
  text.add(environment.library);
  if (const char* rest = without_us(was)) text.add(":"), text.add(rest);
  vector[n] = 0;
  return vector;
}

// What of a file says whose loader will start it.
struct Program {
  alignas(8) char bytes[4096];  // program headers stand right behind the file header
  long size;
  struct stat status;
  bool has_capabilities;
  bool is_nosuid;  // its file system
};

// False: it can't be opened, and fails to execute most likely.
bool try_read_program(long fd, Program& program) {
  if (fd < 0) return false;
  program.size = raw_syscall(__NR_pread64, fd, program.bytes, sizeof program.bytes, 0);
  program.has_capabilities = raw_syscall(__NR_fgetxattr, fd, "security.capability", nullptr, 0) > 0;
  const bool known = raw_syscall(__NR_fstat, fd, &program.status) == 0;
  constexpr long st_nosuid = 2;
  struct statfs system;
  program.is_nosuid = known &&
                      (program.has_capabilities || program.status.st_mode & (S_ISUID | S_ISGID)) &&
                      raw_syscall(__NR_fstatfs, fd, &system) == 0 && system.f_flags & st_nosuid;
  raw_syscall(__NR_close, fd);
  return known && program.size > 0;
}

long open_program(long at, const char* path) {
  return raw_syscall(__NR_openat, at, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

// A script's interpreter takes its place; scripts of scripts as deep as the kernel goes.
bool try_follow_scripts(Program& program) {
  for (int depth = 0; depth < 5; ++depth) {
    if (program.size < 3 || program.bytes[0] != '#' || program.bytes[1] != '!') return true;
    char path[256];
    int n = 0, at = 2;
    while (at < program.size && (program.bytes[at] == ' ' || program.bytes[at] == '\t')) ++at;
    for (; at < program.size && n < 255; ++at) {
      const char c = program.bytes[at];
      if (c == ' ' || c == '\t' || c == '\n' || !c) break;
      path[n++] = c;
    }
    path[n] = 0;
    if (!try_read_program(open_program(AT_FDCWD, path), program)) return false;
  }
  return false;
}

enum class Loader : uint8_t { none, ours, another };

// glibc's by its name. Another could not load what we need, and a musl's would stop.
Loader loader_of(const Program& program) {
  constexpr char name[] = "/ld-linux-x86-64.so.2";
  const auto& head = *reinterpret_cast<const Elf64_Ehdr*>(program.bytes);
  const auto size = static_cast<uint64_t>(program.size);
  if (size < sizeof head || head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_machine != EM_X86_64)
    return Loader::none;
  for (uint64_t i = 0; i < head.e_phnum; ++i) {
    const uint64_t place = head.e_phoff + i * sizeof(Elf64_Phdr);
    if (place > size - sizeof(Elf64_Phdr)) break;
    const auto& header = *reinterpret_cast<const Elf64_Phdr*>(program.bytes + place);
    if (header.p_type != PT_INTERP) continue;
    const uint64_t begin = header.p_offset, bytes = header.p_filesz;
    if (begin > size || bytes > size - begin || bytes < sizeof name) return Loader::another;
    const char* end = program.bytes + begin + bytes - sizeof name;
    return __builtin_memcmp(end, name, sizeof name) ? Loader::another : Loader::ours;
  }
  return Loader::none;
}

bool gains_rights(const Program& program) {
  const auto number = [](long nr) { return static_cast<uint32_t>(raw_syscall(nr)); };
  arch::ExecRights rights{.user = number(__NR_getuid),
                          .effective_user = number(__NR_geteuid),
                          .group = number(__NR_getgid),
                          .effective_group = number(__NR_getegid),
                          .mode = program.status.st_mode,
                          .file_user = program.status.st_uid,
                          .file_group = program.status.st_gid,
                          .has_capabilities = program.has_capabilities,
                          .honoured = true};
  if (arch::gives_rights(rights))
    rights.honoured =
        !program.is_nosuid && raw_syscall(__NR_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1;
  return arch::is_secure_exec(rights);
}

// Static and 32-bit programs, and those that gain rights, look for nobody: they get the environment
// as it was given. A musl program's loader, or any behind a chroot, would look in vain.
Finds finds(const ThreadState& self, uint32_t nr) {
  const uint64_t* args = self.frame.args;
  const bool at = nr == __NR_execveat;
  if (!may(self, own_others)) return Finds::nothing;
  if (is_traced_by_ours()) return Finds::trouble;
  const auto* path = reinterpret_cast<const char*>(args[at ? 1 : 0]);
  const long folder = at ? static_cast<long>(args[0]) : AT_FDCWD;
  long fd = open_program(folder, path);
  if (fd == -ENOENT && at)
    fd = raw_syscall(__NR_fcntl, args[0], F_DUPFD_CLOEXEC, 0);  // AT_EMPTY_PATH
  Program program;
  if (!try_read_program(fd, program)) return Finds::us;
  if (!try_follow_scripts(program) || gains_rights(program)) return Finds::nothing;
  const Loader loader = loader_of(program);
  if (loader == Loader::none) return Finds::nothing;
  const bool there = raw_syscall(__NR_faccessat, AT_FDCWD, environment.library, 4 /* R_OK */) == 0;
  return there && loader == Loader::ours ? Finds::us : Finds::trouble;
}

}  // namespace

void free_exec_memory(ThreadState& self) {
  if (self.exec_memory) raw_syscall(__NR_munmap, self.exec_memory, self.exec_bytes);
  self.exec_memory = nullptr;
}

Route exec_enter(ThreadState& self, uint32_t nr) {
  const int envp = nr == __NR_execve ? 2 : 3;
  const uint64_t old = self.frame.args[envp];
  ignore_for_exec(*self.process, true);
  self.in_flight.after = After::exec;
  const uint64_t count = old ? length_of(old) : 0;
  if (count == ~0ull) return Route::run;
  SpecialWork work(self);
  const Finds found = finds(self, nr);
  if (found == Finds::nothing) return Route::run;
  self.exec_bytes = ((count + 3) * 8 + 20480 + 4095) & ~4095ull;
  const long memory = raw_syscall(__NR_mmap, 0, self.exec_bytes, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory < 0) return Route::run;
  self.exec_memory = reinterpret_cast<void*>(memory);
  const uint64_t* vector =
      new_environment(old, count, found, global.config.follow_exec && self.process->follow,
                      reinterpret_cast<char*>(memory), self.exec_bytes);
  if (!vector) return Route::run;
  for (int i = 0; i < 6; ++i) self.pass[i] = self.frame.args[i];
  self.pass[envp] = reinterpret_cast<uint64_t>(vector);
  self.frame.pass = self.pass;
  if (self.process == &main_process || self.process->pid == main_process.pid)
    process_leaves(self, false);
  return Route::run;
}

void exec_failed(ThreadState& self) {
  ignore_for_exec(*self.process, false);
  free_exec_memory(self);
}

}  // namespace sctrace::preload
