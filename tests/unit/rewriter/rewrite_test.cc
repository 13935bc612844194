#include "rewriter/rewrite.h"
#include "tests/support/catch.h"

#include <sys/resource.h>
#include <unistd.h>

#include "tests/unit/rewriter/executed.h"

using namespace sctrace::rewriter;
using namespace sctrace::test;

asm(R"(
    .pushsection .text
    .globl toy_trampoline
toy_trampoline:
    movq  %rax, %rcx
    movl  -6(%r11), %eax
    movl  %eax, toy_index(%rip)
    movl  toy_calls(%rip), %eax
    leal  1(%rax), %eax
    movl  %eax, toy_calls(%rip)
    movq  %rcx, %rax
    movq  %r11, toy_tail(%rip)
    syscall
    movq  toy_tail(%rip), %rcx
    jmp   *%rcx
    .popsection
    .pushsection .bss
    .globl toy_index, toy_calls
    .balign 8
toy_tail:  .quad 0
toy_index: .long 0
toy_calls: .long 0
    .popsection
)");

namespace {
bool carry(const Outcome& outcome) { return outcome.flags & 1; }

struct Case {
  const char* name;
  const char* code;
  Tactic tactic;
};
const Case cases[] = {
    // all make getpid, 39 = 0x27, from an eax of 0x27 or set by themselves
    {"mov", "[b827000000 0f05 c3]", Tactic::mov},
    {"pad", "[89c0 0f05 c3] cccccccccc [c3]", Tactic::pad},
    {"before", "[4889f6 4889ff 89c0 0f05 c3]", Tactic::before},
    {"before, rip-relative", "[8b0503000000 0f05 c3 27000000]", Tactic::before},
    {"after", "[0f05 488d7f00 c3]", Tactic::after},
    {"around", "[9090 0f05 90 c3]", Tactic::after},
};
}  // namespace

TEST_CASE("a rewritten call is made by the trampoline and looks as the kernel's",
          "[rewriter][rewrite]") {
  const Case& tried = cases[GENERATE(range(0u, unsigned{std::size(cases)}))];
  const bool near = GENERATE(true, false);  // is the trampoline within reach of the stub?
  DYNAMIC_SECTION(tried.name << (near ? ", near" : ", far")) {
    const Mapped mapped(tried.code, 0,
                        near ? reinterpret_cast<uint64_t>(toy_trampoline) + 0x1000'0000 : 0);
    Rewritten rewritten;
    REQUIRE(rewritten.add(mapped.object()) == 1);
    const Stub& stub = rewritten.table[0];
    REQUIRE(stub.patched);
    CHECK(std::string(name_of(stub.tactic)) == name_of(tried.tactic));
    toy_calls = 0, toy_index = ~0u;
    const Outcome outcome = run(mapped.at(0), 39);
    CHECK(outcome.rax == getpid());
    CHECK(outcome.rcx == stub.site + 2);
    CHECK(carry(outcome));
    CHECK(toy_calls == 1);
    CHECK(toy_index == 0);
  }
}

TEST_CASE("undo gives every byte back, and redo patches again", "[rewriter][rewrite]") {
  const Case& tried = cases[GENERATE(range(0u, unsigned{std::size(cases)}))];
  DYNAMIC_SECTION(tried.name) {
    const Mapped mapped(tried.code);
    Rewritten rewritten;
    REQUIRE(rewritten.add(mapped.object()) == 1);
    CHECK_FALSE(mapped.is_original());
    CHECK(undo(0, ~0ull) == 0);
    CHECK(mapped.is_original());
    toy_calls = 0;
    CHECK(run(mapped.at(0), 39).rax == getpid());
    CHECK(toy_calls == 0);
    CHECK(redo(0, ~0ull) == 0);
    CHECK(run(mapped.at(0), 39).rax == getpid());
    CHECK(toy_calls == 1);
  }
}

TEST_CASE("a process that is alone is patched the fast way, and its text is closed again",
          "[rewriter][rewrite]") {
  const Mapped mapped("[b827000000 0f05 c3]", 4094);
  Rewritten rewritten;
  const Object object = mapped.object();
  REQUIRE(rewritten.add({&object, 1}, reinterpret_cast<uint64_t>(toy_trampoline), true) == 1);
  CHECK(rewritten.table[0].patched);
  toy_calls = 0;
  CHECK(run(mapped.at(0)).rax == getpid());
  CHECK(toy_calls == 1);
  CHECK(undo(0, ~0ull) == 0);
  CHECK(mapped.is_original());
}

TEST_CASE("without memory near it a site is left to the trap, and says so", "[rewriter][rewrite]") {
  const Mapped mapped("[b827000000 0f05 c3]");
  Rewritten rewritten;
  rlimit before, none;
  getrlimit(RLIMIT_AS, &before);
  none = {.rlim_cur = 0, .rlim_max = before.rlim_max};
  const Object object = mapped.object();
  setrlimit(RLIMIT_AS, &none);
  const uint32_t stubs = rewritten.add(object);
  setrlimit(RLIMIT_AS, &before);
  CHECK(stubs == 0);
  REQUIRE(rewritten.left_count == 1);
  CHECK(std::string(name_of(rewritten.left[0].refusal)) == "no_memory");
  CHECK(rewritten.report.refusals[unsigned(Refusal::no_memory)] == 1);
  CHECK(mapped.is_original());
  CHECK(run(mapped.at(0)).rax == getpid());
}

TEST_CASE("the slow entry makes the call by itself", "[rewriter][rewrite]") {
  const Mapped mapped("[b827000000 0f05 c3]");
  Rewritten rewritten;
  REQUIRE(rewritten.add(mapped.object()) == 1);
  toy_calls = 0;
  const Outcome outcome = run(reinterpret_cast<const void*>(rewritten.table[0].tail - 2), 39);
  CHECK(outcome.rax == getpid());
  CHECK(outcome.rcx == rewritten.table[0].site + 2);
  CHECK(toy_calls == 0);
}

TEST_CASE("a window over a page boundary is patched whole", "[rewriter][rewrite]") {
  const size_t offset = GENERATE(range(size_t{4096 - 7}, size_t{4096}));
  const Mapped mapped("[b827000000 0f05 c3]", offset);
  Rewritten rewritten;
  REQUIRE(rewritten.add(mapped.object()) == 1);
  CHECK(rewritten.report.tactics[unsigned(Tactic::mov)] == 1);
  toy_calls = 0;
  CHECK(run(mapped.at(0)).rax == getpid());
  CHECK(toy_calls == 1);
  CHECK(undo(0, ~0ull) == 0);
  CHECK(mapped.is_original());
}

TEST_CASE("a program counter is found in stub, padding and window", "[rewriter][rewrite]") {
  const Mapped mapped("[89f8 0f05 31ff31f690 0f05 c3] cccccccccc [b827000000 0f05 c3]");
  Rewritten rewritten;
  REQUIRE(rewritten.add(mapped.object()) == 3);
  const uint64_t base = mapped.code.address;
  for (uint32_t i = 0; i < 3; ++i) {
    const Stub& stub = rewritten.table[i];
    CHECK(stub_of(stub.begin) == &stub);
    CHECK(stub_of(stub.end - 1) == &stub);
    CHECK(stub_at(stub.site) == &stub);
    CHECK(relocated(stub.site) == stub.entry_jump);
  }
  CHECK(stub_of(base) == nullptr);
  CHECK(stub_of(base + 12) == &rewritten.table[0]);
  CHECK(stub_at(base + 1) == nullptr);
  CHECK(relocated(base + 6) == rewritten.table[1].begin + 2);
  CHECK(relocated(base + 4) == base + 4);
  CHECK(relocated(base + 11) == base + 11);
  REQUIRE(undo(base, base + 100) == 0);
  CHECK(stub_of(base + 12) == &rewritten.table[0]);  // a signal may have found it there before
  CHECK(stub_of(base + 4) == nullptr);
  mprotect(reinterpret_cast<void*>(mapped.begin), mapped.size, PROT_READ | PROT_WRITE);
  *mapped.at(12) = 0x90;  // another text
  CHECK(stub_of(base + 12) == nullptr);
  forget(base, base + 100);
  CHECK(stub_of(rewritten.table[2].begin) == &rewritten.table[2]);
  CHECK(relocated(base + 6) == base + 6);
}

TEST_CASE("objects far apart get arenas of their own", "[rewriter][rewrite]") {
  const Mapped near("[b827000000 0f05 c3]"), far("[b827000000 0f05 c3]", 0, 0x2000'0000'0000);
  Rewritten rewritten;
  const Object objects[] = {near.object(), far.object()};
  REQUIRE(rewritten.add(objects) == 2);
  REQUIRE(banks().size() == 2);
  CHECK(banks()[0].arena.begin != banks()[1].arena.begin);
  toy_calls = 0;
  CHECK(run(near.at(0)).rax == getpid());
  CHECK(toy_index == 0);
  CHECK(run(far.at(0)).rax == getpid());
  CHECK(toy_index == 1);
  CHECK(toy_calls == 2);
}

TEST_CASE("a second batch goes on in the same table", "[rewriter][rewrite]") {
  const Mapped first("[b827000000 0f05 c3]"), second("[b827000000 0f05 c3 0f05]");
  Rewritten rewritten;
  CHECK(rewritten.add(first.object()) == 1);
  CHECK(rewritten.add(second.object()) == 2);
  CHECK(run(second.at(0)).rax == getpid());
  CHECK(toy_index == 1);
  CHECK(rewritten.report.sites == 3);
  REQUIRE(rewritten.left_count == 1);
  CHECK(rewritten.left[0].address == second.code.address + 8);
  CHECK(rewritten.left[0].refusal != Refusal::none);
}

TEST_CASE("a table that is full leaves the rest to the trap", "[rewriter][rewrite]") {
  const Mapped mapped("[b827000000 0f05 b827000000 0f05 c3]");
  Rewritten rewritten;
  rewritten.table.resize(1);
  CHECK(rewritten.add(mapped.object()) == 1);
  REQUIRE(rewritten.left_count == 1);
  CHECK(rewritten.left[0].refusal == Refusal::no_room);
  CHECK(rewritten.report.refusals[unsigned(Refusal::no_room)] == 1);
}

namespace {
bool add_late(Rewritten& rewritten, const Mapped& mapped, Running running) {
  Region region{reinterpret_cast<uint8_t*>(rewritten.memory.data()), rewritten.memory.size() * 8,
                0};
  Late late;
  if (!try_prepare(late, mapped.object(), reinterpret_cast<uint64_t>(toy_trampoline), region,
                   rewritten.report))
    return abandon(late), false;
  commit(late, running);
  return true;
}
}  // namespace

TEST_CASE("an object that comes later is patched, forgotten, and its place used again",
          "[rewriter][rewrite]") {
  const Mapped first("[b827000000 0f05 c3]");
  Rewritten rewritten;
  REQUIRE(rewritten.add(first.object()) == 1);
  for (int round = 0; round < 3; ++round) {
    Mapped late("[b827000000 0f05 c3]");
    late.ends_all = false;
    const Running running = round ? Running::anybody : Running::nobody;
    REQUIRE(add_late(rewritten, late, running));
    const Stub& stub = rewritten.table[1];
    CHECK(stub_at(late.code.address + 5) == &stub);
    toy_calls = 0;
    CHECK(run(late.at(0)).rax == getpid());
    CHECK((toy_calls == 1 && toy_index == 1));
    CHECK(has_text_in(late.begin, late.begin + 1));
    const uint64_t stub_begin = stub.begin, born = births();
    forget(late.begin, late.begin + late.size, born - 1);  // somebody who looked before it came
    CHECK(stub_of(stub_begin) == &stub);
    forget(late.begin, late.begin + late.size, born);
    CHECK(stub_of(stub_begin) == nullptr);
    CHECK_FALSE(has_text_in(late.begin, late.begin + 1));
  }
  CHECK(banks().size() == 2);
  CHECK(run(first.at(0)).rax == getpid());
}

TEST_CASE("what was prepared and abandoned has left nothing", "[rewriter][rewrite]") {
  const Mapped first("[b827000000 0f05 c3]"), second("[b827000000 0f05 c3]");
  Rewritten rewritten;
  REQUIRE(rewritten.add(first.object()) == 1);
  Region region{reinterpret_cast<uint8_t*>(rewritten.memory.data()), rewritten.memory.size() * 8,
                0};
  Late late;
  REQUIRE(try_prepare(late, second.object(), reinterpret_cast<uint64_t>(toy_trampoline), region,
                      rewritten.report));
  const uint64_t arena = late.bank.arena.begin;
  abandon(late);
  CHECK(msync(reinterpret_cast<void*>(arena), 4096, MS_ASYNC) == -1);
  CHECK(second.is_original());
  CHECK(banks().size() == 1);
  CHECK(stub_of(arena) == nullptr);
}

TEST_CASE("a jump is not put over several instructions while threads run", "[rewriter][rewrite]") {
  const Case& tried = cases[GENERATE(range(0u, unsigned{std::size(cases)}))];
  DYNAMIC_SECTION(tried.name) {
    const Mapped first("[b827000000 0f05 c3]"), mapped(tried.code, 3);
    Rewritten rewritten;
    REQUIRE(rewritten.add(first.object()) == 1);
    REQUIRE(add_late(rewritten, mapped, Running::anybody));
    const Stub& stub = rewritten.table[1];
    const bool one =
        tried.tactic == Tactic::mov || tried.tactic == Tactic::pad || stub.move_count == 1;
    const bool refused = tried.tactic == Tactic::after || !one;
    CHECK(stub.patched == !refused);
    CHECK(mapped.is_original() == refused);
    toy_calls = 0;
    CHECK(run(mapped.at(0), 39).rax == getpid());
    CHECK(toy_calls == (refused ? 0 : 1));
    CHECK(undo(mapped.begin, mapped.begin + mapped.size, Running::anybody) == 0);
    CHECK(mapped.is_original());
  }
}

TEST_CASE("an arena is executable and not writable, and says what it is", "[rewriter][arena]") {
  const Mapped mapped("[b827000000 0f05 c3]");
  Rewritten rewritten;
  rewritten.add(mapped.object());
  const uint64_t address = banks()[0].arena.begin;
  FILE* maps = std::fopen("/proc/self/maps", "r");
  char line[512];
  uint64_t begin = 0, end = 0;
  std::string found;  // the kernel may make one mapping of it and a neighbour
  while (maps && std::fgets(line, sizeof line, maps))
    if (std::sscanf(line, "%lx-%lx", &begin, &end) == 2 && address >= begin && address < end)
      found = line;
  if (maps) std::fclose(maps);
  CHECK_THAT(found, sctrace::test::contains("r-xp"));
}
