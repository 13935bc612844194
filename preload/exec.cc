// exec: the new program must find our library and our settings, and see neither: what is added to
// its environment here, start.cc takes out again (environment.h) before its first own instruction.
#include <asm/unistd.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>

#include "preload/capture.h"
#include "preload/environment.h"
#include "preload/global.h"
#include "preload/process.h"
#include "preload/signals.h"
#include "preload/special.h"

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

// envp with LD_PRELOAD naming us first and one variable that says how to undo it.
uint64_t* new_environment(uint64_t old, uint64_t count, bool follow, char* memory, uint64_t bytes) {
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
  vector[place] = reinterpret_cast<uint64_t>(text.at);
  text.add("LD_PRELOAD=");
  text.add(environment.library);
  if (const char* rest = without_us(was)) text.add(":"), text.add(rest);
  vector[n++] = reinterpret_cast<uint64_t>(++text.at);
  text.add("SCTRACE_INHERIT=");
  text.add(preload ? "+" : "-");
  text.add(follow ? "+" : "-");
  text.add(was);
  text.add("\n");
  text.add(global.directory);
  text.add("\n");
  text.add(environment.settings);
  vector[n] = 0;
  return vector;
}

// Will the program's loader read LD_PRELOAD at all? Not in a static or 32-bit program, nor in one
// that gains rights: these get the environment as it was given. What can't be opened fails to
// execute anyway.
bool would_find_us(const ThreadState& self, uint32_t nr) {
  const uint64_t* args = self.frame.args;
  const bool at = nr == __NR_execveat;
  if (self.process->sandboxed) return false;
  long fd = raw_syscall(__NR_openat, at ? args[0] : AT_FDCWD, args[at ? 1 : 0],
                        O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd == -ENOENT && at)
    fd = raw_syscall(__NR_fcntl, args[0], F_DUPFD_CLOEXEC, 0);  // AT_EMPTY_PATH
  if (fd < 0) return true;
  alignas(8) uint8_t bytes[2048] = {};  // program headers stand right behind the file header
  struct stat status {};
  const long n = raw_syscall(__NR_pread64, fd, bytes, sizeof bytes, 0);
  raw_syscall(__NR_fstat, fd, &status);
  bool found = n > 2 && bytes[0] == '#' && bytes[1] == '!';  // its interpreter will, most likely
  const auto& head = *reinterpret_cast<const Elf64_Ehdr*>(bytes);
  const bool ours = head.e_ident[EI_CLASS] == ELFCLASS64 && head.e_machine == EM_X86_64;
  for (uint64_t i = 0; ours && i < head.e_phnum; ++i) {
    const uint64_t place = head.e_phoff + i * sizeof(Elf64_Phdr);
    if (place > sizeof bytes - sizeof(Elf64_Phdr)) break;
    found |= reinterpret_cast<const Elf64_Phdr*>(bytes + place)->p_type == PT_INTERP;
  }
  raw_syscall(__NR_close, fd);
  return found && !(status.st_mode & (S_ISUID | S_ISGID));
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
  if (!would_find_us(self, nr)) return Route::run;
  self.exec_bytes = ((count + 3) * 8 + 16384 + 4095) & ~4095ull;
  const long memory = raw_syscall(__NR_mmap, 0, self.exec_bytes, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory < 0) return Route::run;
  self.exec_memory = reinterpret_cast<void*>(memory);
  const uint64_t* vector =
      new_environment(old, count, global.config.follow_exec && self.process->follow,
                      reinterpret_cast<char*>(memory), self.exec_bytes);
  if (!vector) return Route::run;
  for (int i = 0; i < 6; ++i) self.pass[i] = self.frame.args[i];
  self.pass[envp] = reinterpret_cast<uint64_t>(vector);
  self.frame.pass = self.pass;
  if (self.process == &main_process || self.process->pid == main_process.pid) process_leaves(self);
  return Route::run;
}

void exec_failed(ThreadState& self) {
  ignore_for_exec(*self.process, false);
  free_exec_memory(self);
}

}  // namespace sctrace::preload
