// Any bytes as code: what the quick decoder says of them, Zydis says too.
#include <cstdlib>

#include "rewriter/object.h"
#include "rewriter/opcode.h"
#include "rewriter/quick.h"
#include "rewriter/whole.h"

using namespace sctrace::rewriter;

extern "C" long sctrace_raw_syscall(long, long, long, long, long, long, long) { std::abort(); }

namespace {

void promise(bool kept) {
  if (!kept) std::abort();
}

void check(std::span<const uint8_t> bytes, uint64_t address) {
  const auto quick = quick_decode(bytes, address);
  if (!quick) return;
  const auto whole = whole_decode(bytes, address);
  Opcode opcode;
  read_opcode(bytes, opcode);
  if (!whole && opcode.vector) return;  // of these it knows lengths, not names
  promise(whole && whole->length == quick->length && whole->flow == quick->flow);
  promise(whole->target == quick->target && whole->is_syscall == quick->is_syscall);
  promise(whole->rip_at == quick->rip_at);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr uint64_t address = 0x10000;
  for (size_t at = 0; at < size; ++at) check({data + at, size - at}, address + at);
  return 0;
}
