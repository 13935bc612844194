#include "formats/read/structs.h"
#include "tests/support/catch.h"

#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>

#include "formats/text.h"

using namespace sctrace;
using Catch::Matchers::Equals;

namespace {

const read::Call nothing;
const read::Scene scene{nothing, arch::unknown, nullptr, nullptr, read::Memory(nothing)};

std::string text(const Value& v, bool verbose = false) {
  TextOptions options;
  options.verbose = verbose;
  return shown(v, options);
}

template <class T>
const uint8_t* bytes(const T& value) {
  return reinterpret_cast<const uint8_t*>(&value);
}

}  // namespace

TEST_CASE("a plain struct shows its members by name", "[formats][structs]") {
  const timespec t{5, 7};
  CHECK_THAT(text(read::plain(scene, arch::Layout::timespec, bytes(t))),
             Equals("{tv_sec=5, tv_nsec=7}"));
}

TEST_CASE("a struct in a struct is shown whole", "[formats][structs]") {
  const int64_t t[] = {1, 2, 3, 4};
  CHECK_THAT(text(read::plain(scene, arch::Layout::itimerspec, bytes(t))),
             Equals("{it_interval={tv_sec=1, tv_nsec=2}, it_value={tv_sec=3, tv_nsec=4}}"));
}

TEST_CASE("details of a struct are for those who ask", "[formats][structs]") {
  struct stat st {};
  st.st_mode = S_IFREG | 0640;
  st.st_size = 12;
  CHECK_THAT(text(read::stat_value(scene, bytes(st))),
             Equals("{st_mode=S_IFREG|0640, st_size=12, ...}"));
  CHECK_THAT(text(read::stat_value(scene, bytes(st)), true),
             Equals("{st_dev=makedev(0, 0), st_ino=0, st_mode=S_IFREG|0640, st_nlink=0, st_uid=0, "
                    "st_gid=0, st_blksize=0, "
                    "st_blocks=0, st_size=12, st_atime=0, st_atime_nsec=0, st_mtime=0, "
                    "st_mtime_nsec=0, st_ctime=0, st_ctime_nsec=0}"));
}

TEST_CASE("a device shows its number for its size", "[formats][structs]") {
  struct stat st {};
  st.st_mode = S_IFCHR | 0666;
  st.st_rdev = 0x103;
  CHECK_THAT(text(read::stat_value(scene, bytes(st))),
             Equals("{st_mode=S_IFCHR|0666, st_rdev=makedev(0x1, 0x3), ...}"));
}

TEST_CASE("a socket address is shown by its family", "[formats][structs]") {
  SECTION("inet") {
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_port = htons(80);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_THAT(
        text(read::sockaddr_value(scene, bytes(a), sizeof a)),
        Equals(R"({sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")})"));
  }
  SECTION("unix") {
    const char a[] = "\1\0/x";
    CHECK_THAT(text(read::sockaddr_value(scene, bytes(a), sizeof a)),
               Equals(R"({sa_family=AF_UNIX, sun_path="/x"})"));
  }
  SECTION("unix, without a name in the file system") {
    const char a[] = "\1\0\0ab";
    CHECK_THAT(text(read::sockaddr_value(scene, bytes(a), 5)),
               Equals(R"({sa_family=AF_UNIX, sun_path=@"ab"})"));
  }
  SECTION("unknown") {
    const char a[] = "\377\1xy";
    CHECK_THAT(text(read::sockaddr_value(scene, bytes(a), 4)),
               Equals(R"({sa_family=0x1ff /* AF_??? */, sa_data="xy"})"));
  }
}

TEST_CASE("a signal set names what is in it, or what is not", "[formats][structs]") {
  SECTION("few") {
    const uint64_t set = 1 | 1ull << 16 | 1ull << 31 | 1ull << 33;
    CHECK_THAT(text(read::signal_set(bytes(set), 8)), Equals("[HUP CHLD RTMIN RT_2]"));
  }
  SECTION("all but one") {
    const uint64_t set = ~(1ull << 8);
    CHECK_THAT(text(read::signal_set(bytes(set), 8)), Equals("~[KILL]"));
  }
  SECTION("none") {
    const uint64_t set = 0;
    CHECK_THAT(text(read::signal_set(bytes(set), 8)), Equals("[]"));
  }
}

TEST_CASE("siginfo shows what its code fills in", "[formats][structs]") {
  uint8_t info[128] = {};
  const auto put = [&](size_t at, uint32_t v) { std::memcpy(info + at, &v, 4); };
  SECTION("a child") {
    put(0, 17), put(8, 1), put(16, 42), put(24, 3);
    CHECK_THAT(text(read::siginfo_value(info, 128)),
               Equals("{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=42, si_uid=0, si_status=3, "
                      "si_utime=0, si_stime=0}"));
  }
  SECTION("a fault") {
    put(0, 11), put(8, 1), put(16, 0x10);
    CHECK_THAT(text(read::siginfo_value(info, 128)),
               Equals("{si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x10}"));
  }
  SECTION("sent") {
    put(0, 15), put(16, 7), put(20, 8);
    CHECK_THAT(text(read::siginfo_value(info, 128)),
               Equals("{si_signo=SIGTERM, si_code=SI_USER, si_pid=7, si_uid=8}"));
  }
}

TEST_CASE("a filter is shown step by step", "[formats][structs]") {
  const uint8_t load[] = {0x20, 0, 0, 0, 4, 0, 0, 0}, jump[] = {0x15, 0, 0, 1, 60, 0, 0, 0},
                allow[] = {6, 0, 0, 0, 0, 0, 0xff, 0x7f};
  CHECK_THAT(text(read::filter_step(load, true)), Equals("BPF_STMT(BPF_LD|BPF_W|BPF_ABS, 0x4)"));
  CHECK_THAT(text(read::filter_step(jump, true)),
             Equals("BPF_JUMP(BPF_JMP|BPF_K|BPF_JEQ, 0x3c, 0, 0x1)"));
  CHECK_THAT(text(read::filter_step(allow, true)),
             Equals("BPF_STMT(BPF_RET|BPF_K, SECCOMP_RET_ALLOW)"));
}

TEST_CASE("addresses of the rarer families have their own fields", "[formats][structs]") {
  const read::Call c;
  const read::Scene s{c, arch::unknown, nullptr, nullptr, read::Memory(c)};
  const auto shown = [&](const char* bytes, size_t n) {
    return text(read::sockaddr_value(s, reinterpret_cast<const uint8_t*>(bytes), n));
  };
  CHECK_THAT(shown("\4\0\0\x50\0\0\0\1"
                   "ABCDEF\7\0",
                   16),
             Equals("{sa_family=AF_IPX, sipx_port=htons(80), sipx_network=htonl(0x1), "
                    "sipx_node=[0x41, 0x42, 0x43, 0x44, 0x45, 0x46], sipx_type=0x7}"));
  CHECK_THAT(shown("\x09\0"
                   "0123456789abcdef",
                   18),
             Equals("{sa_family=AF_X25, sx25_addr={x25_addr=\"0123456789abcde\"...}}"));
  CHECK_THAT(shown("\x10\0\0\0\2\0\0\0\0\0\0\0", 12),
             Equals("{sa_family=AF_NETLINK, nl_pid=2, nl_groups=00000000}"));
  CHECK_THAT(shown("\x1f\0"
                   "abcdef\3\0",
                   10),
             Equals("{sa_family=AF_BLUETOOTH, rc_bdaddr=61:62:63:64:65:66, rc_channel=3}"));
}

TEST_CASE("every struct survives any bytes", "[formats][structs]") {
  read::Call c;
  c.ended = true;
  read::Piece p;
  p.address = 0x1000;
  p.bytes.assign(512, 0xff);
  p.wanted = 512;
  p.out = GENERATE(true, false);
  c.memory.push_back(p);
  const read::Scene s{c, arch::unknown, nullptr, nullptr, read::Memory(c)};
  for (size_t layout = 1; layout < sizeof arch::layout_bytes / sizeof *arch::layout_bytes; ++layout)
    CHECK_FALSE(text(read::structure(s, static_cast<arch::Layout>(layout), 0x1000, 64, p.out), true)
                    .empty());
}
