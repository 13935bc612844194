// What `ctl` and `ps` read of a process: anything may stand where the library's own words should,
// in its memory and in its ring file. They end, within their own memory, with an answer or one
// line. The process is this one; the input is a list of changes to what would be right, twelve
// bytes each: where, what kind, a number.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "arch/x86_64/frame.h"
#include "formats/cli/lend.h"
#include "formats/cli/proof.h"
#include "formats/cli/switch.h"
#include "formats/wire/session.h"

using namespace sctrace;

namespace {

constexpr uint64_t block = 4096, blocks = 4, slabs = 3, state_at = block - 512;

void check(bool right) {
  if (!right) std::abort();
}

// As the library has it: three slabs of four states, and the words that lead there.
struct Memory {
  wire::Live live;
  uint64_t slab[slabs];
  alignas(block) uint8_t states[slabs * blocks * block];
};

uint64_t address(const void* of) { return reinterpret_cast<uint64_t>(of); }

void put(uint8_t* at, uint32_t value) { std::memcpy(at, &value, sizeof value); }

void make_right(Memory& memory) {
  std::memset(static_cast<void*>(&memory), 0, sizeof memory);
  wire::Live& live = memory.live;
  live.magic = wire::live_magic, live.version = wire::live_version;
  live.pid = static_cast<uint32_t>(::getpid());
  live.slabs = address(memory.slab), live.slab_count = address(&live.traps);
  live.traps = slabs;  // stands for the count of slabs, too
  live.slab_blocks = blocks, live.block_bytes = block, live.state_at = state_at;
  live.filters = address(&live.open);
  live.tid_at = 0, live.use_at = 4, live.bond_at = 8, live.turn_at = 12, live.phase_at = 16;
  live.in_flight_at = 20;
  live.recording = live.open = 1;
  for (uint64_t i = 0; i < slabs; ++i) memory.slab[i] = address(memory.states + i * blocks * block);
  for (uint64_t i = 0; i < slabs * blocks; ++i) {
    uint8_t* state = memory.states + i * block + state_at;
    put(state, i ? static_cast<uint32_t>(1000 + i) : live.pid);
    put(state + 4, 1), put(state + 8, static_cast<uint32_t>(i % 4));
  }
}

// Near the words that matter: all of Live and the table, and the head of some state.
uint8_t* place_of(Memory& memory, uint32_t where) {
  constexpr uint32_t words = offsetof(wire::Live, wish);
  if (where % 4 == 0) return memory.states + (where / 4) % (slabs * blocks) * block + state_at;
  if (where % 4 == 1) return reinterpret_cast<uint8_t*>(memory.slab) + where / 4 % slabs * 8;
  return reinterpret_cast<uint8_t*>(&memory.live) + where / 4 % (words - 8);
}

uint64_t number_of(const Memory& memory, uint8_t kind, uint64_t number) {
  switch (kind % 5) {
    case 0: return number;
    case 1: return address(&memory) + number % sizeof memory;
    case 2: return number % 70000;
    case 3: return ~number % 70000;
    default: return uint64_t{1} << number % 64;
  }
}

void change(Memory& memory, uint64_t& image, const uint8_t* deed) {
  uint32_t where;
  uint64_t number = 0;
  std::memcpy(&where, deed, 3), where &= 0xffffff;
  std::memcpy(&number, deed + 4, sizeof number);
  number = number_of(memory, deed[3], number);
  if (deed[3] == 0xff)
    image = number;
  else
    std::memcpy(place_of(memory, where), &number, deed[3] & 0x80 ? 4 : 8);
}

void look(const cli::Carrier& process) {
  const cli::Status status = cli::status_of(process);
  check(status.here + status.known + status.away <= slabs * blocks * 64 * 64);
  check(status.here + status.known + status.away + status.strange >= status.strange);
  const std::string text = cli::shown(process, status), json = cli::as_json(process, status);
  check(text.find('\n') == text.npos && json.front() == '{' && json.back() == '}');
}

void find_threads(const cli::Carrier& process) {
  cli::Reached reached(process.pid, process.ring_file, process.name);
  (void)reached.is_pending();
  for (const cli::Reached::Thread& thread : reached.threads()) check(thread.tid != 0);
  reached.look();
}

}  // namespace

// The rest of processes.cc looks for others.
namespace sctrace::cli {
std::string Carrier::trace() const { return "/trace"; }
std::optional<Carrier> carrier(uint32_t) { return std::nullopt; }
std::vector<Carrier> carriers() { return {}; }
std::vector<Carrier> carriers_of(const std::string&) { return {}; }
}  // namespace sctrace::cli

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count) {
  constexpr size_t deed = 12;
  static auto* const memory = static_cast<Memory*>(
      ::mmap(nullptr, sizeof(Memory), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  static const int file = static_cast<int>(::memfd_create("image", 0));
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  make_right(*memory);
  uint64_t place = address(memory);
  for (size_t at = 0; at + deed <= count; at += deed) change(*memory, place, bytes + at);
  check(::pwrite(file, &place, sizeof place, offsetof(wire::Image, live)) == sizeof place);
  const cli::Carrier process{
      .pid = static_cast<uint32_t>(::getpid()), .name = "it", .ring_file = path};
  try {
    find_threads(process);
    look(process);
  } catch (const cli::CantReach& said) {
    check(std::strchr(said.what(), '\n') == nullptr);
  }
  return 0;
}
