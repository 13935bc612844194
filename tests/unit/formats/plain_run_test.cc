#include "formats/plain_run.h"
#include "tests/support/catch.h"

#include <string>

using namespace sctrace;

namespace {

bool is_plain(int c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

// Characters at any place, among others that are plain, of which another number is said than is so.
int wrongly_told(size_t left) {
  int wrong = 0;
  for (int c = 0; c < 256; ++c)
    for (size_t at = 0; at < left; ++at) {
      std::string text = "~ []09az";
      text[at] = static_cast<char>(c);
      char to[plain_step];
      const size_t told = copy_plain(to, text.data(), left);
      const bool copied = text.compare(0, told, to, told) == 0;
      wrong += told != (is_plain(c) ? left : at) || !copied;
    }
  return wrong;
}

}  // namespace

TEST_CASE("a run of plain characters ends at the first that is none", "[formats][plain_run]") {
  CHECK(wrongly_told(plain_step) == 0);
}

TEST_CASE("a run of plain characters ends where the text does", "[formats][plain_run]") {
  CHECK(wrongly_told(1) == 0);
  CHECK(wrongly_told(5) == 0);
  CHECK(wrongly_told(7) == 0);
}
