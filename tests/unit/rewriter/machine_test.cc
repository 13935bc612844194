// The planner on the libc and the loader of this machine.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <set>

#include "rewriter/quick.h"
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

TEST_CASE("the quick decoder never contradicts the whole one", "[rewriter][quick][machine]") {
  const std::string path = GENERATE(as<std::string>{}, libc_path, loader_path);
  const ElfFile file(path);
  if (file.image.empty()) {
    WARN("no " + path + " here");
    return;
  }
  const auto text = file.object().text.bytes;
  size_t known = 0, wrong = 0, first_wrong = 0;
  for (size_t at = 0; at < text.size();
       ++at) {  // every byte, so that odd bytes are decoded as well
    const auto quick = quick_decode(text.subspan(at), at);
    if (!quick) continue;
    ++known;
    const auto whole = whole_decode(text.subspan(at), at);
    const bool same = whole && whole->length == quick->length && whole->flow == quick->flow &&
                      whole->target == quick->target && !whole->is_syscall &&
                      whole->rip_at == quick->rip_at;
    if (!same && !wrong++) first_wrong = at;
  }
  INFO("first at " << std::hex << first_wrong + file.object().text.address);
  CHECK(wrong == 0);
  CHECK(known > text.size() / 2);
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
