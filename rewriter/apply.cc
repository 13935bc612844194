#include "rewriter/apply.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "arch/x86_64/barrier.h"
#include "arch/x86_64/encode.h"
#include "arch/x86_64/frame.h"

namespace sctrace::rewriter {
namespace {

namespace encode = arch::encode;
constexpr uint64_t page = 4096;

// No compiler shall make a call of memcpy out of it: libc may be what is without PROT_EXEC.
void store(uint64_t address, const uint8_t* bytes, size_t size) {
  auto* to = reinterpret_cast<uint8_t*>(address);
  size_t i = 0;
  for (uint32_t word; i + sizeof word <= size; i += sizeof word) {
    __builtin_memcpy(&word, bytes + i, sizeof word);
    __builtin_memcpy(to + i, &word, sizeof word);
    asm volatile("" ::: "memory");
  }
  for (; i < size; ++i) static_cast<volatile uint8_t*>(to)[i] = bytes[i];
}

void load(uint64_t address, uint8_t* bytes, unsigned size) {
  const auto* from = reinterpret_cast<const volatile uint8_t*>(address);
  for (unsigned i = 0; i < size; ++i) bytes[i] = from[i];
}

// By the copy that survives a fault: another thread may unmap the text meanwhile.
bool is_there(uint64_t address, const uint8_t* bytes, unsigned size) {
  uint8_t there[window_max];
  if (size > sizeof there || sctrace_copy(there, reinterpret_cast<const void*>(address), size))
    return false;
  return is_same(there, bytes, size);
}

void copy(uint8_t* to, const uint8_t* from, size_t size) {
  store(reinterpret_cast<uint64_t>(to), from, size);
}

// Every processor that runs a thread of ours starts to fetch anew. The first use registers: that
// makes each switch to this process a little slower, so it is not done before it is needed.
bool try_sync() {
  const auto sync = [] { return arch::raw_syscall(SYS_membarrier, arch::sync_core, 0, 0) == 0; };
  return sync() || (arch::barriers.try_register(arch::register_sync_core) && sync());
}

bool is_in_one_word(uint64_t address, unsigned size) { return address % 8 + size <= 8; }

Refusal put(const Change& change, Writer& writer, int protection) {
  if (!change.size) return Refusal::out_of_reach;
  return writer.write(change.address, change.original, change.bytes, change.size, protection);
}

Refusal take_back(const Change& change, Writer& writer, int protection) {
  if (!change.size) return Refusal::out_of_reach;
  return writer.write(change.address, change.bytes, change.original, change.size, protection);
}

}  // namespace

bool has_inner_places(const Stub& stub) {
  return stub.tactic == Tactic::after || (stub.tactic == Tactic::before && stub.move_count > 1);
}

Change jump_over_window(const Stub& stub) {
  Change change{.address = stub.window, .size = stub.window_bytes, .original = stub.original};
  const auto jump = encode::jump(stub.window, stub.begin);
  if (!jump) return {};
  copy(change.bytes, jump->data(), jump->size());
  encode::fill_with_nops(change.bytes + jump->size(), change.size - jump->size());
  return change;
}

Change short_jump_over_site(const Stub& stub) {
  Change change{
      .address = stub.site, .size = syscall_bytes, .original = stub.original + stub.window_bytes};
  const auto jump = encode::short_jump(stub.site, stub.window);
  if (!jump) return {};
  copy(change.bytes, jump->data(), jump->size());
  return change;
}

Writer::Writer(Running running) : running_(running) {}

Writer::~Writer() {
  close_texts();
  avoid_proc();
}

void Writer::avoid_proc() {
  if (descriptor_ >= 0) arch::raw_syscall(SYS_close, descriptor_);
  descriptor_ = refused;
}

bool Writer::has_descriptor() {
  if (descriptor_ == not_asked) {
    const long got =
        arch::raw_syscall(SYS_openat, AT_FDCWD, "/proc/self/mem", O_RDWR | O_CLOEXEC, 0);
    descriptor_ = got < 0 ? refused : static_cast<int>(got);
  }
  return descriptor_ >= 0;
}

Refusal Writer::write(uint64_t address, const uint8_t* expected, const uint8_t* bytes,
                      unsigned size, int protection) {
  if (is_open(address, address + size)) {  // in the only thread, and its pages are there
    if (!is_same(reinterpret_cast<const uint8_t*>(address), expected, size))
      return Refusal::changed;
    return store(address, bytes, size), Refusal::none;
  }
  if (!is_there(address, expected, size)) return Refusal::changed;
  if (running_ == Running::anybody) {
    if (!try_live(address, bytes, size)) return Refusal::not_writable;
  } else if (!try_by_proc(address, bytes, size) &&
             !try_by_mprotect(address, bytes, size, protection)) {
    return Refusal::not_writable;
  }
  return is_there(address, bytes, size) ? Refusal::none : Refusal::not_writable;
}

// A page of our own text that nobody runs: what the kernel does with it shows what it would do with
// others.
alignas(page) [[gnu::section(".text.sctrace_probe"), gnu::used]] const uint8_t probe[page] = {0xcc};

// Asked by each writer anew: the app may have denied itself to make changed text executable since
// (PR_SET_MDWE).
bool is_changed_text_executable() {
  const auto address = reinterpret_cast<uint64_t>(probe);
  bool works = arch::raw_syscall(SYS_mprotect, address, page, PROT_READ | PROT_WRITE) == 0;
  if (works) *reinterpret_cast<volatile uint8_t*>(address) = 0xcc;
  return arch::raw_syscall(SYS_mprotect, address, page, PROT_READ | PROT_EXEC) == 0 && works;
}

bool Writer::may_change_text() {
  if (!asked_) allowed_ = is_changed_text_executable();
  asked_ = true;
  return allowed_;
}

bool Writer::is_open(uint64_t begin, uint64_t end) const {
  for (unsigned i = 0; i < open_count_; ++i)
    if (begin >= open_[i].begin && end <= open_[i].end) return true;
  return false;
}

bool Writer::try_open_text(uint64_t begin, uint64_t end, int protection) {
  begin &= ~(page - 1);
  end = (end + page - 1) & ~(page - 1);
  if (is_open(begin, end)) return true;
  if (open_count_ == open_most) close_texts();
  if (!may_change_text()) return false;
  if (arch::raw_syscall(SYS_mprotect, begin, end - begin, PROT_READ | PROT_WRITE) < 0) {
    // A range that could be opened in part only is closed again.
    arch::raw_syscall(SYS_mprotect, begin, end - begin, protection);
    return false;
  }
  open_[open_count_++] = {begin, end, protection};
  return true;
}

void Writer::close_texts() {
  for (; open_count_; --open_count_) {
    const Text& text = open_[open_count_ - 1];
    arch::raw_syscall(SYS_mprotect, text.begin, text.end - text.begin, text.protection);
  }
}

bool Writer::try_by_proc(uint64_t address, const uint8_t* bytes, unsigned size) {
  if (!has_descriptor()) return false;
  if (!is_in_one_word(address, size))
    return arch::raw_syscall(SYS_pwrite64, descriptor_, bytes, size, address) ==
           static_cast<long>(size);
  const uint64_t aligned = address & ~7ull;
  uint8_t word[8];
  load(aligned, word, sizeof word);
  copy(word + address % 8, bytes, size);
  return arch::raw_syscall(SYS_pwrite64, descriptor_, word, sizeof word, aligned) == sizeof word;
}

bool Writer::try_live(uint64_t address, const uint8_t* bytes, unsigned size) {
  constexpr uint8_t hlt = 0xf4;
  uint8_t before[window_max];
  if (!has_descriptor() || !try_sync()) return false;
  load(address, before, size);
  const auto put = [&](uint64_t at, const uint8_t* from, unsigned n) {
    return arch::raw_syscall(SYS_pwrite64, descriptor_, from, n, at) == static_cast<long>(n);
  };
  // One byte is written whole. Whoever came past it before has left the window after the barrier,
  // or is between two instructions of it, which may_enclose() has ruled out.
  if (!put(address, &hlt, 1)) return false;
  if (try_sync() && put(address + 1, bytes + 1, size - 1) && try_sync() && put(address, bytes, 1))
    return try_sync(), true;
  put(address + 1, before + 1, size - 1);
  try_sync();
  put(address, before, 1);
  return false;
}

bool Writer::try_by_mprotect(uint64_t address, const uint8_t* bytes, unsigned size,
                             int protection) {
  const uint64_t begin = address & ~(page - 1);  // a window may straddle two pages
  const uint64_t length = ((address + size + page - 1) & ~(page - 1)) - begin;
  if (!may_change_text()) return false;
  if (arch::raw_syscall(SYS_mprotect, begin, length, PROT_READ | PROT_WRITE) < 0) return false;
  if (is_in_one_word(address, size)) {
    auto* const word = reinterpret_cast<volatile uint64_t*>(address & ~7ull);
    uint64_t value = *word;
    for (unsigned i = 0; i < size; ++i) {
      const unsigned shift = 8 * (address % 8 + i);
      value = (value & ~(0xffull << shift)) | uint64_t{bytes[i]} << shift;
    }
    *word = value;
  } else {
    store(address, bytes, size);
  }
  return arch::raw_syscall(SYS_mprotect, begin, length, protection) == 0;
}

Refusal patch(Stub& stub, Writer& writer, int protection) {
  if (stub.patched) return Refusal::none;
  if (stub.tactic == Tactic::trap) return Refusal::changed;  // its text is gone
  if (!writer.may_enclose(has_inner_places(stub))) return Refusal::in_use;
  const Change jump = jump_over_window(stub);
  Refusal refusal = put(jump, writer, protection);
  if (refusal == Refusal::none && stub.tactic == Tactic::pad) {
    // The padding first: from the moment of the short jmp it must lead on.
    refusal = put(short_jump_over_site(stub), writer, protection);
    if (refusal != Refusal::none) (void)take_back(jump, writer, protection);
  }
  stub.patched = refusal == Refusal::none;
  return refusal;
}

Refusal close_site(Stub& stub, Writer& writer, int protection) {
  if (!stub.patched || stub.tactic != Tactic::pad) return Refusal::none;
  const Change jump = short_jump_over_site(stub);
  if (jump.size && is_there(jump.address, jump.original, jump.size)) return Refusal::none;
  return take_back(jump, writer, protection);
}

Refusal unpatch(Stub& stub, Writer& writer, int protection) {
  if (!stub.patched) return Refusal::none;
  Refusal refusal = close_site(stub, writer, protection);
  if (refusal == Refusal::none) refusal = take_back(jump_over_window(stub), writer, protection);
  stub.patched = refusal != Refusal::none;
  return refusal;
}

}  // namespace sctrace::rewriter
