#include "formats/wire/inject.h"

#include <cstring>
#include <string>
#include "tests/support/catch.h"

using sctrace::wire::Injection;
using sctrace::wire::InjectionWords;
using sctrace::wire::parse_injection;

namespace {
bool one_call(const char* text, uint8_t* calls, bool& unknown) {
  unknown = false;
  if (std::strcmp(text, "read")) return false;
  return calls[0] = 1, true;
}
constexpr InjectionWords words{one_call,
                               [](const char* n) { return std::strcmp(n, "EIO") ? 0 : 5; },
                               [](const char* n) { return std::strcmp(n, "USR1") ? 0 : 10; }};

// What was expected and where, or nothing.
std::string wrong(const char* text, Injection& made) {
  char bad[64];
  const char* expected = parse_injection(text, words, made, bad, sizeof bad);
  return expected ? std::string(bad) + "|" + expected : std::string();
}
std::string place(const char* text) {
  Injection made;
  const std::string all = wrong(text, made);
  return all.substr(0, all.find('|'));
}
}  // namespace

TEST_CASE("an injection says where it makes no sense", "[formats][inject]") {
  auto [text, where] = GENERATE(table<const char*, const char*>({
      {"read:error=EFOO", "error=EFOO"},
      {"read:error=4096", "error=4096"},
      {"read:error=EIO:retval=1", "retval=1"},
      {"read:error=EIO:when=0", "when=0"},
      {"read:error=EIO:when=3..2", "when=3..2"},
      {"read:error=EIO:when=1+0", "when=1+0"},
      {"read:error=EIO:when=65536", "when=65536"},
      {"read:error=EIO:prob=1.5", "prob=1.5"},
      {"read:signal=65", "signal=65"},
      {"read:delay_enter=5m", "delay_enter=5m"},
      {"read:poke_enter=@arg7=00", "poke_enter=@arg7=00"},
      {"read:poke_enter=@arg1=0", "poke_enter=@arg1=0"},
      {"write:error=EIO", "write"},
      {"read", "read"},
      {"read:when=2", "when=2"},
      {"fault=read:retval=1", "retval=1"},
      {"read:nonsense=1", "nonsense=1"},
  }));
  DYNAMIC_SECTION(text) { CHECK(place(text) == where); }
}

TEST_CASE("when= is FIRST[..LAST][+[STEP]]", "[formats][inject]") {
  auto [text, first, last, step] = GENERATE(table<const char*, uint32_t, uint32_t, uint32_t>({
      {"read:error=EIO", 1, ~0u, 1},
      {"read:error=EIO:when=3", 3, 3, 0},
      {"read:error=EIO:when=3+", 3, ~0u, 1},
      {"read:error=EIO:when=3+2", 3, ~0u, 2},
      {"read:error=EIO:when=3..9", 3, 9, 1},
      {"read:error=EIO:when=3..9+2", 3, 9, 2},
  }));
  DYNAMIC_SECTION(text) {
    Injection made;
    REQUIRE(wrong(text, made).empty());
    CHECK(made.first == first);
    CHECK(made.last == last);
    CHECK(made.step == step);
    CHECK(made.result == -5);
  }
}

TEST_CASE("an injection holds what it was given", "[formats][inject]") {
  Injection made;
  REQUIRE(wrong("inject=read:retval=-1:signal=SIGUSR1:delay_exit=3ms:poke_exit=@arg2=00ff,@arg3=41:"
                "prob=12.5%:path=/tmp/*:fd=7:seed=9",
                made)
              .empty());
  CHECK(made.result == -1);
  CHECK(made.signal == 10);
  CHECK(made.delay_exit == 3'000'000);
  CHECK(made.exit[0].argument == 2);
  CHECK(made.exit[0].bytes == 2);
  CHECK(made.exit[0].data[1] == 0xff);
  CHECK(made.exit[1].data[0] == 0x41);
  CHECK(made.chance == 125'000);
  CHECK(std::string(made.path) == "/tmp/*");
  CHECK(made.fd == 7);
  CHECK(made.seed == 9);
}

TEST_CASE("a fault without an error is ENOSYS", "[formats][inject]") {
  Injection made;
  REQUIRE(wrong("fault=read:when=2+", made).empty());
  CHECK(made.answers);
  CHECK(made.result == -38);
}
