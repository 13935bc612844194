// The constructor: a table of contents. Runs before any other initialiser of the program (-z
// initfirst), in its only thread. A step that refuses says one line and leaves the program as it
// was.
#include <asm/unistd.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>

#include "preload/beginning.h"
#include "preload/control.h"
#include "preload/dispositions.h"
#include "preload/engine.h"
#include "preload/environment.h"
#include "preload/files.h"
#include "preload/global.h"
#include "preload/image.h"
#include "preload/judge.h"
#include "preload/link_map.h"
#include "preload/live.h"
#include "preload/objects.h"
#include "preload/process.h"
#include "preload/special.h"
#include "preload/stubs.h"
#include "preload/texts.h"
#include "preload/told.h"
#include "preload/trap.h"
#include "preload/vdso.h"

extern "C" [[gnu::weak]] const char* gnu_get_libc_version();

namespace sctrace::preload {

constinit Global global{};

namespace {

using arch::raw_syscall;

constexpr uint64_t everything = ~guarded;  // a copy of ours may fault
char program_path[1024];

void find_program() {
  const long n = raw_syscall(__NR_readlinkat, AT_FDCWD, "/proc/self/exe", program_path,
                             sizeof program_path - 1);
  program_path[n > 0 ? n : 0] = 0;
  if (n <= 0) __builtin_memcpy(program_path, "unknown", 8);
  global.image_program = program_path;
}

bool is_named(const char* list, const char* name) {
  for (const char* at = list; *at;) {
    const char* n = name;
    while (*n && *at == *n) ++at, ++n;
    if (!*n && (!*at || *at == ',')) return true;
    while (*at && *at != ',') ++at;
    if (*at) ++at;
  }
  return false;
}

bool is_chosen() {
  const char* name = program_path;
  for (const char* c = program_path; *c; ++c)
    if (*c == '/') name = c + 1;
  return !*global.config.comm || is_named(global.config.comm, name);
}

void open_log() {
  const Config& config = global.config;
  long fd = 2;
  if (*config.log_file)
    fd = raw_syscall(__NR_openat, AT_FDCWD, config.log_file,
                     O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  say_set(config.log, fd < 0 ? 2 : static_cast<int>(fd));
}

ThreadState* first_thread(bool inherited) {
  main_process.pid = static_cast<uint32_t>(raw_syscall(__NR_getpid));
  main_process.follow = true;
  main_process.actions = main_process.table;
  ThreadState* self = try_new_thread(nullptr);
  if (!self) return nullptr;
  self->process = &main_process;
  self->pid = main_process.pid;
  self->tid = static_cast<uint32_t>(raw_syscall(__NR_gettid));
  self->began = inherited ? wire::Began::exec : wire::Began::image;
  self->alternate.flags = 0;  // as after an exec: none, though nobody disabled it
  return self;
}

void describe_program(wire::Image& image) {
  uint64_t at = 0;
  for (; program_path[at] && at + 1 < sizeof image.program; ++at)
    image.program[at] = program_path[at];
  const char* executed = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
  const uint64_t bytes = executed ? __builtin_strlen(executed) + 1 : 0;
  if (bytes && bytes <= sizeof image.program - at - 1)
    __builtin_memcpy(image.program + at + 1, executed, bytes);
  image.environment = reinterpret_cast<uint64_t>(global.environment);
  for (const char* const* one = global.environment; *one; ++one) ++image.variables;
}

void describe(int argc, char** argv) {
  wire::Image& image = *global.image;
  uint64_t used = 0;
  describe_program(image);
  for (int i = 0; i < argc; ++i)
    for (const char* c = argv[i];; ++c) {
      if (used + 1 >= sizeof image.command) return;
      image.command[used++] = *c;
      if (!*c) break;
    }
}

// Signals that we need are ours from here on; what of them was blocked is blocked in the app's view
// only.
void take_signals(ThreadState& self) {
  constexpr int sig_unblock = 1;
  uint64_t before = 0;
  raw_syscall(__NR_rt_sigprocmask, sig_unblock, &guarded, &before, 8);
  self.blocked = before & guarded;
  adopt_handlers(main_process);
}

// While shut it is only asked whether there is such a thing.
void open_trap(bool open) {
  if (global.config.doors == Doors::stub) return;
  const long result = try_arm();
  if (!open && result == 0) disarm();
  global.sud = result == 0;
  global.image->sud = result == 0 ? 1 : static_cast<uint32_t>(-result);
  if (result < 0)
    say(environment.inherited ? Level::info : Level::warn,
        "Syscall User Dispatch: ", error_name(result),
        "; calls from text that isn't rewritten are not seen");
}

// The fourth word of /proc/PID/stat, behind the last bracket; 0: not to be had.
uint32_t parent_of(uint32_t pid) {
  char text[512];
  Line path;
  path.text("/proc/").number(pid).text("/stat");
  const long fd = raw_syscall(__NR_openat, AT_FDCWD, path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  long n = raw_syscall(__NR_read, fd, text, sizeof text), at = n;
  raw_syscall(__NR_close, fd);
  while (at > 0 && text[at - 1] != ')') --at;
  uint32_t parent = 0;
  for (at += 3; at > 3 && at < n && text[at] >= '0' && text[at] <= '9'; ++at)
    parent = parent * 10 + static_cast<uint32_t>(text[at] - '0');
  return parent;
}

bool comes_from(uint32_t process) {
  constexpr int most = 64;
  uint32_t pid = main_process.pid;
  for (int i = 0; i < most && pid; ++i, pid = parent_of(pid))
    if (pid == process) return true;
  return false;
}

// As the program before it was, or as the settings say; where an `off` kept the exec from telling,
// the trace does. Engines see all calls from the first on.
bool begins_open() {
  const Config& config = global.config;
  const uint32_t off = global.session->off.load(std::memory_order_relaxed);
  const bool on =
      environment.inherited ? environment.starts : config.starts && !(off && comes_from(off));
  if (!on && config.vdso && !environment.inherited)
    say(Level::warn, "SCTRACE_VDSO=on: not with SCTRACE_START=off; the clock's calls are not seen");
  if (on || !(*config.engine || *config.inject || *config.control)) return on;
  say(environment.inherited ? Level::info : Level::warn,
      "SCTRACE_START=off: engines are asked for, which see calls from the start on; recording");
  return true;
}

bool start(int argc, char** argv, char** envp) {
  constexpr uint64_t has_fsgsbase = 2;
  global.reads_fs = getauxval(AT_HWCAP2) & has_fsgsbase;
  read_environment(envp);
  global.environment = envp;
  read_config(envp, environment.settings, environment.told[0], false, global.config);
  open_log();  // known before the first complaint
  if (!environment.inherited) read_config(envp, environment.settings, "", true, global.config);
  find_program();
  if (global.config.disabled || !is_chosen()) return false;
  static constinit Objects objects{};  // made by the compiler: else a fault for each of its pages
  const r_debug* loader = loader_state(envp);
  objects.loaded = loader ? loader->r_map : nullptr;
  objects.loader = loader ? loader->r_ldbase : getauxval(AT_BASE);
  restore_environment(envp);
  if (environment.left) return false;
  ThreadState* self = first_thread(environment.inherited);
  if (!self) return say(Level::error, "no memory; running untraced"), false;
  if (open_trace(environment.directory) < 0) return false;
  describe(argc, argv);
  const bool open = begins_open();
  begin_live(open);
  decide();
  open_engines(objects.loaded, argc, argv, envp);
  find_objects(objects);
  remember_vdso(objects);
  if (global.config.stack != Stacks::off) know_all_frames(objects);
  // Without room for records the calls are still counted, as lost.
  if (open && !take_ring(*self) && !self->out.header)
    return say(Level::info, "no ring left"), false;
  if (open) write_thread_record(*self), tell_files_at_start(*self), tell_beginning(*self);
  take_signals(*self);
  if (open) set_stack(*self), settle(*self, Slot::write);
  uint64_t mask;  // no handler runs while text is written
  raw_syscall(__NR_rt_sigprocmask, 2 /* SIG_SETMASK */, &everything, &mask, 8);
  if (global.config.vdso && open) make_vdso_call();
  open_stubs(objects, !open);
  if (global.config.asks_for_time) learn_clock();
  open_trap(open);
  begin_lending();
  raw_syscall(__NR_rt_sigprocmask, 2, &mask, 0, 8);
  if (!open) return begin_shut(*self), true;
  tell_program(*self);
  wait_for_controller();
  return true;
}

// musl's loader passes a constructor nothing, and keeps its own list of objects: its program is
// left alone.
bool is_glibc() { return gnu_get_libc_version != nullptr; }

__attribute__((constructor)) void constructor(int argc, char** argv, char** envp) {
  if (is_glibc()) start(argc, argv, envp);
}

}  // namespace
}  // namespace sctrace::preload
