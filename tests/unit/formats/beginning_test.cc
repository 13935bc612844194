#include "formats/read/beginning.h"
#include "tests/support/catch.h"

#include <cstring>

#include "formats/beginning.h"
#include "tests/support/scratch_trace.h"

using namespace sctrace;
using Catch::Matchers::Equals;
using test::ScratchTrace;

namespace {

constexpr char status[] =
    "Name:\tcat\nUmask:\t0022\nUid:\t0\t1\t2\t3\nGid:\t4\t5\t6\t7\nGroups:\t10 20 \n"
    "SigBlk:\t0000000000000001\nSigIgn:\t8000000000001000\nCapEff:\t00000000000000ff\nSecc";
constexpr char limits[] =
    "Limit                     Soft Limit           Hard Limit           Units     \n"
    "Max open files            1024                 unlimited            files     \n"
    "Max nice priority         0                    0                    \n";

// A trace whose first ring says that; `text`: where, and what.
read::Image told(ScratchTrace& scratch, std::string_view first, std::string_view second) {
  scratch.image(7).ring(7, wire::Began::image).call(39, {}, 7);
  const std::string& directory = scratch.write();
  std::string file = test::contents(scratch.ring_file());
  const size_t at = read::Trace(directory).images()[0].slot_offset(0) + sizeof(wire::RingHeader);
  file.replace(at, first.size(), first);
  file.replace(at + sizeof wire::Beginning{}.status, second.size(), second);
  test::overwrite(scratch.ring_file(), file);
  return read::Trace(directory).images()[0];
}

}  // namespace

TEST_CASE("what a process was at its start is known, line by line", "[read][beginning]") {
  ScratchTrace scratch;
  const read::Image image = told(scratch, status, limits);
  const read::Beginning began = read::beginning_of(image);
  CHECK(began.words("Uid") == std::vector<std::string>{"0", "1", "2", "3"});
  CHECK(began.words("Groups") == std::vector<std::string>{"10", "20"});
  CHECK(began.signals("SigIgn") == std::vector<uint32_t>{13, 64});
  CHECK(began.field("Secc").empty());  // cut within its line
  REQUIRE(began.limits.size() == 2);
  CHECK(began.limits[0].name == "Max open files");
  CHECK(began.limits[0].hard == "unlimited");
  CHECK(began.limits[1].unit.empty());
  CHECK_THAT(beginning_text(image),
             Equals("began as user 1, group 5, umask 0022, capabilities 00000000000000ff; blocked: "
                    "SIGHUP; ignored: SIGPIPE SIGRT_32; 1024 open files of unlimited"));
  CHECK_THAT(
      beginning_json(image),
      Equals(R"({"user": {"real": 0, "effective": 1, "saved": 2, "filesystem": 3}, "group": )"
             R"({"real": 4, "effective": 5, "saved": 6, "filesystem": 7}, "groups": [10, 20], )"
             R"("umask": "0022", "no_new_privs": null, "seccomp": null, "capabilities": )"
             R"({"inheritable": "", "permitted": "", "effective": "00000000000000ff", )"
             R"("bounding": "", "ambient": ""}, "signals_blocked": ["SIGHUP"], )"
             R"("signals_ignored": ["SIGPIPE", "SIGRT_32"], "limits": {"Max open files": )"
             R"({"soft": 1024, "hard": null, "unit": "files"}, "Max nice priority": )"
             R"({"soft": 0, "hard": 0, "unit": ""}}})"));
}

TEST_CASE("a trace that does not tell of its start says so", "[read][beginning]") {
  ScratchTrace scratch;
  const read::Image image = told(scratch, "", "");
  CHECK(beginning_text(image).empty());
  CHECK(beginning_json(image) == "null");
}

TEST_CASE("any bytes are a start or none", "[read][beginning]") {
  ScratchTrace scratch;
  std::string noise;
  for (unsigned n = 0; n < sizeof wire::Beginning{}.status; ++n)
    noise += static_cast<char>(n % 7 ? 33 + n * 131 % 90 : ":\n\t "[n % 4]);
  const read::Image image = told(scratch, noise, noise.substr(0, sizeof wire::Beginning{}.limits));
  CHECK_FALSE(beginning_json(image).empty());
}
