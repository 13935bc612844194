#include "arch/table.h"
#include "tests/support/catch.h"

#include <dlfcn.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "formats/read/structs.h"

using namespace sctrace;

namespace {

struct Arity {
  const char* name;
  int count;
};
constexpr Arity arities[] = {
#define ARITY(name, count) {#name, count},
#include "arch/x86_64/arities.def"
#undef ARITY
};

const arch::Row* row_of(const std::string& name) {
  for (uint32_t nr = 0; nr < arch::number_limit; ++nr)
    if (arch::lookup(nr).name && name == arch::lookup(nr).name) return &arch::lookup(nr);
  return nullptr;
}

}  // namespace

TEST_CASE("every number and name is the one that libseccomp knows", "[arch][table]") {
  void* library = dlopen("libseccomp.so.2", RTLD_NOW);
  if (!library) {
    WARN("libseccomp.so.2 is not installed: skipped");
    return;
  }
  using Resolve = char* (*)(uint32_t, int);
  const auto resolve =
      reinterpret_cast<Resolve>(dlsym(library, "seccomp_syscall_resolve_num_arch"));
  REQUIRE(resolve);
  std::string differences;
  for (uint32_t nr = 0; nr < arch::number_limit; ++nr) {
    char* theirs = resolve(0xc000003e, static_cast<int>(nr));  // x86-64
    const char* ours = arch::lookup(nr).name;
    if (theirs && (!ours || std::strcmp(theirs, ours)))
      differences += std::to_string(nr) + ' ' + theirs + '\n';
    std::free(theirs);
  }
  CHECK(differences == "");
}

TEST_CASE("whole rows have as many arguments as the kernel says", "[arch][table]") {
  std::string differences;
  for (const Arity& a : arities) {
    const arch::Row* row = row_of(a.name);
    if (!row)
      differences += std::string("no row for ") + a.name + '\n';
    else if (row->whole && row->arity != a.count)
      differences += std::string(a.name) + ": " + std::to_string(row->arity) + ", the kernel has " +
                     std::to_string(a.count) + '\n';
  }
  CHECK(differences == "");
}

TEST_CASE("the running kernel has no call that the table does not name", "[arch][table]") {
  const std::filesystem::path events = "/sys/kernel/tracing/events/syscalls";
  std::error_code error;
  if (!std::filesystem::exists(events, error)) {
    WARN("tracefs cannot be read: skipped");
    return;
  }
  static const std::set<std::string> internal = {"newstat",    "newfstat", "newlstat", "newuname",
                                                 "sendfile64", "umount",   "sysctl"};
  std::string missing;
  for (const auto& entry : std::filesystem::directory_iterator(events, error)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with("sys_enter_")) continue;
    const std::string call = name.substr(10);
    if (!internal.contains(call) && !row_of(call)) missing += call + '\n';
  }
  CHECK(missing == "");
}

TEST_CASE("a set names each value once and each part leads to a set with words", "[arch][names]") {
  std::string wrong;
  std::set<std::string> seen;
  for (const arch::fold::Word& w : arch::fold::vocabulary) {
    if (w.role == arch::fold::Role::set) seen.clear();
    if (w.role == arch::fold::Role::word && !seen.insert(w.text).second)
      wrong += std::string(w.text) + " twice\n";
    if (w.role == arch::fold::Role::part && w.set == arch::Set::none)
      wrong += "a part without a set\n";
  }
  CHECK(wrong == "");
}

TEST_CASE("flags in a set are whole bits of the value", "[arch][names]") {
  const Value v = read::words(arch::Set::map_flags, 0x22);
  REQUIRE(v.items.size() == 2);
  CHECK(v.items[0].text == "MAP_PRIVATE");
  CHECK(v.items[1].text == "MAP_ANONYMOUS");
}

TEST_CASE("every member lies within its struct", "[arch][structs]") {
  std::string wrong;
#define MEMBER(of, name, offset, bytes, kind, set, inner, count, detail) \
  if (offset + bytes * (count ? count : 1) >                             \
      arch::layout_bytes[static_cast<size_t>(arch::Layout::of)])         \
    wrong += std::string(#of ".") + name + '\n';
#include "arch/members.def"
#undef MEMBER
  CHECK(wrong == "");
}

TEST_CASE("what measures memory is an argument of the same call", "[arch][table]") {
  std::string wrong;
  for (uint32_t nr = 0; nr < arch::number_limit; ++nr) {
    const arch::Row& row = arch::lookup(nr);
    for (uint8_t i = 0; i < row.arity && row.whole; ++i) {
      const arch::Arg& a = row.args[i];
      if (a.kind == arch::Kind::buffer && a.measure == arch::Measure::none)
        wrong += std::string(row.name) + '.' + a.name + '\n';
      if (a.way == arch::Way::in && a.measure == arch::Measure::result)
        wrong += std::string(row.name) + " in by result\n";
      if (a.kind == arch::Kind::variant && row.args[a.which].kind != arch::Kind::command)
        wrong += std::string(row.name) + " without command\n";
    }
  }
  CHECK(wrong == "");
}

TEST_CASE("a command tells what the variant argument is", "[arch][commands]") {
  SECTION("known") {
    const arch::Arg* arg = arch::variant_of(arch::nr_fcntl, 6);  // F_SETLK
    REQUIRE(arg);
    CHECK(arg->layout == arch::Layout::flock);
    CHECK(arg->way == arch::Way::in);
  }
  SECTION("not passed") { CHECK_FALSE(arch::variant_of(arch::nr_fcntl, 1)); }
  SECTION("the second of several") {
    const arch::Arg* arg = arch::variant_of(arch::nr_prctl, 22, 1);  // PR_SET_SECCOMP
    REQUIRE(arg);
    CHECK(arg->layout == arch::Layout::sock_fprog);
  }
  SECTION("unknown") { CHECK_FALSE(arch::command_of(arch::nr_prctl, 0xffffffff)); }
}

TEST_CASE("an unknown number is six hexadecimal arguments", "[arch][table]") {
  CHECK(arch::lookup(499).arity == 6);
  CHECK_FALSE(arch::lookup(499).whole);
  CHECK(arch::lookup(0xffffffff).name == nullptr);
}
