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

// The tactic of each site, or why it has none; then the text, and the stubs.
std::string patched(const std::string& code) {
  const Pretend pretend(code);
  const Object object = pretend.object();
  const Planned planned(object);
  if (planned.plans.empty()) return "none";
  std::vector<uint8_t> text = pretend.text;
  std::string names, stubs;
  uint64_t at = stub_at_address;
  for (const Plan& plan : planned.plans) {
    Stub stub;
    uint8_t bytes[stub_max];
    Refusal refusal = plan.site.refusal;
    if (refusal == Refusal::none)
      refusal = build_stub(plan, object.text, at, trampoline, 7, bytes, stub);
    names += name_of(refusal == Refusal::none ? plan.site.tactic : Tactic::trap);
    if (refusal != Refusal::none) {
      names += name_of(refusal);
      continue;
    }
    apply(jump_over_window(stub), text, pretend.address);
    if (stub.tactic == Tactic::pad) apply(short_jump_over_site(stub), text, pretend.address);
    stubs += "stub" + hex_of({bytes, stub.size});
    at += stub.size;
  }
  return stubs.empty() ? names : names + "text" + hex_of(text) + stubs;
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
  CHECK(cases >= 17);
}
