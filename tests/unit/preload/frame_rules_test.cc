// Rules out of .eh_frame, of this very program: right where the compiler is asked what it did, and
// harmless whatever the sections say. The loads are made to fault, too.
#include "preload/frame_rules.h"

#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "preload/frame_entry.cc"
#include "preload/frame_program.cc"
#include "preload/frame_rules.cc"
#include "preload/load.cc"
#include "tests/support/catch.h"

using namespace sctrace;
using namespace sctrace::preload;

namespace {

// As signals.cc does.
void mend(int, siginfo_t*, void* context) {
  auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  const uint64_t behind = landing_of(static_cast<uint64_t>(registers[REG_RIP]));
  if (!behind) _exit(99);
  registers[REG_RIP] = static_cast<greg_t>(behind);
}

struct Mended {
  Mended() {
    struct sigaction action {};
    action.sa_sigaction = mend;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, &before);
  }
  ~Mended() { sigaction(SIGSEGV, &before, nullptr); }
  struct sigaction before {};
};

// Of this program: its text, the search table and the segment that holds .eh_frame.
rewriter::Object own_object() {
  rewriter::Object object{};
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* to) {
        auto& found = *static_cast<rewriter::Object*>(to);
        const auto bytes = [&](const ElfW(Phdr) & part) {
          const uint64_t begin = info->dlpi_addr + part.p_vaddr;
          return rewriter::Bytes{{reinterpret_cast<const uint8_t*>(begin), part.p_memsz}, begin};
        };
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const auto& part = info->dlpi_phdr[i];
          if (part.p_type == PT_LOAD && part.p_flags & PF_X) found.text = bytes(part);
          if (part.p_type == PT_GNU_EH_FRAME) found.eh_frame_hdr = bytes(part);
        }
        for (int i = 0; i < info->dlpi_phnum; ++i)
          if (const auto& part = info->dlpi_phdr[i];
              part.p_type == PT_LOAD && bytes(part).holds(found.eh_frame_hdr.address, 1))
            found.frames = bytes(part);
        return 1;
      },
      &object);
  return object;
}

FrameTable table_of(const rewriter::Object& object) {
  return {object.eh_frame_hdr.address, object.eh_frame_hdr.end(), object.frames.address,
          object.frames.end()};
}

[[gnu::noinline]] uint64_t some_place() {
  uint64_t pc;
  asm volatile("lea 0(%%rip), %0" : "=r"(pc));
  return pc;
}

}  // namespace

TEST_CASE("a load that faults says so", "[preload][load]") {
  const Mended mended;
  auto* page = static_cast<char*>(
      mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  mprotect(page + 4096, 4096, PROT_NONE);
  const auto at = reinterpret_cast<uint64_t>(page);
  uint64_t one = 1, other = 1;
  page[4080] = 7, page[4088] = 9;
  CHECK(try_load(at + 4080, one, other));
  CHECK((one == 7 && other == 9));
  CHECK_FALSE(try_load(at + 4088, one, other));
  CHECK_FALSE(try_load(at + 4089, one));
  CHECK_FALSE(try_load(at + 4096, one));
  CHECK_FALSE(try_load(uint64_t{8}, one));
  CHECK_FALSE(try_load(~uint64_t{7}, one));
  uint8_t byte = 0;
  CHECK(try_load(at + 4088, byte));
  CHECK(byte == 9);
  munmap(page, 8192);
}

TEST_CASE("a function of ours has a rule, what is behind the text has none", "[preload][frames]") {
  const Mended mended;
  const rewriter::Object object = own_object();
  const FrameRule rule = read_frame_rule(table_of(object), some_place());
  CHECK((rule.kind() == FrameRule::by_sp || rule.kind() == FrameRule::by_bp));
  CHECK(rule.distance() >= 8);
  CHECK(rule.distance() < 4096);
  CHECK(read_frame_rule(table_of(object), object.text.end() + 4096).kind() == FrameRule::none);
}

TEST_CASE("what is forgotten is not believed", "[preload][frames]") {
  const Mended mended;
  const rewriter::Object object = own_object();
  const uint64_t pc = some_place();
  CHECK(frame_rule(pc).kind() == FrameRule::none);
  know_frames(object);
  CHECK(frame_rule(pc).kind() != FrameRule::none);
  CHECK(frame_rule(pc).word() == frame_rule(pc).word());
  forget_frames(object.text.address, object.text.address + 1);
  CHECK(frame_rule(pc).kind() == FrameRule::none);
  know_frames(object);
  forget_frames(object.text.end(), object.text.end() + 4096);
  CHECK(frame_rule(pc).kind() != FrameRule::none);
  forget_frames(0, ~uint64_t{0});
}

TEST_CASE("sections that lie give no crash and have an end", "[preload][frames]") {
  const Mended mended;
  const rewriter::Object object = own_object();
  const auto& frames = object.frames.bytes;
  std::vector<uint8_t> copy(frames.size());
  // By the kernel: a sanitizer has things of its own between ours.
  const int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  const auto address = static_cast<off_t>(object.frames.address);
  REQUIRE(pread(memory, copy.data(), copy.size(), address) == static_cast<ssize_t>(copy.size()));
  close(memory);
  const uint64_t moved = reinterpret_cast<uint64_t>(copy.data()) - object.frames.address;
  FrameTable table = table_of(object);
  for (uint64_t* one : {&table.index, &table.index_end, &table.frames, &table.frames_end})
    *one += moved;  // what is relative in it stays right
  const uint64_t text = object.text.address + moved;
  std::mt19937_64 random(7);
  uint64_t found = 0;
  for (int round = 0; round < 20000; ++round) {
    const uint64_t pc = text + random() % object.text.bytes.size();
    const auto place = random() % copy.size();
    const uint8_t before = copy[place];
    if (round % 2) copy[place] = static_cast<uint8_t>(random());
    found += read_frame_rule(table, pc).kind() != FrameRule::none;
    copy[place] = before;
  }
  CHECK(found > 1000);
  SECTION("nor do those that go away") {
    const FrameTable gone{4096, 8192, 4096, 8192};
    CHECK(read_frame_rule(gone, 4100).kind() == FrameRule::none);
  }
  SECTION("nor noise") {
    for (uint8_t& byte : copy) byte = static_cast<uint8_t>(random());
    const uint32_t head = 0x3b031b01, count = 1000;
    std::memcpy(copy.data(), &head, 4);
    std::memcpy(copy.data() + 8, &count, 4);
    table = {reinterpret_cast<uint64_t>(copy.data()),
             reinterpret_cast<uint64_t>(copy.data()) + copy.size(),
             reinterpret_cast<uint64_t>(copy.data()),
             reinterpret_cast<uint64_t>(copy.data()) + copy.size()};
    for (int n = 0; n < 20000; ++n)
      read_frame_rule(table, table.index + static_cast<uint64_t>(static_cast<int32_t>(random())));
    SUCCEED();
  }
}
