// Code that really runs: pretended objects mapped at real addresses, and a toy in the trampoline's
// place.
#pragma once
#include <sys/mman.h>

#include <cstring>

#include "arch/x86_64/frame.h"
#include "rewriter/rewrite.h"
#include "tests/unit/rewriter/pretend.h"

// Makes the call and goes on at the stub's tail, as the real one; remembers which stub it came
// from.
extern "C" {
extern uint32_t toy_index, toy_calls;
extern const char toy_trampoline[];
}

namespace sctrace::test {

// Named here because the linker looks into the library of test support only once, before the
// rewriter's.
[[gnu::used]] inline auto* const raw_syscall_of_tests = &sctrace_raw_syscall;

// Maps the code of a Pretend at its address, read-execute, between two pages that are no memory.
struct Mapped {
  Pretend code;
  uint64_t begin = 0;
  size_t size = 0;
  bool ends_all = true;  // and all stubs are forgotten when it goes

  // `offset` into the first page is where the code begins.
  explicit Mapped(const std::string& text, size_t offset = 0, uint64_t hint = 0) : code(text) {
    size = (offset + code.text.size() + 4095) / 4096 * 4096;
    void* got = mmap(reinterpret_cast<void*>(hint), size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    begin = reinterpret_cast<uint64_t>(got);
    code = Pretend(text, begin + offset);
    std::memcpy(at(0), code.text.data(), code.text.size());
    mprotect(got, size, PROT_READ | PROT_EXEC);
  }
  ~Mapped() {
    if (ends_all) rewriter::forget_all();
    munmap(reinterpret_cast<void*>(begin), size);
  }
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;

  uint8_t* at(size_t offset) const { return reinterpret_cast<uint8_t*>(code.address + offset); }
  bool is_original() const { return !std::memcmp(at(0), code.text.data(), code.text.size()); }
  rewriter::Object object() const {
    rewriter::Object object = code.object();
    object.text.bytes = {at(0), code.text.size()};
    return object;
  }
};

struct Rewritten {
  std::vector<rewriter::Stub> table = std::vector<rewriter::Stub>(64);
  std::vector<uint64_t> memory = std::vector<uint64_t>(1 << 15);
  std::vector<rewriter::Site> left = std::vector<rewriter::Site>(64);
  uint32_t left_count = 0, count = 0;
  rewriter::Report report;

  uint32_t add(std::span<const rewriter::Object> objects,
               uint64_t trampoline = reinterpret_cast<uint64_t>(toy_trampoline),
               bool alone = false) {
    rewriter::Region region{reinterpret_cast<uint8_t*>(memory.data()), memory.size() * 8, 0};
    return count = rewriter::rewrite(objects, trampoline, region, table, left, left_count, report,
                                     alone);
  }
  uint32_t add(const rewriter::Object& object) { return add(std::span(&object, 1)); }
};

// What a call of the code left behind.
struct Outcome {
  long rax;
  uint64_t rcx, flags;
};

inline Outcome run(const void* entry, long rax = 0, long rdi = 0) {
  Outcome out{.rax = rax, .rcx = 0, .flags = 0};
  asm volatile(
      "lea -256(%%rsp), %%rsp\n"
      "stc\n"
      "call *%[entry]\n"
      "pushfq\n"
      "pop %[flags]\n"
      "lea 256(%%rsp), %%rsp\n"
      : "+a"(out.rax), "=c"(out.rcx), [flags] "=r"(out.flags), "+D"(rdi)
      : [entry] "r"(entry)
      : "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc");
  return out;
}

}  // namespace sctrace::test
