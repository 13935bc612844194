// Writes the traces that exports must stand into the directory given: one that holds nothing, and
// such with losses, a clock that steps back, a call of days, names that are hard to write down, and
// one whose writer was killed.
#include <cstring>
#include <filesystem>
#include <iostream>

#include "arch/table.h"
#include "tests/support/scratch_trace.h"

using namespace sctrace;
using namespace sctrace::arch;
using test::ScratchTrace;
using wire::Began;

namespace {

constexpr uint64_t day = 86'400'000'000'000;

void keep(ScratchTrace& scratch, const std::string& as) {
  std::filesystem::copy(scratch.write(), as, std::filesystem::copy_options::recursive);
}

void opened(test::ScratchRing& ring, const std::string& path) {
  ring.entry(nr_open, {0x5000, 0}).in(0x5000, path + '\0').exit(-2);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::cerr << "usage: make_traces DIRECTORY\n", 2;
  const std::string to = std::string(argv[1]) + "/";
  ScratchTrace none, idle, lossy, gap, days, steps, names, killed;
  keep(none, to + "none");

  idle.image(7).ring(7, Began::image);
  keep(idle, to + "idle");

  lossy.image(7).ring(7, Began::image).call(nr_getpid, {}, 7).lost(5).call(nr_close, {1}, 0);
  keep(lossy, to + "lossy");

  auto& torn = gap.image(7).ring(7, Began::image).call(nr_getpid, {}, 7);
  torn.skip_block().thread(7, 7, Began::adopted).call(nr_close, {1}, 0);
  keep(gap, to + "gap");

  auto& slow = days.image(7).ring(7, Began::image).entry(nr_pause);
  for (int n = 0; n < 5; ++n) days.wait(day), slow.time();
  slow.exit(-4).call(nr_getpid, {}, 7);
  keep(days, to + "days");

  auto& back = steps.image(7).ring(7, Began::image).call(nr_getpid, {}, 7).call(nr_close, {1}, 0);
  steps.wait(0 - uint64_t{500'000});
  back.time().call(nr_getppid, {}, 1).entry(nr_read, {0, 0x5000, 1});
  steps.wait(0 - uint64_t{100'000});
  back.time().exit(0).call(nr_getpid, {}, 7).entry(nr_exit_group, {0});
  keep(steps, to + "steps");

  auto& image = names.image(7);
  std::strcpy(image.header.program, "/tmp/new\nline\"\\\xff");
  std::memcpy(image.header.command, "a\nb\0\xff\xfe", 7);
  auto& hard = image.ring(7, Began::image);
  opened(hard, "new\nline\t\"quoted\" back\\slash \x01\x7f");
  opened(hard, "no utf8 \xff\xfe \xc3\xa4");
  opened(hard, std::string(4000, '\x80'));
  const std::string local = std::string("\1\0", 2) + "/tmp/new\nline\xff";  // AF_UNIX
  wire::File socket{};
  socket.fd = 3, socket.mode = 0140777, socket.inode = 12, socket.kind = 1;
  hard.entry(nr_socket, {1, 1, 0}).file(socket, "", local.substr(0, 2)).exit(3);
  hard.entry(nr_connect, {3, 0x5000, local.size()}).in(0x5000, local);
  hard.file(socket, "", local.substr(0, 2), local).exit(0);
  hard.entry(nr_write, {3, 0x6000, 4}).in(0x6000, std::string("\0\xff\n\"", 4)).exit(4);
  hard.entry(nr_prctl, {15, 0x5000}).in(0x5000, std::string("\xff \"\n,;\0", 7)).exit(0);
  hard.entry(nr_write, {1, 0x6000, 4}).in(0x6000, std::string("\0\xff\n\"", 4)).exit(4);
  hard.call(9999, {1, 2, 3}, 0).call(nr_getpid, {}, 7).entry(nr_exit_group, {0});
  keep(names, to + "names");

  auto& first = killed.image(7).ring(7, Began::image).call(nr_getpid, {}, 7);
  first.entry(nr_read, {0, 0x5000, 1}).signal(10).call(nr_close, {1}, 0).entry(nr_pause).live();
  keep(killed, to + "killed");
}
