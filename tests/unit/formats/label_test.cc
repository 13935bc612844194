#include "formats/label.h"

#include "tests/support/catch.h"

using namespace sctrace;

TEST_CASE("a label points at literals and words that are kept, and copies the rest",
          "[formats][label]") {
  static const char word[] = "O_RDONLY";
  std::string text = "a text that is longer than what a string holds in itself";
  char buffer[] = "eth0";
  const char* at = buffer;
  const Label literal = "flags", kept = Label::kept(word), array = buffer, pointer = at,
              string = text;
  text.assign(text.size(), 'x');
  buffer[0] = 'x';
  CHECK(kept.data() == word);
  CHECK(literal == "flags");
  CHECK(array == "eth0");
  CHECK(pointer == "eth0");
  CHECK(string == "a text that is longer than what a string holds in itself");
}

TEST_CASE("a copied label is its own, a moved one is empty", "[formats][label]") {
  Label one{std::string("mine\0too", 8)};
  const Label other = one, moved = std::move(one);
  CHECK(other == std::string_view("mine\0too", 8));
  CHECK(moved == other);
  CHECK(moved.data() != other.data());
  CHECK(one.empty());
  one = other;
  CHECK(one == moved);
  one.clear();
  CHECK(one.size() == 0);
  CHECK(*one.c_str() == '\0');
}
