// The planner on the libc and the loader of this machine.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "rewriter/quick.h"
#include "rewriter/whole.h"
#include "tests/support/catch.h"
#include "tests/unit/rewriter/elf_file.h"
#include "tests/unit/rewriter/pretend.h"

using namespace sctrace::rewriter;
using namespace sctrace::test;

namespace {

// What objdump takes for instructions: of all, or of the syscalls among them.
std::set<uint64_t> disassembled(const std::string& path, const std::string& filter) {
  std::set<uint64_t> found;
  const std::string command =
      "objdump -dw --no-show-raw-insn " + path + " 2>/dev/null | grep -E '" + filter + "'";
  FILE* out = popen(command.c_str(), "r");
  char line[512];
  while (out && std::fgets(line, sizeof line, out)) found.insert(std::strtoull(line, nullptr, 16));
  if (out) pclose(out);
  return found;
}

std::string summary(const Planned& planned) {
  Report report;
  std::string left;
  for (const Plan& plan : planned.plans) {
    report.count(plan.site.tactic, plan.site.refusal);
    if (plan.site.tactic != Tactic::trap) continue;
    char line[96];
    std::snprintf(line, sizeof line, "\n  %#lx: %s", plan.site.address, name_of(plan.site.refusal));
    left += line;
  }
  std::string text = std::to_string(report.sites) + " sites";
  for (unsigned i = 0; i < tactic_count; ++i)
    text += std::string(", ") + name_of(Tactic(i)) + " " + std::to_string(report.tactics[i]);
  return text + left;
}

}  // namespace

TEST_CASE("every syscall of this machine's libc and loader gets a door", "[rewriter][machine]") {
  const std::string path = GENERATE(as<std::string>{}, libc_path, loader_path);
  const ElfFile file(path);
  if (file.image.empty()) {
    WARN("no " + path + " here");
    return;
  }
  const Planned planned(file.object());
  INFO(path + ": " + summary(planned));
  unsigned trapped = 0;
  for (const Plan& plan : planned.plans) trapped += plan.site.tactic == Tactic::trap;
  CHECK(trapped == 0);
  CHECK(planned.plans.size() + planned.report.not_on_boundary == planned.report.candidates);
  CHECK(planned.plans.size() >= 40);

  const auto syscalls = disassembled(path, "[[:space:]]syscall");
  if (syscalls.empty()) {
    WARN("no objdump here");
    return;
  }
  std::set<uint64_t> sites;
  for (const Plan& plan : planned.plans) sites.insert(plan.site.address);
  CHECK(sites == syscalls);
}

TEST_CASE("windows in this machine's libc begin and end at objdump's instructions",
          "[rewriter][machine]") {
  const ElfFile file(libc_path);
  const auto boundaries = disassembled(libc_path, "^ +[0-9a-f]+:");
  if (file.image.empty() || boundaries.empty()) {
    WARN("no libc or no objdump here");
    return;
  }
  const Planned planned(file.object());
  std::string wrong;
  for (const Plan& plan : planned.plans) {
    const uint64_t end = plan.window + plan.window_bytes;
    const bool whole = boundaries.count(plan.window) && boundaries.count(end);
    if (!whole && plan.site.tactic != Tactic::pad) wrong += std::to_string(plan.site.address) + " ";
  }
  CHECK(wrong == "");
}

namespace {

// VEX and EVEX, behind a segment's prefix or none: quick_decode knows lengths of them, not names.
bool is_vector(std::span<const uint8_t> bytes) {
  size_t at = 0;
  while (bytes[at] == 0x2e || bytes[at] == 0x3e || bytes[at] == 0x64 || bytes[at] == 0x65) ++at;
  return bytes[at] == 0xc4 || bytes[at] == 0xc5 || bytes[at] == 0x62;
}

// Of quick_decode and its two companions: what they say of these bytes is what Zydis says, or
// nothing.
bool is_contradiction(std::span<const uint8_t> bytes, uint64_t address) {
  const auto quick = quick_decode(bytes, address);
  const auto fill = quick_fill(bytes);
  unsigned length = 0;
  if (fill && bytes[0] != 0xcc && *fill != (is_whole_fill(bytes, length) ? length : 0)) return true;
  if (!quick) return false;
  const auto whole = whole_decode(bytes, address);
  if (!whole && is_vector(bytes)) return false;
  if (!whole || whole->length != quick->length || whole->flow != quick->flow ||
      whole->target != quick->target || whole->is_syscall != quick->is_syscall ||
      whole->has_target != quick->has_target || whole->rip_at != quick->rip_at)
    return true;
  const auto insn = bytes.first(quick->length);
  const auto movable = quick_is_movable(insn);
  return movable && *movable != is_whole_movable(insn);
}

std::string words(std::span<const uint8_t> bytes) {
  std::string text;
  for (const uint8_t byte : bytes.first(std::min<size_t>(bytes.size(), 16)))
    for (const unsigned digit : {byte >> 4, byte & 15}) text += "0123456789abcdef"[digit];
  return text;
}

}  // namespace

TEST_CASE("the quick decoder never contradicts the whole one", "[rewriter][quick][machine]") {
  const std::string path = GENERATE(as<std::string>{}, libc_path, loader_path);
  const ElfFile file(path);
  if (file.image.empty()) {
    WARN("no " + path + " here");
    return;
  }
  const auto text = file.object().text.bytes;
  size_t known = 0;
  std::string wrong;
  for (size_t at = 0; at < text.size();
       ++at) {  // every byte, so that odd bytes are decoded as well
    if (is_contradiction(text.subspan(at), at) && wrong.size() < 1000)
      wrong += words(text.subspan(at)) + "\n";
    known += quick_decode(text.subspan(at), at).has_value();
  }
  CHECK(wrong == "");
  CHECK(known > text.size() / 2);
}

TEST_CASE("nor does it under any prefix, for any opcode and form of operand", "[rewriter][quick]") {
  const std::string prefix =
      GENERATE("", "66", "f3", "f2", "f0", "2e", "65", "48", "6648", "f348", "f266", "f366",
               "f36648", "64f0", "41", "f041", "6641", "f340", "662e", "66666666662e");
  const std::string escape = GENERATE("", "0f", "0f38", "0f3a");
  std::vector<uint8_t> bytes;
  for (const std::string& part : {prefix, escape})
    for (size_t i = 0; i < part.size(); i += 2)
      bytes.push_back(static_cast<uint8_t>(std::stoul(part.substr(i, 2), nullptr, 16)));
  const size_t at = bytes.size();
  std::string wrong;
  bytes.resize(at + 2 + 14, 0x24);
  for (unsigned opcode = 0; opcode < 256; ++opcode)
    for (unsigned modrm = 0; modrm < 256; ++modrm) {
      bytes[at] = static_cast<uint8_t>(opcode), bytes[at + 1] = static_cast<uint8_t>(modrm);
      if (is_contradiction(bytes, 0x1000) && wrong.size() < 1000) wrong += words(bytes) + "\n";
    }
  CHECK(wrong == "");
}

TEST_CASE("nor of VEX and EVEX, in any map", "[rewriter][quick]") {
  const unsigned map = GENERATE(range(0u, 8u));
  const uint8_t first = GENERATE(0xc4, 0xc5, 0x62), width = GENERATE(0x78, 0x7d, 0xf9, 0x7e);
  std::vector<uint8_t> bytes(20, 0x24);
  bytes[0] = first, bytes[1] = static_cast<uint8_t>((first == 0x62 ? 0xf0 : 0xe0) | map);
  bytes[2] = width, bytes[3] = 0x28;
  size_t at = 4;
  if (first == 0xc5) bytes[1] = width, at = 2;
  if (first == 0xc4) at = 3;
  if (first == 0x62) bytes[2] |= 4;
  std::string wrong;
  for (unsigned opcode = 0; opcode < 256; ++opcode)
    for (const uint8_t modrm : {0x00, 0x05, 0x0d, 0x44, 0x8c, 0xc1, 0xd8, 0x3c}) {
      bytes[at] = static_cast<uint8_t>(opcode), bytes[at + 1] = modrm;
      if (is_contradiction(bytes, 0x1000) && wrong.size() < 1000) wrong += words(bytes) + "\n";
    }
  CHECK(wrong == "");
}

TEST_CASE("planning costs the start of a program little", "[rewriter][machine][.bench]") {
  const ElfFile libc(libc_path), loader(loader_path);
  const Object objects[] = {libc.object(), loader.object()};
  double best = 1e9;
  for (int i = 0; i < 20; ++i) {
    const auto start = std::chrono::steady_clock::now();
    for (const Object& object : objects) Planned planned(object);
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
    best = std::min(best, took.count());
  }
  WARN("libc: " + summary(Planned(objects[0]))
       << "\nloader: " << summary(Planned(objects[1])) << "\nboth planned in " << best << " us");
}
