#include "formats/read/decode.h"
#include "tests/support/catch.h"

#include <cstring>
#include <ctime>

#include "formats/text.h"

using namespace sctrace;
using Catch::Matchers::Equals;

namespace {

read::Piece piece(uint64_t address, const void* bytes, size_t n, bool out, uint64_t wanted = 0) {
  read::Piece p;
  p.address = address;
  p.bytes.assign(static_cast<const uint8_t*>(bytes), static_cast<const uint8_t*>(bytes) + n);
  p.wanted = wanted ? wanted : n;
  p.out = out;
  p.cut = p.wanted > n;
  return p;
}

read::Call call(uint32_t nr, std::initializer_list<uint64_t> args, int64_t result) {
  read::Call c;
  c.pid = c.tid = 100;
  c.nr = nr;
  c.ended = true;
  c.result = result;
  for (uint64_t a : args) c.args[c.argc++] = a;
  return c;
}

std::string line(const read::Call& c, TextOptions options = {}) {
  TextPrinter printer(options);
  printer.leave(read::decode(c));
  std::string text = printer.out();
  text.pop_back();
  return text;
}

}  // namespace

TEST_CASE("a buffer is shown as far as it is long and as it was kept", "[formats][decode]") {
  read::Call c = call(arch::nr_read, {3, 0x1000, 100}, 5);
  SECTION("whole") {
    c.memory.push_back(piece(0x1000, "abc\n\0", 5, true));
    CHECK_THAT(line(c), Equals(R"(read(3, "abc\n\0", 100)                 = 5)"));
  }
  SECTION("shortened by a setting") {
    c.memory.push_back(piece(0x1000, "ab", 2, true, 5));
    CHECK_THAT(line(c), Equals(R"(read(3, "ab"..., 100)                   = 5)"));
  }
  SECTION("not recorded") {
    CHECK_THAT(line(c), Equals("read(3, 0x1000, 100)                    = 5"));
  }
  SECTION("the call failed") {
    c.result = -9;
    CHECK_THAT(line(c),
               Equals("read(3, 0x1000, 100)                    = -1 EBADF (Bad file descriptor)"));
  }
}

TEST_CASE("a path that does not end where memory does is an address", "[formats][decode]") {
  read::Call c = call(arch::nr_chdir, {0x1000}, -14);
  read::Piece p = piece(0x1000, "abc", 3, false);
  SECTION("faulted") {
    p.fault = true;
    c.memory.push_back(p);
    CHECK_THAT(line(c),
               Equals("chdir(0x1000)                           = -1 EFAULT (Bad address)"));
  }
  SECTION("ended") {
    p.bytes.push_back(0);
    c.memory.push_back(p);
    CHECK_THAT(line(c),
               Equals("chdir(\"abc\")                            = -1 EFAULT (Bad address)"));
  }
}

TEST_CASE("memory of both moments is told apart", "[formats][decode]") {
  read::Call c = call(arch::nr_getsockname, {3, 0x2000, 0x1000}, 0);
  const int32_t before = 16, after = 12;
  c.memory.push_back(piece(0x1000, &before, 4, false));
  SECTION("changed") {
    c.memory.push_back(piece(0x1000, &after, 4, true));
    CHECK_THAT(line(c), Equals("getsockname(3, 0x2000, [16 => 12])      = 0"));
  }
  SECTION("left alone") {
    c.memory.push_back(piece(0x1000, &before, 4, true));
    CHECK_THAT(line(c), Equals("getsockname(3, 0x2000, [16])            = 0"));
  }
}

TEST_CASE("an argument is only there when another one says so", "[formats][decode]") {
  read::Call c = call(arch::nr_open, {0x1000, 0, 0644}, 3);
  c.memory.push_back(piece(0x1000, "f", 2, false));
  SECTION("no O_CREAT") {
    CHECK_THAT(line(c), Equals("open(\"f\", O_RDONLY)                     = 3"));
  }
  SECTION("O_CREAT") {
    c.args[1] = 0x41;
    CHECK_THAT(line(c), Equals("open(\"f\", O_WRONLY|O_CREAT, 0644)       = 3"));
  }
}

TEST_CASE("an array ends where its memory does", "[formats][decode]") {
  read::Call c = call(arch::nr_setgroups, {3, 0x1000}, 0);
  const uint32_t groups[] = {1, 0xffffffff};
  c.memory.push_back(piece(0x1000, groups, sizeof groups, false));
  CHECK_THAT(line(c), Equals("setgroups(3, [1, -1, ... /* 0x1008 */]) = 0"));
}

TEST_CASE("calls without a row show six hexadecimal arguments", "[formats][decode]") {
  CHECK_THAT(
      line(call(499, {1, 0, 3, 4, 5, 6}, -38)),
      Equals("syscall_0x1f3(0x1, 0, 0x3, 0x4, 0x5, 0x6) = -1 ENOSYS (Function not implemented)"));
}

TEST_CASE("poll tells what came of it", "[formats][decode]") {
  const uint8_t before[] = {3, 0, 0, 0, 1, 0, 0, 0}, after[] = {3, 0, 0, 0, 1, 0, 1, 0};
  read::Call c = call(arch::nr_poll, {0x1000, 1, 5}, 1);
  c.memory.push_back(piece(0x1000, before, 8, false));
  c.memory.push_back(piece(0x1000, after, 8, true));
  CHECK_THAT(line(c),
             Equals("poll([{fd=3, events=POLLIN}], 1, 5)     = 1 ([{fd=3, revents=POLLIN}])"));
  c.result = 0;
  CHECK_THAT(line(c), Equals("poll([{fd=3, events=POLLIN}], 1, 5)     = 0 (Timeout)"));
}

TEST_CASE("what bpf() tells is read by the kind of the descriptor", "[formats][decode]") {
  read::Files files;
  read::Call map = call(arch::nr_bpf, {0, 0, 0}, 4), program = call(arch::nr_bpf, {5, 0, 0}, 5);
  files.learn(map), files.learn(program);
  struct {
    uint32_t fd, length;
    uint64_t at;
  } asked = {4, 152, 0x2000};
  uint8_t info[152] = {2, 0, 0, 0, 99, 0, 0, 0, 4};
  std::memcpy(info + 24, "seen", 4);
  read::Call c = call(arch::nr_bpf, {15, 0x1000, 16}, 0);
  const auto told = [&](uint32_t length) {
    c.memory = {piece(0x1000, &asked, 16, false), piece(0x2000, info, asked.length, false)};
    if (asked.fd == 5) std::memcpy(info + 16, "\6\0\0\0\0\0\0\0\0\x30", 10);
    if (asked.fd == 5) info[52] = 3, info[57] = 0x40;
    asked.length = length;
    c.memory.push_back(piece(0x1000, &asked, 16, true));
    c.memory.push_back(piece(0x2000, info, length, true));
    c.memory.push_back(piece(0x3000, "\x55\xc3zzzz", 6, true));
    TextOptions options;
    options.verbose = true;
    TextPrinter printer(options);
    printer.leave(read::decode(c, &files));
    return printer.out();
  };
  SECTION("a map, without everything asked for") {
    c.memory = {piece(0x1000, &asked, 16, false), piece(0x1000, &asked, 16, true)};
    CHECK_THAT(line(c), Equals("bpf(BPF_OBJ_GET_INFO_BY_FD, {info={bpf_fd=4, info_len=152, "
                               "info=0x2000}}, 16) = 0"));
  }
  SECTION("a map, of which there was less to tell") {
    CHECK_THAT(told(28), Equals("bpf(BPF_OBJ_GET_INFO_BY_FD, {info={bpf_fd=4, info_len=152 => 28, "
                                "info={type=BPF_MAP_TYPE_ARRAY, id=99, key_size=4, value_size=0, "
                                "max_entries=0, map_flags=0, name=\"seen\"}}}, 16) = 0\n"));
  }
  SECTION("a program, of which no more is shown than there was room for") {
    asked.fd = 5, asked.length = 40;
    info[16] = 2;
    std::memset(info + 24, 0, 16);
    CHECK_THAT(
        told(40),
        Equals("bpf(BPF_OBJ_GET_INFO_BY_FD, {info={bpf_fd=5, info_len=40, "
               "info={type=BPF_PROG_TYPE_KPROBE, id=99, "
               "tag=\"\\x04\\x00\\x00\\x00\\x00\\x00\\x00\\x00\", jited_prog_len=2 => 6, "
               "jited_prog_insns=\"\\x55\\xc3\", xlated_prog_len=0, xlated_prog_insns=NULL}}}, "
               "16) = 0\n"));
  }
  SECTION("another file") {
    asked.fd = 6;
    CHECK_THAT(told(28), Equals("bpf(BPF_OBJ_GET_INFO_BY_FD, {info={bpf_fd=6, info_len=152 => 28, "
                                "info=0x2000}}, 16) = 0\n"));
  }
}

TEST_CASE("of many pieces of memory the one that reaches furthest is found", "[formats][decode]") {
  read::Call c = call(arch::nr_read, {3, 0x1000, 100}, 5);
  for (uint64_t i = 0; i < 40; ++i) c.memory.push_back(piece(0x9000 + 16 * i, "far", 3, true));
  c.memory.push_back(piece(0x1002, "cd", 2, true));
  c.memory.push_back(piece(0x1000, "abCDe", 5, true));
  c.memory.push_back(piece(0x1000, "ab", 2, true));
  c.memory.push_back(piece(0x1000, "xyz", 3, false));
  const read::Memory memory(c);
  CHECK_THAT(memory.bytes(0x1000, 9, true), Equals("abCDe"));
  CHECK_THAT(memory.bytes(0x1002, 9, true), Equals("CDe"));
  CHECK_THAT(memory.bytes(0x1000, 9, false), Equals("xyz"));
  CHECK_THAT(memory.bytes(0x9010, 2, true), Equals("fa"));
  CHECK_FALSE(memory.has(0x0fff, true));
  CHECK_FALSE(memory.has(0x9003, true));
  CHECK_FALSE(memory.has(0x9000, false));
}

TEST_CASE("an execve is decoded in time that grows as its strings do", "[formats][decode]") {
  constexpr uint64_t count = 30'000;
  read::Call c = call(arch::nr_execve, {0x1000, 0x100000, 0}, 0);
  std::vector<uint64_t> vector;
  c.memory.push_back(piece(0x1000, "/bin/a", 7, false));
  for (uint64_t i = 0; i < count; ++i) {
    vector.push_back(0x200000 + 8 * i);
    c.memory.push_back(piece(vector.back(), "word", 5, false));
  }
  vector.push_back(0);
  c.memory.push_back(piece(0x100000, vector.data(), vector.size() * sizeof vector[0], false));
  const auto spent = [] {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
  };
  const double before = spent();
  const Event event = read::decode(c);
  CHECK(event.args[1].items.size() == count);
  CHECK(spent() - before < 1);  // 0.02 s; where each string looks at all pieces, several
}
