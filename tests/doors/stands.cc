// stands: a thread stands in the padding of a `pad` site, between the short jump and the long one,
// while both are given back. A tracer steps it there and holds it: the site has to get its own
// bytes back, the padding to stay until the thread has gone on, and its call to give its result.
// In each order of two words (a site whose two bytes lie in one, and in two) and both ways of
// giving back (in place, and by a swap of the text).
#include <pthread.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <new>

#include "rewriter/swap.h"
#include "tests/unit/rewriter/executed.h"

using namespace sctrace::rewriter;
using namespace sctrace::test;

asm(R"(
    .pushsection .text
    .globl toy_trampoline
toy_trampoline:
    leaq  -136(%rsp), %rsp
    movq  %r11, (%rsp)
    syscall
    movq  (%rsp), %rcx
    leaq  136(%rsp), %rsp
    jmp   *%rcx
    .popsection
)");
uint32_t toy_index, toy_calls;  // executed.h names them; unused here

namespace {

// getpid, from an eax of 0x27; five bytes of padding behind it.
constexpr const char* code = "[89c0 0f05 c3] cccccccccc [c3]";
constexpr uint64_t page = 4096;

struct Case {
  const char* name;
  uint64_t offset;  // of the code in its page; the site is two bytes further on
  bool swaps;
};
constexpr Case cases[] = {{"in place, one word", 64, false},
                          {"in place, two words", 69, false},
                          {"by a swap, one word", 64, true},
                          {"by a swap, two words", 69, true}};

// What the two processes share.
struct Shared {
  std::atomic<int> tid, go, give_back, done;
  uint64_t site, window;
  uint8_t open[2], own[2], jump[5], padding[5];  // the bytes at the two, with and without jumps
};
Shared* shared;

[[noreturn]] void fail(const Case& which, const char* what) {
  std::printf("FAULT %s: %s\n", which.name, what);
  std::fflush(stdout);
  _exit(1);
}

const void* entry;

void* caller(void*) {
  shared->tid = static_cast<int>(syscall(SYS_gettid));
  while (!shared->go) {
  }
  return run(entry, 39).rax == getpid() ? nullptr : &shared;
}

// As libraries are mapped: what is taken away shows the file.
uint64_t map_file(const Pretend& pretend, uint64_t offset) {
  const int file = static_cast<int>(syscall(SYS_memfd_create, "text", 0));
  std::vector<uint8_t> bytes(page, 0xcc);
  std::copy(pretend.text.begin(), pretend.text.end(), bytes.begin() + static_cast<long>(offset));
  if (write(file, bytes.data(), page) != static_cast<long>(page)) return 0;
  void* text = mmap(nullptr, page, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
  close(file);
  return text == MAP_FAILED ? 0 : reinterpret_cast<uint64_t>(text);
}

[[noreturn]] void be_the_program(const Case& which) {
  const uint64_t text = map_file(Pretend(code), which.offset);
  const Pretend here(code, text + which.offset);
  Object object = here.object();
  entry = reinterpret_cast<const void*>(here.address);
  object.text.bytes = {static_cast<const uint8_t*>(entry), here.text.size()};
  Rewritten rewritten;
  rewritten.add(object);
  const Stub& stub = rewritten.table[0];
  if (stub.tactic != Tactic::pad || !stub.patched) fail(which, "not patched by its padding");
  shared->site = stub.site, shared->window = stub.window;
  std::memcpy(shared->open, reinterpret_cast<void*>(stub.site), 2);
  std::memcpy(shared->jump, reinterpret_cast<void*>(stub.window), 5);
  std::memcpy(shared->own, here.text.data() + 2, 2);
  std::memset(shared->padding, 0xcc, 5);
  pthread_t thread;
  pthread_create(&thread, nullptr, caller, nullptr);
  while (!shared->give_back) usleep(100);
  const bool given = which.swaps ? shut_doors() : undo(0, ~0ull, Running::anybody) == 0;
  shared->done = 1;
  void* wrong;
  pthread_join(thread, &wrong);
  if (!given) fail(which, "not given back");
  if (wrong) fail(which, "its call has another result");
  _exit(0);
}

bool is_at(pid_t child, uint64_t address, const uint8_t* bytes, size_t size) {
  uint8_t there[8];
  const iovec here{there, size}, other{reinterpret_cast<void*>(address), size};
  return process_vm_readv(child, &here, 1, &other, 1, 0) == static_cast<long>(size) &&
         !std::memcmp(there, bytes, size);
}

bool comes(auto is_so) {
  for (int i = 0; i < 100'000; ++i, usleep(100))
    if (is_so()) return true;
  return false;
}

// Into the padding, and no further.
bool try_step_there(pid_t tid) {
  int status;
  if (ptrace(PTRACE_SEIZE, tid, 0, PTRACE_O_EXITKILL) || ptrace(PTRACE_INTERRUPT, tid, 0, 0) ||
      waitpid(tid, &status, __WALL) != tid)
    return false;
  shared->go = 1;
  user_regs_struct r{};
  for (int i = 0; i < 1000 && r.rip != shared->window; ++i)
    if (ptrace(PTRACE_SINGLESTEP, tid, 0, 0) || waitpid(tid, &status, __WALL) != tid ||
        !WIFSTOPPED(status) || ptrace(PTRACE_GETREGS, tid, 0, &r))
      return false;
  return r.rip == shared->window;
}

const char* fault_of(pid_t child) {
  if (!comes([] { return shared->tid.load(); })) return "it did not begin";
  if (!try_step_there(shared->tid)) return "no way into the padding";
  if (!is_at(child, shared->site, shared->open, 2)) return "it is not open";
  shared->give_back = 1;
  if (!comes([&] { return is_at(child, shared->site, shared->own, 2); }))
    return "the site stays open while a thread is behind it";
  constexpr int looks = 50;  // of what waits two seconds at most
  for (int i = 0; i < looks; ++i, usleep(1000))
    if (shared->done || !is_at(child, shared->window, shared->jump, 5))
      return "the padding was given back under a thread";
  if (ptrace(PTRACE_DETACH, shared->tid.load(), 0, 0)) return "it is gone";
  return nullptr;
}

int hold(const Case& which) {
  new (shared) Shared{};
  const pid_t child = fork();
  if (child == 0) be_the_program(which);
  const char* fault = fault_of(child);
  if (fault) kill(child, SIGKILL);
  int status = 0;
  while (waitpid(-1, &status, __WALL) != child) {  // its thread too, where it is still held
  }
  if (!fault && WIFSIGNALED(status)) fault = "a thread fell out of the padding";
  if (!fault && WEXITSTATUS(status)) return 1;
  if (fault) std::printf("FAULT %s: %s (status %x)\n", which.name, fault, status);
  return fault != nullptr;
}

}  // namespace

int main() {
  shared = static_cast<Shared*>(
      mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  int faults = 0;
  for (const Case& which : cases) faults += hold(which);
  if (!faults) std::puts("nobody fell out of the padding");
  return faults != 0;
}
