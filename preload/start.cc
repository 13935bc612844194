// The constructor: a table of contents. Runs before any other initialiser of the program (-z
// initfirst), in its only thread. A step that refuses says one line and leaves the program as it
// was.
#include <asm/unistd.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>

#include "preload/call_names.h"
#include "preload/capture_plan.h"
#include "preload/control.h"
#include "preload/engaged.h"
#include "preload/engine.h"
#include "preload/environment.h"
#include "preload/exact.h"
#include "preload/files.h"
#include "preload/frame_rules.h"
#include "preload/global.h"
#include "preload/image.h"
#include "preload/judge.h"
#include "preload/link_map.h"
#include "preload/objects.h"
#include "preload/process.h"
#include "preload/redact.h"
#include "preload/signals.h"
#include "preload/special.h"
#include "preload/stubs.h"
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

// What the filter says of all calls of a number, before any is made.
wire::Truth wants(uint32_t nr) {
  const bool known = name_of_call(nr);
  if (!(known ? global.config.traced[nr] : global.config.traced_unknown)) return wire::Truth::no;
  const wire::Known kind{.number_only = true, .nr = nr};
  return wire::evaluate(global.config.filter, kind);
}

void decide() {
  global.judging = global.config.sample > 1;
  for (uint32_t nr = 0; nr < facts_most; ++nr) global.judging |= wants(nr) == wire::Truth::unknown;
  for (uint32_t nr = 0; nr < facts_most; ++nr) {
    Facts& facts = global.facts[nr];
    facts = facts_of(nr);
    if (!global.config.capture_in) facts.what &= static_cast<uint8_t>(~has_in);
    if (!global.config.capture_out) facts.what &= static_cast<uint8_t>(~has_out);
    // Where one is judged all are: each then says what of its ring is settled.
    const bool asked = wants(nr) != wire::Truth::no;
    const bool has_stack = global.config.stack != Stacks::off;  // the long way has room for one
    if (asked) facts.what |= global.judging ? is_judged : has_stack ? is_asked : is_wanted;
    if (may_redact(nr)) {  // asked in front of each call, by the interpreter
      facts.what |= has_in;
      facts.in = facts.out = Shape::interpreted;
    }
    facts.in_flight.out = facts.what & has_out ? Out::taken : Out::none;
    if (special(nr)) facts.what |= is_special;
    const bool takes = facts.what & (has_in | has_out);
    if (global.config.exact && asked && takes && may_be_exact(nr)) facts.what |= is_exact;
  }
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

void describe(int argc, char** argv) {
  wire::Image& image = *global.image;
  uint64_t used = 0;
  for (uint64_t i = 0; program_path[i] && i + 1 < sizeof image.program; ++i)
    image.program[i] = program_path[i];
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

void open_trap() {
  if (global.config.doors == Doors::stub) return;
  const long result = try_arm();
  global.sud = result == 0;
  global.image->sud = result == 0 ? 1 : static_cast<uint32_t>(-result);
  if (result < 0)
    say(environment.inherited ? Level::info : Level::warn,
        "Syscall User Dispatch: ", error_name(result),
        "; calls from text that isn't rewritten are not seen");
}

bool start(int argc, char** argv, char** envp) {
  read_environment(envp);
  global.environment = envp;
  read_config(envp, environment.settings, false, global.config);
  open_log();  // known before the first complaint
  if (!environment.inherited) read_config(envp, environment.settings, true, global.config);
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
  decide();
  open_engines(objects.loaded, argc, argv, envp);
  find_objects(objects);
  if (global.config.stack != Stacks::off)
    for (uint32_t i = 0; i < objects.count; ++i) know_frames(objects.all[i]);
  // Without room for records the calls are still counted, as lost.
  if (!take_ring(*self) && !self->out.header) return say(Level::info, "no ring left"), false;
  write_thread_record(*self);
  tell_files_at_start(*self);
  take_signals(*self);
  set_stack(*self);
  settle(*self, Slot::write);
  uint64_t mask;  // no handler runs while text is written
  raw_syscall(__NR_rt_sigprocmask, 2 /* SIG_SETMASK */, &everything, &mask, 8);
  if (global.config.vdso) make_vdso_call();
  open_stubs(objects);
  if (global.config.asks_for_time) learn_clock();
  open_trap();
  raw_syscall(__NR_rt_sigprocmask, 2, &mask, 0, 8);
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
