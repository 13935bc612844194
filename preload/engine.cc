#include "preload/engine.h"

#include <asm/unistd.h>
#include <dlfcn.h>

#include <cerrno>

#include "arch/x86_64/aside.h"
#include "preload/call_names.h"
#include "preload/capture.h"
#include "preload/control.h"
#include "preload/environment.h"
#include "preload/global.h"
#include "preload/inject.h"
#include "preload/link_map.h"
#include "preload/services.h"

namespace sctrace::preload {

constinit Engines engines{};

namespace {

using arch::raw_syscall;

// libc's own, whatever stands in for them.
void* (*open_library)(const char*, int);
char* (*open_error)();
int* (*errno_place)();

void refuse(const char* name, const char* why) {
  say(complaint(), "engine ", name, ": ", why, "; running without it");
}

void want_all(Engine& engine) {
  for (uint64_t& word : engine.wants) word = ~0ull;
}

void load(const char* path, const char* args) {
  if (!open_library || !errno_place) return refuse(path, "this C library cannot load it");
  auto* handle = static_cast<link_map*>(open_library(path, RTLD_NOW | RTLD_LOCAL));
  if (!handle) {
    const char* why = open_error ? open_error() : nullptr;
    return say(complaint(), "engine ", why ? why : path, "; running without it");
  }
  const auto* code = reinterpret_cast<const sctrace_engine*>(symbol_in(*handle, "sctrace_engine"));
  if (!code) return refuse(path, "has no symbol sctrace_engine");
  if (code->abi != SCTRACE_ENGINE_ABI || code->size < sizeof *code)
    return refuse(path, "is made for another version of <sctrace/engine.h>");
  if (!arch::has_xsave() && !(code->flags & SCTRACE_BARE))
    return refuse(path, "needs vector registers kept, which this processor can't by xsave");
  try_add_engine(code, args);
}

// LIB[=ARGS]:LIB…; a backslash takes the meaning of the byte behind it.
void load_all(const char* at) {
  char word[1024];
  while (*at) {
    uint64_t n = 0, args = 0;
    for (; *at && *at != ':'; ++at) {
      if (*at == '=' && !args) {
        word[n++] = 0;
        args = n;
        continue;
      }
      if (*at == '\\' && at[1]) ++at;
      word[n++] = *at;
    }
    word[n] = 0;
    if (*at) ++at;
    if (*word) load(word, args ? word + args : "");
  }
}

// The kernel's calls that would take our ground away.
bool is_forbidden(uint64_t nr) {
  switch (static_cast<uint32_t>(nr)) {
    case __NR_clone:
    case __NR_clone3:
    case __NR_fork:
    case __NR_vfork:
    case __NR_execve:
    case __NR_execveat:
    case __NR_exit:
    case __NR_rt_sigaction:
    case __NR_rt_sigprocmask:
    case __NR_rt_sigreturn:
    case __NR_rt_sigsuspend:
    case __NR_rt_sigtimedwait:
    case __NR_sigaltstack:
    case __NR_arch_prctl:
    case __NR_prctl:
    case __NR_seccomp: return true;
    default: return false;
  }
}

// Which numbers engines want is decided once; so the short way needs no test.
void engage() {
  for (uint32_t nr = 0; nr < facts_most; ++nr)
    global.facts[nr].what = as_engines_want(nr, global.facts[nr].what);
}

bool ends_life(uint32_t nr) {
  return nr == __NR_exit || nr == __NR_exit_group || nr == __NR_execve || nr == __NR_execveat;
}

// Of an engine that has no such callback.
sctrace_choice as_it_is(void*, sctrace_call*, sctrace_choice choice) { return choice; }
void not_seen(void*, sctrace_call*) {}

// All of them are bare, and who is there stays.
uint8_t lookers_of(uint32_t nr) {
  uint8_t lookers = 0;
  if (engines.need_libc || ends_life(nr)) return 0;
  for (uint32_t i = 0; i < engines.count; ++i) {
    if (engines.all[i].live) return 0;
    if (engines.all[i].wants_call(nr)) lookers |= static_cast<uint8_t>(1u << i);
  }
  return lookers;
}

}  // namespace

uint8_t as_engines_want(uint32_t nr, uint8_t what) {
  bool wanted = false;
  for (uint32_t i = 0; i < engines.count; ++i)
    wanted |= engines.all[i].live || engines.all[i].wants_call(nr) ||
              (engines.all[i].code->life && ends_life(nr));
  if (!wanted || nr == __NR_rt_sigreturn) return what;
  if (what & is_wanted) what |= is_asked;
  constexpr uint8_t more = is_special | is_exact | is_judged;
  const bool is_short =
      (what & (is_asked | more)) == is_asked && global.config.stack == Stacks::off;
  engines.lookers[nr] = is_short ? lookers_of(nr) : 0;
  return static_cast<uint8_t>((what & ~is_wanted) | is_engaged);
}

Level complaint() { return environment.inherited ? Level::info : Level::warn; }

bool try_add_engine(const sctrace_engine* code, const char* args) {
  if (engines.count == engines_most) return refuse(code->name, "there are 8 already"), false;
  Engine& engine = engines.all[engines.count];
  engine = {.code = code,
            .data = nullptr,
            .on = true,
            .wants = {},
            .live = nullptr,
            .entry = code->entry ? code->entry : as_it_is,
            .exit = code->exit ? code->exit : not_seen};
  want_all(engine);
  being_opened = &engine;
  const int result = code->open ? code->open(args, &services, &engine.data) : 0;
  being_opened = nullptr;
  if (result != 0) {
    Line line;
    say(complaint(), line.text("engine ")
                         .text(code->name)
                         .text(" refuses its arguments '")
                         .text(args)
                         .text("' by ")
                         .number(result)
                         .text("; running without it"));
    return false;
  }
  ++engines.count;
  engines.need_libc |= !engine.is_bare();
  engines.see_exits |= code->exit != nullptr;
  return true;
}

void open_engines(const link_map* objects, int argc, char** argv, char** envp) {
  const auto find = [&](const char* name) { return in_libc(objects, name); };
  open_injections(global.config.inject);
  if (*global.config.engine) {
    open_library = reinterpret_cast<void* (*)(const char*, int)>(find("dlopen"));
    open_error = reinterpret_cast<char* (*)()>(find("dlerror"));
    errno_place = reinterpret_cast<int* (*)()>(find("__errno_location"));
    load_all(global.config.engine);
    // We come before libc's own initialisers: dlopen has run them, but as of a program without
    // arguments and environment. They only set what it knows of these, and may be run again.
    initialise_libc(objects, argc, argv, envp);
  }
  if (*global.config.control) open_control(global.config.control);
  if (engines.need_libc) sctrace_aside_compact = arch::has_xsavec();
  if (engines.count) engage();
}

void switch_off(Engine& engine) {
  engine.on = false;
  say(Level::warn, "engine ", engine.code->name,
      " made a fault in a callback; it is asked no more");
}

bool call_out(ThreadState& self, void (*work)(void*), void* what, bool bare) {
  set_calling(self, true);
  bool done = true;
  if (bare) {
    work(what);
  } else {
    const bool sealed = try_unseal();
    int& error = *errno_place();
    const int before = error;
    done = !sctrace_aside(work, what, &self.escape);
    error = before;
    if (sealed) seal_again();
  }
  set_calling(self, false);
  return done;
}

bool engine_called(arch::Context& context) {
  const ThreadState* self = state_of_stack(context.rsp);
  if (!self || !self->engaged.calling) return false;
  const long result = is_forbidden(context.rax)
                          ? -ENOSYS
                          : raw_syscall(static_cast<long>(context.rax), context.rdi, context.rsi,
                                        context.rdx, context.r10, context.r8, context.r9);
  context.rax = static_cast<uint64_t>(result);
  context.rcx = context.rip;
  context.r11 = context.eflags;
  return true;
}

}  // namespace sctrace::preload
