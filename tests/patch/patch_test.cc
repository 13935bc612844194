// Drives the pairs NAME.in and NAME.out of this folder. Both are hex as in Pretend, one instruction
// a line, with its assembly behind a #; the comments are for people and not compared.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "arch/x86_64/frame.h"
#include "rewriter/apply.h"
#include "tests/support/catch.h"
#include "tests/unit/rewriter/pretend.h"

using namespace sctrace::rewriter;
using namespace sctrace::test;

namespace {

// Named here because the linker looks into the library of test support only once, before the
// rewriter's.
[[gnu::used]] inline auto* const raw_syscall_of_tests = &sctrace_raw_syscall;

constexpr uint64_t stub_at_address = 0x500000, trampoline = 0x600000;

// All that is said, without comments and blanks.
std::string words_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::string all, line;
  while (std::getline(in, line)) {
    std::istringstream words(line.substr(0, line.find('#')));
    for (std::string word; words >> word;) all += word;
  }
  return all;
}

std::string hex_of(std::span<const uint8_t> bytes) {
  std::string text;
  char two[3];
  for (uint8_t byte : bytes) std::snprintf(two, sizeof two, "%02x", byte), text += two;
  return text;
}

void apply(const Change& change, std::vector<uint8_t>& text, uint64_t address) {
  REQUIRE(change.size > 0);
  std::memcpy(&text[change.address - address], change.bytes, change.size);
}

std::string patched(const std::string& code) {
  const Pretend pretend(code);
  const Object object = pretend.object();
  const Planned planned(object);
  REQUIRE(planned.plans.size() == 1);
  const Plan& plan = planned.plans[0];
  if (plan.site.tactic == Tactic::trap) return std::string("trap") + name_of(plan.site.refusal);
  Stub stub;
  uint8_t bytes[stub_max];
  REQUIRE(build_stub(plan, object.text, stub_at_address, trampoline, 7, bytes, stub) ==
          Refusal::none);
  std::vector<uint8_t> text = pretend.text;
  apply(jump_over_window(stub), text, pretend.address);
  if (stub.tactic == Tactic::pad) apply(short_jump_over_site(stub), text, pretend.address);
  return std::string(name_of(stub.tactic)) + "text" + hex_of(text) + "stub" +
         hex_of({bytes, stub.size});
}

}  // namespace

TEST_CASE("code is patched as its .out says", "[rewriter][patch]") {
  unsigned cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(PATCH_CASES)) {
    if (entry.path().extension() != ".in") continue;
    ++cases;
    DYNAMIC_SECTION(entry.path().stem().string()) {
      auto expected = entry.path();
      expected.replace_extension(".out");
      CHECK_THAT(patched(words_of(entry.path())), Catch::Matchers::Equals(words_of(expected)));
    }
  }
  CHECK(cases >= 7);
}
