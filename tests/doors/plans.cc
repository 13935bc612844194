// plans FILE...: what the planner makes of ELF files, a line a site, for corpus.py to compare with
// another disassembler:
//
//   object PATH TEXT_BEGIN TEXT_END CANDIDATES
//   site ADDRESS TACTIC REFUSAL WINDOW_BEGIN WINDOW_END FUNCTION_BEGIN FUNCTION_END
//   fault ADDRESS WHY        a stub's instruction that is not the moved one
//
// Stubs are built too, and each instruction in them compared with the one that it was made from:
// the same bytes, but for a displacement that names the same place.
#include <cinttypes>
#include <cstdio>
#include <memory>

#include "rewriter/plan.h"
#include "rewriter/stub.h"
#include "tests/unit/rewriter/elf_file.h"

using namespace sctrace::rewriter;
using namespace sctrace::test;

namespace {

// True when the bytes at `to` do there what those at `from` do here.
bool is_same(std::span<const uint8_t> from, uint64_t from_address, const uint8_t* to,
             uint64_t to_address) {
  if (!std::memcmp(from.data(), to, from.size())) return true;
  for (size_t at = 1; at + 4 <= from.size(); ++at) {
    int32_t before, after;
    std::memcpy(&before, from.data() + at, 4), std::memcpy(&after, to + at, 4);
    if (from_address + static_cast<uint64_t>(int64_t{before}) !=
        to_address + static_cast<uint64_t>(int64_t{after}))
      continue;
    if (!std::memcmp(from.data(), to, at) &&
        !std::memcmp(from.data() + at + 4, to + at + 4, from.size() - at - 4))
      return true;
  }
  return false;
}

void check_stub(const Object& object, const Plan& plan) {
  const uint64_t address = (object.text.end() + 0x100000) & ~15ull;
  uint8_t code[stub_max] = {};
  Stub stub;
  const Refusal refusal = build_stub(plan, object.text, address, address + 0x1000, 7, code, stub);
  if (refusal != Refusal::none)
    return void(
        std::printf("fault %#" PRIx64 " no stub: %s\n", plan.site.address, name_of(refusal)));
  for (unsigned i = 0; i < stub.move_count; ++i) {
    const uint64_t from = stub.window + stub.moves[i].from;
    const auto insn = decode(object.text.from(from), from);
    if (!insn || !is_same(object.text.part(from, insn->length), from, code + stub.moves[i].to,
                          address + stub.moves[i].to))
      std::printf("fault %#" PRIx64 " moved instruction %u differs\n", plan.site.address, i);
  }
}

void show(const char* path) {
  const ElfFile file(path);
  if (file.image.empty()) return;
  const Object object = file.go_object();
  if (object.text.bytes.empty()) return;
  static std::vector<uint64_t> memory(1 << 20);  // as much as the library lends
  Region region{reinterpret_cast<uint8_t*>(memory.data()), memory.size() * 8, 0};
  Report report;
  const auto plans = plan_object(object, region, report);
  std::printf("object %s %#" PRIx64 " %#" PRIx64 " %u\n", path, object.text.address,
              object.text.end(), report.candidates);
  for (const Plan& plan : plans) {
    std::printf("site %#" PRIx64 " %s %s %#" PRIx64 " %#" PRIx64 " %#" PRIx64 " %#" PRIx64 "\n",
                plan.site.address, name_of(plan.site.tactic), name_of(plan.site.refusal),
                plan.window, plan.window + plan.window_bytes, plan.function.begin,
                plan.function.end);
    if (plan.site.tactic != Tactic::trap) check_stub(object, plan);
  }
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) show(argv[i]);
  return 0;
}
