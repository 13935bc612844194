// Stack records, and the names that addresses get.
#include <dlfcn.h>
#include <link.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "arch/table.h"
#include "formats/callers.h"
#include "formats/groups.h"
#include "formats/read/demangle.h"
#include "formats/read/symbols.h"
#include "tests/support/catch.h"
#include "tests/support/scratch_trace.h"

using namespace sctrace;
using namespace sctrace::arch;
using test::ScratchTrace;
using wire::Began;

// What the tests find again in their own program's file.
extern "C" [[gnu::noinline, gnu::used]] int stack_test_function(int n) {
  asm volatile("" : "+r"(n));
  return n + 1;
}

namespace {

std::string told(uint32_t place, const std::vector<uint64_t>& addresses, uint8_t flags = 0) {
  const wire::Stack record{static_cast<uint16_t>(1 + addresses.size()), wire::Type::stack, flags,
                           place};
  std::string bytes(reinterpret_cast<const char*>(&record), sizeof record);
  return bytes.append(reinterpret_cast<const char*>(addresses.data()), addresses.size() * 8);
}

std::string again(uint32_t place) { return told(place, {}, wire::stack_again); }

std::vector<std::vector<uint64_t>> stacks_in(ScratchTrace& scratch) {
  const read::Trace trace(scratch.write());
  read::Timeline timeline(trace);
  std::vector<std::vector<uint64_t>> all;
  for (read::Item item; timeline.next(item);)
    if (item.kind == read::Item::Kind::leave)
      all.push_back(item.call->stack ? item.call->stack->addresses : std::vector<uint64_t>{});
  return all;
}

// This program: where it is mapped, and its file.
uint64_t own_base() {
  uint64_t base = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* to) {
        *static_cast<uint64_t*>(to) = info->dlpi_addr;
        return 1;  // the first is the program
      },
      &base);
  return base;
}

Stack named(ScratchTrace& scratch) {
  const read::Trace trace(scratch.write());
  read::Timeline timeline(trace);
  read::Symbols symbols;
  for (read::Item item; timeline.next(item);)
    if (item.kind == read::Item::Kind::leave) return symbols.stack_of(*item.call);
  return {};
}

}  // namespace

TEST_CASE("a stack is told once in a block and referred to after that", "[formats][stack]") {
  ScratchTrace scratch;
  auto& ring = scratch.image(7).ring(7, Began::image);
  ring.entry(nr_getpid).raw(told(96, {0x1000, 0x2000})).exit(7);
  ring.entry(nr_getpid).raw(told(200, {0x1000, 0x3000})).exit(7);
  ring.entry(nr_getpid).raw(again(96)).exit(7);
  ring.entry(nr_getpid).exit(7);
  CHECK(stacks_in(scratch) == std::vector<std::vector<uint64_t>>{
                                  {0x1000, 0x2000}, {0x1000, 0x3000}, {0x1000, 0x2000}, {}});
}

TEST_CASE("what another block told is not believed", "[formats][stack]") {
  ScratchTrace scratch;
  auto& ring = scratch.image(7, wire::Mode::stream, 256, 4).ring(7, Began::image);
  ring.entry(nr_getpid).raw(told(96, {0x1000, 0x2000})).exit(7);
  for (int n = 0; n < 8; ++n) ring.entry(nr_getpid).exit(7);
  ring.entry(nr_getpid).raw(again(96)).exit(7);
  const auto stacks = stacks_in(scratch);
  CHECK(stacks.front().size() == 2);
  CHECK(stacks.back().empty());
}

TEST_CASE("a stack record that makes no sense ends its block", "[formats][stack]") {
  std::string bytes;
  SECTION("without an address") { bytes = told(96, {}); }
  SECTION("that refers and tells") { bytes = told(96, {1, 2}, wire::stack_again); }
  ScratchTrace scratch;
  auto& ring = scratch.image(7).ring(7, Began::image);
  ring.entry(nr_getpid).exit(7).entry(nr_getpid).raw(bytes).exit(7);
  const read::Trace trace(scratch.write());
  read::Timeline timeline(trace);
  uint64_t items = 0;
  for (read::Item item; timeline.next(item);) ++items;
  CHECK(items > 2);
  CHECK(timeline.losses().damaged == 1);
}

TEST_CASE("an address is named by the file that was mapped there", "[formats][stack]") {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  const uint64_t base = own_base();
  const uint64_t place = reinterpret_cast<uint64_t>(&stack_test_function) + 3;
  ScratchTrace scratch;
  auto& image = scratch.image(7);
  std::snprintf(image.header.objects, sizeof image.header.objects, "%lx %s\n", base, self.c_str());
  image.ring(7, Began::image).entry(nr_getpid).raw(told(96, {place, 16}, wire::stack_cut)).exit(7);
  SECTION("in the same build") {
    const Stack stack = named(scratch);
    REQUIRE(stack.size() == 2);
    CHECK(stack[0].symbol == "stack_test_function");
    CHECK(stack[0].offset == 3);
    CHECK(stack[0].object == self);
    CHECK(stack[1].object.empty());
    CHECK(stack.how_it_ends() == Stack::End::cut);
    CHECK(callers_of(stack) == "0x10;stack_test_function");
  }
  SECTION("but not in another build") {
    image.header.ids[0] = {{1, 2, 3}, 1 << 20};
    const Stack stack = named(scratch);
    REQUIRE(stack.size() == 2);
    CHECK(stack[0].symbol.empty());
    CHECK(stack[0].object == self);
    CHECK(stack[0].offset == place - base);
  }
  SECTION("nor where the object does not reach") {
    image.header.ids[0] = {{}, 1};
    const Stack stack = named(scratch);
    CHECK(stack[0].object.empty());
  }
}

TEST_CASE("calls are counted by who made them", "[formats][stack]") {
  ScratchTrace scratch;
  auto& ring = scratch.image(7).ring(7, Began::image);
  ring.entry(nr_getpid).raw(told(96, {0x1000, 0x2000})).exit(7);
  ring.entry(nr_getpid).raw(again(96)).exit(7);
  ring.entry(nr_getppid).raw(again(96)).exit(7).call(nr_getpid, {}, 7);
  const read::Trace trace(scratch.write());
  Groups groups(GroupKey::stack, trace);
  read::Timeline timeline(trace);
  for (read::Item item; timeline.next(item);) groups.add(item);
  std::map<std::string, uint64_t> calls;
  for (const Count& row : groups.rows()) calls[row.name] = row.calls;
  CHECK(calls == std::map<std::string, uint64_t>{{"0x2000;0x1000;getpid", 2},
                                                 {"0x2000;0x1000;getppid", 1},
                                                 {std::string(no_group), 1}});
}

TEST_CASE("names are shown as their programmers wrote them", "[formats][stack]") {
  using read::demangled;
  CHECK(demangled("_ZN3foo3barEi") == "foo::bar(int)");
  CHECK(demangled("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE") ==
        "core::fmt::Write::write_fmt");
  CHECK(
      demangled("_ZN48_$LT$std..io..Stdin$u20$as$u20$std..io..Read$GT$4read17h0123456789abcdefE") ==
      "<std::io::Stdin as std::io::Read>::read");
  CHECK(demangled("_ZN3foo3bar17h0123456789abcdefE.llvm.17218368609751173509") == "foo::bar");
  CHECK(demangled("_ZN3foo17h0123456789abcdeE") == "_ZN3foo17h0123456789abcdeE");
  CHECK(demangled("main") == "main");
  CHECK(demangled("_Z") == "_Z");
}

TEST_CASE("Rust's newer names are shown as Rust writes them", "[formats][stack]") {
  using read::demangled;
  auto [name, expected] = GENERATE(Catch::Generators::table<const char*, const char*>({
      {"_RNvCs1234_7mycrate3foo", "mycrate::foo"},
      {"_RNvMs_Cs1234_1aNtB4_1S3new", "<a::S>::new"},
      {"_RINvNtC3std3mem8align_ofjE", "std::mem::align_of::<usize>"},
      {"_RINvNtC3std3mem8align_ofdEC3foo", "std::mem::align_of::<f64>"},
      {"_RNvXCs1234_1aRShNtB2_1T1f", "<&[u8] as a::T>::f"},
      {"_RNCNvC1a4main0B3_", "a::main::{closure#0}"},
      {"_RNCNvC1a4mains_0B3_", "a::main::{closure#1}"},
      {"_RINvC1a1gFG_RL0_hEuE", "a::g::<for<'a> fn(&'a u8)>"},
      {"_RINvC1a1gDNtNtC4core6marker4SendEL_E", "a::g::<dyn core::marker::Send>"},
      {"_RINvC1a1gDINtC4core2FnuEp6OutputbEL_E", "a::g::<dyn core::Fn<(), Output = bool>>"},
      {"_RINvC1a1kKb1_Kc78_Kan3_E", "a::k::<true, 'x', -3>"},
      {"_RINvC1a1gTuEAlj4_hE.llvm.77", "a::g::<((),), [i32; 4], u8>"},
      {"_RNvC1a", "_RNvC1a"},                // ends too early
      {"_RNvB_1a", "_RNvB_1a"},              // leads to itself
      {"_RNvC9a1b", "_RNvC9a1b"},            // a part longer than the name
      {"_RINvC1a1kKb1_", "_RINvC1a1kKb1_"},  // a list without an end
  }));
  CHECK(demangled(name) == expected);
}
