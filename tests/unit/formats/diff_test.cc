#include "formats/diff.h"

#include "tests/support/catch.h"

using namespace sctrace;

TEST_CASE("names lose what differs from run to run by itself", "[formats][diff]") {
  CHECK(usual_name("/proc/4242/fd") == "/proc/N/fd");
  CHECK(usual_name("/proc/4242") == "/proc/N");
  CHECK(usual_name("/proc/self/task/77/stat") == "/proc/self/task/N/stat");
  CHECK(usual_name("pipe:[123456]") == "pipe:[N]");
  CHECK(usual_name("socket:[9]") == "socket:[N]");
  CHECK(usual_name("tcp 10.0.0.1:45678") == "tcp 10.0.0.1:*");
  CHECK(usual_name("tcp 0.0.0.0:45678 (own)") == "tcp 0.0.0.0:* (own)");
  CHECK(usual_name("tcp [::1]:50000") == "tcp [::1]:*");
}

TEST_CASE("names keep what somebody chose", "[formats][diff]") {
  CHECK(usual_name("tcp 10.0.0.1:443") == "tcp 10.0.0.1:443");
  CHECK(usual_name("/proc/1234abc") == "/proc/1234abc");
  CHECK(usual_name("/data/45678") == "/data/45678");
  CHECK(usual_name("/x:45678") == "/x:45678");
  CHECK(usual_name("/dev/pts/3") == "/dev/pts/3");
}
