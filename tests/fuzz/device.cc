// Controllers that say anything, frames too, to a hub with threads that stop, are withdrawn and
// die: it stays within its page, and no call is changed where nobody has written one. The input is
// a list of deeds, each ended by a byte 1.
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "arch/table.h"
#include "formats/device/hub.h"
#include "formats/device/placed.h"

using namespace sctrace;
using wire::SlotState;
using wire::Stop;

namespace {

constexpr uint32_t threads = 4;
constexpr uint64_t address = 0x1000;

void check(bool right) {
  if (!right) std::abort();
}

// A call with memory behind two of its arguments, as preload/control.cc writes it.
struct Canned {
  uint32_t nr;
  uint64_t args[6];
};
constexpr Canned canned[] = {{arch::nr_write, {2, address, 12}},
                             {arch::nr_nanosleep, {address, 0}},
                             {arch::nr_connect, {3, address, 16}},
                             {arch::nr_openat, {~uint64_t{99}, address, 0x241, 0600}},
                             {arch::nr_poll, {address, 2, 5}},
                             {arch::nr_writev, {1, address, 2}},
                             {arch::nr_execve, {address + 256, address, 0}},
                             {arch::nr_sendmsg, {1, address, 0}},
                             {arch::nr_ioctl, {1, 0x5414, address}},
                             {9999, {1, 2, 3, 4, 5, 6}}};

template <class Record>
void put(std::string& to, const Record& record) {
  to.append(reinterpret_cast<const char*>(&record), sizeof record);
}

std::string records_of(const Canned& call, std::string_view memory) {
  std::string out;
  const bool odd = call.nr >= wire::nr_escape;
  put(out, wire::Entry{{.units = 8, .type = wire::Type::entry, .flags = 63, .ticks = 0},
                       static_cast<uint16_t>(odd ? wire::nr_escape : call.nr),
                       static_cast<uint16_t>(6 << wire::argc_shift)});
  for (const uint64_t argument : call.args) put(out, argument);
  out.resize(64);
  for (const uint64_t at : {address, address + 256}) {
    const uint64_t n = std::min<size_t>(memory.size(), 256);
    put(out, wire::Data{.units = static_cast<uint16_t>(2 + (n + 7) / 8),
                        .type = wire::Type::data,
                        .flags = 0,
                        .wanted = static_cast<uint32_t>(n),
                        .where = at | n << 48});
    out += memory.substr(0, n);
    out.resize((out.size() + 7) & ~size_t{7});
  }
  return out;
}

class World {
 public:
  explicit World(wire::ControlPage& page) : page_(page), hub_(page, [](uint32_t) {}) {
    for (uint32_t i = 0; i < threads; ++i) page.slots[i].state = SlotState::free;
    for (int& one : controllers_) one = hub_.connect();
  }
  void deed(std::string_view what);

 private:
  void ask(uint32_t n, Stop stop) {
    page_.slots[n].stop = stop;
    page_.slots[n].state = SlotState::asked;
    page_.asking[0] |= uint64_t{1} << n;
  }
  void call(uint32_t n, std::string_view how);
  void answered(uint32_t n);
  void say(int one, std::string_view bytes) {
    if (controllers_[one] && !hub_.hear(controllers_[one], bytes)) hang_up(one);
    for (const int id : controllers_) hub_.take_output(id);
    written_ |= may_be_a_call(bytes);
  }
  // A word that is none of the protocol's, or frames: a call may have been written.
  static bool may_be_a_call(std::string_view bytes) {
    device::Command command;
    for (size_t end; !bytes.empty(); bytes.remove_prefix(std::min(end, bytes.size() - 1) + 1)) {
      end = bytes.find('\n');
      const std::string wrong = device::parse_command(bytes.substr(0, end), command);
      if (wrong.empty() && (command.verb == device::Command::Verb::call ||
                            command.verb == device::Command::Verb::packed))
        return true;
      if (end == bytes.npos) return true;  // goes on in what is said next
    }
    return false;
  }
  void hang_up(int one) {
    hub_.hang_up(controllers_[one]);
    controllers_[one] = 0;
  }
  wire::ControlPage& page_;
  device::Hub hub_;
  int controllers_[3];
  const Canned* made_[threads] = {};
  uint64_t now_ = 0;
  bool written_ = false;
};

void World::call(uint32_t n, std::string_view how) {
  wire::ControlSlot& slot = page_.slots[n];
  if (slot.state != SlotState::free) return;
  const Canned& call = canned[how.empty() ? 0 : static_cast<uint8_t>(how[0]) % std::size(canned)];
  const std::string records = records_of(call, how.empty() ? how : how.substr(1));
  slot.pid = 1, slot.tid = n + 1, slot.number = call.nr;
  slot.bytes = static_cast<uint32_t>(records.size());
  std::memcpy(slot.data, records.data(), records.size());
  std::memcpy(slot.args, call.args, sizeof slot.args);
  slot.kept = slot.pointer_count = slot.stops_after = 0;
  made_[n] = &call;
  ask(n, Stop::entry);
}

// What the thread does with it.
void World::answered(uint32_t n) {
  wire::ControlSlot& slot = page_.slots[n];
  if (slot.state != SlotState::answered) return;
  if (slot.verdict == wire::Verdict::get || slot.verdict == wire::Verdict::set) {
    check(slot.bytes <= sizeof slot.data);
    check(slot.verdict == wire::Verdict::get || slot.bytes <= wire::control_set_most);
    check(slot.address >= address && slot.address + slot.bytes <= address + 4096);
    slot.result = slot.bytes % 3 == 2 ? -14 : 0;
    return ask(n, Stop::reply);
  }
  const bool entry = slot.stop == Stop::entry || slot.stop == Stop::reply;
  if (entry && slot.verdict == wire::Verdict::go_on && made_[n]) {
    check(slot.kept <= wire::control_kept_most);
    check(slot.pointer_count <= wire::control_pointers);
    for (uint32_t i = 0; i < slot.pointer_count; ++i) check(slot.pointers[i] + 8u <= slot.kept);
    for (const uint32_t at : slot.placed) check(at == wire::not_placed || at < slot.kept);
    const bool same = slot.number == made_[n]->nr &&
                      !std::memcmp(slot.args, made_[n]->args, sizeof slot.args) && !slot.kept;
    check(same || written_);
  }
  made_[n] = nullptr;
  if (slot.stops_after && slot.stop != Stop::exit) return ask(n, Stop::exit);
  slot.state = SlotState::free;
}

void World::deed(std::string_view what) {
  if (what.empty()) return;
  const char kind = what[0];
  what.remove_prefix(1);
  const uint32_t n = what.empty() ? 0 : static_cast<uint8_t>(what[0]) % threads;
  switch (kind) {
    case 'A':
    case 'B':
    case 'C': say(kind - 'A', what); break;
    case 'E': call(n, what.substr(!what.empty())); break;
    case 'W':
      if (page_.slots[n].state == SlotState::asked)
        page_.slots[n].state = SlotState::withdrawn, page_.asking[0] |= uint64_t{1} << n;
      break;
    case 'S':
      if (page_.slots[n].state == SlotState::free)
        page_.slots[n].number = 10, page_.slots[n].bytes = 128, ask(n, Stop::signal);
      break;
    case 'F':
      if (page_.slots[n].state == SlotState::free) ask(n, Stop::fork);
      break;
    case 'H': hang_up(static_cast<int>(n % 3)); break;
    case 'P': hub_.pass_time(now_ += 1'000'000'000); break;
    case 'G': hub_.forget([](uint32_t) { return false; }); break;
    default: break;
  }
  hub_.look(now_ += 1000);
  for (uint32_t i = 0; i < threads; ++i) answered(i);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count) {
  static auto* const page = static_cast<wire::ControlPage*>(
      ::mmap(nullptr, sizeof(wire::ControlPage), PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  page->slot_count = 64;
  World world(*page);
  std::string_view input(reinterpret_cast<const char*>(bytes), count);
  while (!input.empty()) {
    const size_t end = std::min(input.find('\1'), input.size());
    world.deed(input.substr(0, end));
    input.remove_prefix(std::min(end + 1, input.size()));
  }
  return 0;
}
