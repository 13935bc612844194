#include "formats/read/files.h"
#include "tests/support/catch.h"

#include <fmt/format.h>

#include "arch/table.h"
#include "formats/read/trace.h"
#include "formats/text.h"
#include "tests/support/scratch_trace.h"

using namespace sctrace;
using namespace sctrace::arch;
using Catch::Matchers::Equals;
using test::ScratchTrace;
using wire::Began;

namespace {

wire::File opened(int32_t fd, uint32_t mode = 0100644, uint8_t flags = 0) {
  wire::File one{};
  one.fd = fd, one.mode = mode, one.header.flags = flags;
  return one;
}

read::Files followed(ScratchTrace& scratch) {
  const read::Trace trace(scratch.write());
  read::Timeline timeline(trace);
  read::Files files;
  for (read::Item item; timeline.next(item);) {
    if (item.kind == read::Item::Kind::thread) files.begin(*item.thread);
    if (item.kind == read::Item::Kind::enter) files.enter(*item.call);
    if (item.kind == read::Item::Kind::leave) files.learn(*item.call), files.forget(*item.call);
  }
  return files;
}

// Follows the whole trace, then says what is behind the descriptors 0 to 9 of each process.
std::string known_at_the_end(ScratchTrace& scratch, std::initializer_list<uint32_t> pids) {
  const read::Files files = followed(scratch);
  std::string text;
  TextOptions options;
  options.paths = 15;
  for (uint32_t pid : pids) {
    text += fmt::format("{} {}:", pid, files.directory(pid));
    for (int fd = 0; fd < 10; ++fd) {
      if (files.path(pid, fd).empty()) continue;
      Value v = value_of(Value::Kind::descriptor);
      v.number = static_cast<uint64_t>(fd);
      v.text = files.path(pid, fd);
      v.cut = files.is_deleted(pid, fd);
      v.items = files.details(pid, fd);
      text += ' ' + shown(v, options);
    }
    text += '\n';
  }
  return text;
}

constexpr int32_t directory = wire::file_directory;

}  // namespace

TEST_CASE("what a program found open is known", "[read][files]") {
  ScratchTrace scratch;
  auto& ring = scratch.image(7).ring(7, Began::image);
  wire::File null = opened(0, 0020666);
  null.special = 0x103;
  ring.file(opened(directory, 0040000, wire::file_first), "/home");
  ring.file(null, "/dev/null").file(opened(3), "/tmp/x (deleted)");
  CHECK_THAT(known_at_the_end(scratch, {7}),
             Equals("7 /home: 0</dev/null<char 1:3>> 3</tmp/x>(deleted)\n"));
}

TEST_CASE("descriptors are followed by the calls", "[read][files]") {
  ScratchTrace scratch;
  auto& ring = scratch.image(7).ring(7, Began::image);
  ring.file(opened(directory, 0040000, wire::file_first), "/home").file(opened(0), "/in");
  const std::string a("a\0", 2), b("../b\0", 5);
  SECTION("open, relative to the directory") {
    ring.entry(nr_openat, {static_cast<uint64_t>(directory), 100, 0, 0}).in(100, b).exit(4);
    CHECK_THAT(known_at_the_end(scratch, {7}), Equals("7 /home: 0</in> 4</b>\n"));
  }
  SECTION("dup and close") {
    ring.call(nr_dup2, {0, 5}, 5).call(nr_close, {0}, 0);
    CHECK_THAT(known_at_the_end(scratch, {7}), Equals("7 /home: 5</in>\n"));
  }
  SECTION("a name that is taken away or changed") {
    ring.entry(nr_open, {100, 0, 0}).in(100, a).exit(4);
    ring.entry(nr_open, {200, 0, 0}).in(200, b).exit(5);
    ring.entry(nr_rename, {200, 100}).in(200, b).in(100, a).exit(0);
    CHECK_THAT(known_at_the_end(scratch, {7}),
               Equals("7 /home: 0</in> 4</home/a>(deleted) 5</home/a>\n"));
  }
  SECTION("a socket that is bound") {
    wire::File socket = opened(4, 0140777);
    socket.inode = 12, socket.kind = 2, socket.protocol = 17;
    const std::string unbound("\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    const std::string bound("\2\0\0\x50\x7f\0\0\1\0\0\0\0\0\0\0\0", 16);
    ring.entry(nr_socket, {2, 2, 0}).file(socket, "", unbound).exit(4);
    ring.entry(nr_bind, {4, 100, 16}).file(socket, "", bound).exit(0);
    CHECK_THAT(known_at_the_end(scratch, {7}), Equals("7 /home: 0</in> 4<UDP:[127.0.0.1:80]>\n"));
  }
}

TEST_CASE("a child has its parent's descriptors as they were at the fork", "[read][files]") {
  ScratchTrace scratch;
  auto& image = scratch.image(7);
  auto& parent = image.ring(7, Began::image);
  parent.file(opened(directory, 0040000, wire::file_first), "/home").file(opened(0), "/in");
  parent.entry(nr_fork).exit(8).call(nr_close, {0}, 0);
  auto& child = image.ring(8, 8, Began::fork, 7);
  child.call(nr_dup, {0}, 1);
  CHECK_THAT(known_at_the_end(scratch, {7, 8}), Equals("7 /home:\n8 /home: 0</in> 1</in>\n"));
}

TEST_CASE("a child that has not said a word has its parent's descriptors", "[read][files]") {
  ScratchTrace scratch;
  auto& ring = scratch.image(7).ring(7, Began::image);
  ring.file(opened(directory, 0040000, wire::file_first), "/home").file(opened(0), "/in");
  ring.call(nr_dup, {0}, 5).call(nr_fork, {}, 8).call(nr_close, {5}, 0);
  CHECK_THAT(known_at_the_end(scratch, {7, 8}),
             Equals("7 /home: 0</in>\n8 /home: 0</in> 5</in>\n"));
}

TEST_CASE("a pidfd says whose it is, whatever is shown of it", "[read][files]") {
  ScratchTrace scratch;
  auto& ring = scratch.image(7).ring(7, Began::image);
  wire::File known = opened(3, 0600);
  known.special = 11;
  ring.file(opened(directory, 0040000, wire::file_first), "/").file(known, "anon_inode:[pidfd]");
  ring.call(nr_pidfd_open, {9, 0}, 4);
  read::Files files = followed(scratch);
  files.wants_details = false;
  CHECK(files.process_behind(7, 3) == 11);
  CHECK(files.process_behind(7, 4) == 9);
  CHECK(files.process_behind(7, 5) == 0);
}

TEST_CASE("a file record that lies about its lengths is damage", "[read][files]") {
  ScratchTrace scratch;
  auto& ring = scratch.image(7).ring(7, Began::image);
  wire::File lie = opened(3);
  lie.header.units = sizeof lie / 8, lie.header.type = wire::Type::file;
  lie.path_bytes = 4000;
  ring.raw({reinterpret_cast<const char*>(&lie), sizeof lie});
  const read::Trace trace(scratch.write());
  read::Timeline timeline(trace);
  for (read::Item item; timeline.next(item);) {
  }
  CHECK(timeline.losses().damaged == 1);
}
