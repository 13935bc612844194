#include "formats/output.h"
#include "tests/support/catch.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "formats/json.h"
#include "tests/support/scratch_trace.h"

using namespace sctrace;
namespace fs = std::filesystem;

namespace {
struct Folder {
  Folder() {
    char name[] = "/tmp/sct-output-XXXXXX";
    path = mkdtemp(name);
  }
  ~Folder() { fs::remove_all(path); }
  std::string operator/(const std::string& name) const { return path + "/" + name; }
  size_t entries() const {
    size_t n = 0;
    for (const auto& one : fs::directory_iterator(path)) (void)one, ++n;
    return n;
  }
  std::string path;
};
}  // namespace

TEST_CASE("an output has its name when it is whole, and no sooner", "[formats][output]") {
  const Folder folder;
  test::overwrite(folder / "out", "old");
  {
    Output out(folder / "out", Target::stream);
    out.write(std::string(1 << 20, 'x'));
    CHECK(test::contents(folder / "out") == "old");
    CHECK(folder.entries() == 1);
    out.finish();
    CHECK(test::contents(folder / "out").size() == 1 << 20);
  }
  CHECK(folder.entries() == 1);
  { Output(folder / "out", Target::stream).write("given up"); }
  CHECK(test::contents(folder / "out").size() == 1 << 20);
  CHECK(folder.entries() == 1);
}

TEST_CASE("a link goes on pointing at the file that is replaced", "[formats][output]") {
  const Folder folder;
  test::overwrite(folder / "real", "old");
  fs::create_symlink("real", folder / "link");
  Output out(folder / "link", Target::stream);
  out.write("new");
  out.finish();
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(test::contents(folder / "real") == "new");
}

TEST_CASE("what was written can be written over", "[formats][output]") {
  const Folder folder;
  Output out(folder / "out", Target::file);
  out.write("head....");
  out.write_at(4, "1234");  // still in the buffer
  out.write(std::string(1 << 20, 'x'));
  out.write_at(0, "HEAD");  // no longer
  out.write_at(out.position() - 2, "yz");
  CHECK(out.position() == (1 << 20) + 8);
  out.finish();
  const std::string all = test::contents(folder / "out");
  CHECK(all.substr(0, 9) == "HEAD1234x");
  CHECK(all.substr(all.size() - 3) == "xyz");
  CHECK(all.size() == (1 << 20) + 8);
}

TEST_CASE("a library may write the file itself", "[formats][output]") {
  const Folder folder;
  Output out(folder / "out", Target::file);
  test::overwrite(out.own_path(), "by itself");
  CHECK_FALSE(fs::exists(folder / "out"));
  out.finish();
  CHECK(test::contents(folder / "out") == "by itself");
  CHECK(folder.entries() == 1);
}

TEST_CASE("a folder of more files than descriptors is replaced as one", "[formats][output]") {
  const Folder folder;
  const auto write = [&](const std::string& text) {
    Output out(folder / "out", Target::directory, "metadata");
    out.part("metadata").write("m");
    for (int round = 0; round < 2; ++round)
      for (int n = 0; n < 500; ++n) out.part(std::to_string(n)).write(text + std::to_string(n));
    out.part("7").write_at(0, "!");
    out.finish();
  };
  write("a");
  CHECK(test::contents(folder / "out/499") == "a499a499");
  CHECK(test::contents(folder / "out/7") == "!7a7");
  write("b");
  CHECK(test::contents(folder / "out/499") == "b499b499");
  CHECK(folder.entries() == 1);
}

TEST_CASE("somebody's folder is left alone", "[formats][output]") {
  const Folder folder;
  test::overwrite(folder / "letter", "dear");
  CHECK_THROWS_AS(Output(folder.path, Target::directory, "metadata"), OutputFailed);
  CHECK_THROWS_AS(Output(folder.path, Target::stream), OutputFailed);
  CHECK(test::contents(folder / "letter") == "dear");
}

TEST_CASE("what cannot be written says file and reason", "[formats][output]") {
  try {
    Output("/nowhere/at/all", Target::stream);
    FAIL("opened");
  } catch (const OutputFailed& bad) {
    CHECK(std::string(bad.what()) ==
          "/nowhere/at/all: cannot be written: No such file or directory");
  }
  Output full("/dev/full", Target::stream);
  full.write("x");
  CHECK_THROWS_AS(full.finish(), OutputFailed);
}

TEST_CASE("JSON is UTF-8 whatever the bytes are", "[formats][json]") {
  CHECK(json_text("a\"b\\c\n\x7f") == "\"a\\\"b\\\\c\\u000a\\u007f\"");
  CHECK(json_text("\xc3\xa4 \xf0\x9f\x98\x80") == "\"\xc3\xa4 \xf0\x9f\x98\x80\"");
  CHECK(json_text("\xff \xc3") == "\"\\\\xff \\\\xc3\"");
  CHECK(json_text("\xed\xa0\x80") == "\"\\\\xed\\\\xa0\\\\x80\"");  // a surrogate is no character
  std::string text;
  put_microseconds(text, 1'000'045);
  CHECK(text == "1000.045");
}

TEST_CASE("into memory goes what was written, wherever it was written", "[formats][output]") {
  std::string memory = "something old";
  Output to(memory);
  to.write(std::string(300'000, 'a'));  // more than it keeps back
  to.write_at(1, "bc");
  to.write("d");
  to.write_at(300'000, "e");
  to.finish();
  CHECK(memory == "abc" + std::string(299'997, 'a') + "e");
}
