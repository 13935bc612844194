#include "preload/capture.h"

#include <cerrno>

#include "arch/requests.h"
#include "preload/capture_plan.h"
#include "preload/global.h"
#include "preload/load.h"
#include "preload/put.h"
#include "preload/redact.h"
#include "preload/thread.h"

namespace sctrace::preload {
namespace {

using arch::Arg;
using arch::Kind;
using arch::Measure;
using arch::Way;

// Bounds of what one call may cost, whatever lengths the app names.
constexpr uint64_t vectors_most = 1024, strings_most = 8192;
constexpr int32_t bits_most = 1 << 20;  // descriptors that a process may have: fs.nr_open

// One taking: which call, which moment, where the bytes go.
struct Taking {
  ThreadState& self;
  const uint64_t* args;
  bool out;
  int64_t result;  // out only
  uint8_t way() const { return out ? wire::data_out : 0; }
};

bool put(const Taking& t, uint64_t address, uint64_t wanted, uint64_t keep) {
  return put(t.self, t.way(), address, wanted, keep);
}
bool put_whole(const Taking& t, uint64_t address, uint64_t n) {
  return put_whole(t.self, t.way(), address, n);
}
bool put_buffer(const Taking& t, uint64_t address, uint64_t n) {
  if (t.self.redacted) return put_length(t.self, t.way(), address, n);
  return put_buffer(t.self, t.way(), address, n);
}

struct Vector {
  uint64_t base, length;
};

// An array of iovecs and, each bounded, what they point at: in whole for in, as far as `filled` for
// out.
bool put_vectors(const Taking& t, uint64_t address, uint64_t count, uint64_t filled, bool array) {
  if (count > vectors_most) count = vectors_most;
  if (array && !put_whole(t, address, count * sizeof(Vector))) return false;
  for (uint64_t i = 0; i < count && filled; ++i) {
    Vector v;
    if (!try_load(address + i * sizeof v, v.base, v.length)) return true;
    const uint64_t n = v.length < filled ? v.length : filled;
    filled -= n;
    if (n && !put_buffer(t, v.base, n)) return false;
  }
  return true;
}

// struct msghdr, without its flags.
struct Message {
  uint64_t name, name_bytes, vectors, count, control, control_bytes;
};
constexpr uint64_t message_bytes = 56;

bool try_load_message(uint64_t at, Message& m) {
  return try_load(at, m.name, m.name_bytes) && try_load(at + 16, m.vectors, m.count) &&
         try_load(at + 32, m.control, m.control_bytes);
}

// A message header. sending: all of it before the call. receiving: header and vectors before, to
// know what was offered; header, name, control and filled bytes after.
bool put_message(const Taking& t, uint64_t address, bool sending, uint64_t filled) {
  Message m;
  if (!put_whole(t, address, message_bytes) || !try_load_message(address, m)) return true;
  const auto name_bytes = static_cast<uint32_t>(m.name_bytes);
  const bool contents = sending || t.out;
  if (contents && m.name && !put_whole(t, m.name, name_bytes < 128 ? name_bytes : 128))
    return false;
  if (!put_vectors(t, m.vectors, m.count, contents ? filled : 0, !t.out)) return false;
  if (contents && m.control) return put_whole(t, m.control, m.control_bytes);
  return true;
}

bool put_messages(const Taking& t, uint64_t address, uint64_t count, bool sending) {
  if (count > vectors_most) count = vectors_most;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t at = address + i * 64;
    uint32_t length = 0;
    if (t.out && !read_app(&length, at + 56, sizeof length)) return true;
    if (t.out && !put(t, at + 56, 4, 4)) return false;
    if (sending && t.out) continue;
    if (!put_message(t, at, sending, t.out ? length : ~0ull)) return false;
  }
  return true;
}

// A null-terminated vector of strings. The pointers go in as one piece, so that it can be walked
// again.
bool put_strings(const Taking& t, uint64_t address) {
  uint64_t count = 0, pointer = 0;
  for (; count < strings_most; ++count)
    if (!read_app(&pointer, address + count * 8, 8) || !pointer) break;
  if (!put_whole(t, address, (count + 1) * 8)) return false;
  if (t.self.redacted) return true;
  for (uint64_t i = 0; i < count; ++i) {
    if (!read_app(&pointer, address + i * 8, 8)) return true;
    if (pointer && !put_argument(t.self, pointer)) return false;
  }
  return true;
}

// How many elements. For an out argument the result bounds it, for an in argument what the app
// says.
uint64_t measured(const Taking& t, const Op& op) {
  switch (op.measure) {
    case Measure::none:
    case Measure::nul: return 1;
    case Measure::argument: return t.args[op.which];
    case Measure::result: {
      const uint64_t told = t.result > 0 ? static_cast<uint64_t>(t.result) : 0;
      const auto nr = static_cast<uint32_t>(t.self.frame.nr);
      if (!may_tell_more(nr)) return told;
      if (op.arg + 1u >= plan_for(nr).arity) return told;  // a key's answer fills what it tells
      const uint64_t room = t.args[nr == arch::nr_getgroups ? op.arg - 1 : op.arg + 1];
      if (nr == arch::nr_keyctl && op.arg == 1) return room;  // capabilities: the rest is zeroed
      return room < told ? room : told;
    }
    case Measure::pointed: {
      uint32_t n = 0;
      if (!read_app(&n, t.args[op.which], sizeof n)) return 0;
      if (!t.out)
        t.self.offered =
            n;  // the kernel says how much there was, but fills no more than it was offered
      return t.out && t.self.offered < n ? t.self.offered : n;
    }
    case Measure::bits: {
      const auto n = static_cast<int32_t>(t.args[op.which]);
      return n > 0 ? (static_cast<uint64_t>(n < bits_most ? n : bits_most) + 63) / 64 * 8 : 0;
    }
    case Measure::pages: return t.args[op.which] / 4096 + (t.args[op.which] % 4096 != 0);
  }
  return 0;
}

uint64_t bytes_of(uint64_t count, uint32_t element) {
  uint64_t n;
  return __builtin_mul_overflow(count, uint64_t{element}, &n) ? ~0ull >> 1 : n;
}

// An iocb's buffer is bytes, or a vector, by its opcode; what is to be read is not there yet.
bool put_block(const Taking& t, uint64_t address) {
  struct {
    uint64_t data, key;
    uint16_t opcode, priority;
    uint32_t fd;
    uint64_t buffer, bytes;
  } block;
  if (!read_app(&block, address, sizeof block)) return true;
  constexpr uint16_t write = 1, readv = 7, writev = 8;
  if (block.opcode == write) return put_buffer(t, block.buffer, block.bytes);
  if (block.opcode != readv && block.opcode != writev) return true;
  return put_vectors(t, block.buffer, block.bytes, block.opcode == writev ? ~0ull : 0, true);
}

// What the pointers inside structs point at, and what follows them (links.def): as deep as a
// pointer in what a pointer leads to, of the first few structs of an array.
constexpr uint64_t links_deep = 2, links_most = 64;

constexpr auto linked = [] {
  std::array<bool, sizeof arch::layout_bytes / sizeof *arch::layout_bytes> all{};
  for (const arch::Link& link : arch::links) all[static_cast<size_t>(link.from)] = true;
  return all;
}();

// `known`: so many bytes of the struct are there.
bool put_links(const Taking& t, uint64_t address, arch::Layout layout, uint64_t n, uint64_t deep,
               uint64_t known = ~0ull);

// How many there are.
bool try_count(const Taking& t, uint64_t address, const arch::Link& link, uint64_t& count) {
  count = 1;
  if (!link.length_bytes) return true;
  count = 0;
  if (link.length_bytes != arch::by_argument)
    return read_app(&count, address + link.length_at, link.length_bytes);
  count = static_cast<uint32_t>(t.args[link.length_at]);
  return true;
}

bool put_link(const Taking& t, uint64_t address, const arch::Link& link, uint64_t deep) {
  uint64_t pointer = address + link.pointer_at, count = 0;
  uint32_t word = 0;
  if (link.filled && !t.out) return true;
  if (link.when && (!read_app(&word, address + link.when_at, 4) || word != link.when)) return true;
  if (link.argument)
    pointer = t.args[link.argument];
  else if (!link.inside && !read_app(&pointer, pointer, 8))
    return true;
  if (pointer && link.length_bytes == arch::until_nul) return put_string(t.self, pointer);
  if (!pointer || !try_count(t, address, link, count)) return true;
  if (link.data) {
    const auto filled = static_cast<uint64_t>(t.result);
    return put_buffer(t, pointer, link.filled && filled < count ? filled : count);
  }
  const uint32_t element = arch::layout_bytes[static_cast<unsigned>(link.to)];
  return put_whole(t, pointer, bytes_of(count, element)) &&
         (link.to != arch::Layout::iocb || put_block(t, pointer)) &&
         (!deep || (element > 1 ? put_links(t, pointer, link.to, count, deep - 1)
                                : put_links(t, pointer, link.to, 1, deep - 1, count)));
}

bool put_links(const Taking& t, uint64_t address, arch::Layout layout, uint64_t n, uint64_t deep,
               uint64_t known) {
  if (!linked[static_cast<unsigned>(layout)]) return true;
  const uint32_t element = arch::layout_bytes[static_cast<unsigned>(layout)];
  for (uint64_t i = 0; i < n && i < links_most; ++i)
    for (const arch::Link& link : arch::links)
      if (link.from == layout && link.pointer_at + 8u <= known && link.least <= known &&
          !put_link(t, address + i * element, link, deep))
        return false;
  return true;
}

// Socket options whose length says less than how many bytes there are.
constexpr uint64_t sol_socket = 1, so_attach_filter = 26, so_attach_reuseport_cbpf = 51;
bool is_filter(const Taking& t, uint32_t nr) {
  const auto level = static_cast<uint32_t>(t.args[1]), name = static_cast<uint32_t>(t.args[2]);
  return static_cast<uint32_t>(t.self.frame.nr) == nr && level == sol_socket &&
         (name == so_attach_filter ||
          (nr == arch::nr_setsockopt && name == so_attach_reuseport_cbpf));
}

bool put_bytes(const Taking& t, uint64_t address, uint64_t bytes) {
  if (is_filter(t, arch::nr_getsockopt)) return put_whole(t, address, bytes * 8);  // instructions
  if (!put_buffer(t, address, bytes)) return false;
  return bytes < 16 || !is_filter(t, arch::nr_setsockopt) ||
         put_links(t, address, arch::Layout::sock_fprog, 1, 0);
}

bool take(const Taking& t, const Op& op);

// HDIO_DRIVE_CMD: so many sectors, of 512 bytes, follow the four bytes of the command.
bool put_sectors(const Taking& t, const Op& op) {
  uint8_t sectors = 0;
  if (!t.out || !read_app(&sectors, t.args[op.arg] + 3, 1) || !sectors) return true;
  return put_buffer(t, t.args[op.arg] + 4, sectors * 512u);
}

// ioctl: by its request's row; without one, as far as the number itself says what goes which way.
bool take_request(const Taking& t, const Op& op) {
  const uint32_t number = static_cast<uint32_t>(t.args[op.which]);
  const arch::Request* request = arch::request_of(number);
  if (request) {
    if (request->way == Way::none) return true;
    const arch::Layout layout = t.out ? request->after : request->before;
    if (layout == arch::Layout::c_string) return put_string(t.self, t.args[op.arg]);
    const uint32_t bytes = arch::layout_bytes[static_cast<unsigned>(layout)];
    const Op memory{.kind = Kind::structure,
                    .way = request->way,
                    .arg = op.arg,
                    .layout = layout,
                    .element = bytes};
    return take(t, memory) && (number != arch::requests::io_HDIO_DRIVE_CMD || put_sectors(t, op));
  }
  const bool goes = t.out ? arch::request_writes(number) : arch::request_reads(number);
  uint64_t bytes = arch::request_bytes(number);
  // Input devices answer how much they wrote, whatever was said.
  if (!bytes && t.out && (number >> 8 & 255) == 'E' && t.result > 0)
    bytes = (static_cast<uint64_t>(t.result) + 7) & ~7ull;
  return !goes || put_whole(t, t.args[op.arg], bytes);
}

bool take_variant(const Taking& t, const Op& op) {
  const uint32_t nr = static_cast<uint32_t>(t.self.frame.nr);
  if (nr == arch::nr_ioctl) return take_request(t, op);
  const Op* found = variant_of(nr, static_cast<uint32_t>(t.args[op.which]), op.ordinal);
  if (!found || found->kind == Kind::variant) return true;
  Op variant = *found;
  variant.arg = op.arg;
  return take(t, variant);
}

// Where the struct itself says how much of it there is: of the room for a statmount so much was
// filled. And of a security module's context the kernel looks at the head, if at anything; of what
// a ring is asked to tell of its operations, at no more than there are numbers for. An attribute of
// scheduling that tells no size has its first one, and only that is written to.
uint64_t as_it_says(const Taking& t, const Op& op, uint64_t bytes) {
  uint32_t most = ~0u;
  if (op.layout == arch::Layout::statmount) {
    read_app(&most, t.args[op.arg], sizeof most);
  } else if (op.layout == arch::Layout::lsm_ctx && op.way == Way::both && !t.out) {
    constexpr uint32_t single = 1, head = 32;  // LSM_FLAG_SINGLE
    most = t.args[3] & single ? head : 0;
  } else if (op.layout == arch::Layout::ring_probe) {
    constexpr uint32_t head = 16, operations = 256, each = 8;
    most = head + operations * each;
  } else if (op.layout == arch::Layout::sched_attr && op.way == Way::both) {
    constexpr uint32_t first = 48;  // SCHED_ATTR_SIZE_VER0
    if (t.out) return 0;
    if (!bytes) return first;
  }
  return bytes < most ? bytes : most;
}

bool take(const Taking& t, const Op& op) {
  const uint64_t address = t.args[op.arg];
  const bool sending = op.way == Way::in;
  const bool now = op.way == Way::both || (op.way == Way::out) == t.out;
  if (!address && op.kind != Kind::variant) return true;
  if (op.measure == Measure::pointed) {  // the length itself, and before the call what it offers
    if (t.out && sending) return true;
    if (!t.out) measured(t, op);
    if (!put(t, t.args[op.which], 4, 4)) return false;
  }
  switch (op.kind) {
    case Kind::path:
    case Kind::string: return !now || put_string(t.self, address);
    case Kind::buffer:
      return !now || put_bytes(t, address, op.head + bytes_of(measured(t, op), op.element));
    case Kind::structure:
    case Kind::array:
      return !now ||
             (put_whole(t, address,
                        as_it_says(t, op, op.head + bytes_of(measured(t, op), op.element))) &&
              put_links(
                  t, address, op.layout, op.kind == Kind::array ? measured(t, op) : 1, links_deep,
                  op.measure == Measure::argument && op.kind == Kind::structure ? t.args[op.which]
                                                                                : ~0ull));
    case Kind::iovec:
      if (sending) return t.out || put_vectors(t, address, measured(t, op), ~0ull, true);
      return put_vectors(t, address, measured(t, op), t.out ? static_cast<uint64_t>(t.result) : 0,
                         !t.out);
    case Kind::msghdr:
      if (sending) return t.out || put_message(t, address, true, ~0ull);
      return put_message(t, address, false, t.out ? static_cast<uint64_t>(t.result) : 0);
    case Kind::mmsghdr:
      if (t.out) return put_messages(t, address, static_cast<uint64_t>(t.result), sending);
      return put_messages(t, address, measured(t, op), sending);
    case Kind::strings: return t.out || put_strings(t, address);
    case Kind::variant: return take_variant(t, op);
    default: return true;
  }
}

bool take_all(const Taking& t) {
  const Plan& plan = plan_for(static_cast<uint32_t>(t.self.frame.nr));
  for (uint8_t i = 0; i < plan.ops; ++i)
    if (!take(t, plan.op[i])) return false;
  return true;
}

}  // namespace

bool read_app(void* to, uint64_t from, uint64_t n) {
  return sctrace_copy(to, reinterpret_cast<const void*>(from), n) == 0;
}
bool write_app(uint64_t to, const void* from, uint64_t n) {
  return sctrace_copy(reinterpret_cast<void*>(to), from, n) == 0;
}

namespace {

bool take_step(const Taking& t, const Step& step) {
  const uint64_t address = t.args[step.at];
  if (!address) return true;
  uint64_t n = 1;
  if (step.by == Step::by_result)
    n = static_cast<uint64_t>(t.result);
  else if (step.by != Step::by_nothing)
    n = t.args[step.by];
  const uint64_t filled = t.out ? static_cast<uint64_t>(t.result) : step.element ? ~0ull : 0;
  switch (step.shape) {
    case Shape::path: return put_string(t.self, address);
    case Shape::buffer: return put_buffer(t.self, t.way(), address, n);
    case Shape::structure: return put_whole(t, address, bytes_of(n, step.element));
    case Shape::vectors: return put_vectors(t, address, n, filled, !t.out);
    case Shape::message: return put_message(t, address, !t.out && step.element, filled);
    case Shape::interpreted:
    case Shape::steps: break;
  }
  return true;
}

bool take_steps(const Taking& t) {
  const auto& both = all_steps.of[static_cast<uint32_t>(t.self.frame.nr)];
  const Steps& steps = t.out ? both.out : both.in;
  for (uint8_t i = 0; i < steps.count; ++i)
    if (!take_step(t, steps.step[i])) return false;
  return true;
}

}  // namespace

bool take_steps_in(ThreadState& self) {
  return take_steps({.self = self, .args = self.frame.args, .out = false, .result = 0});
}

bool take_steps_out(ThreadState& self, uint64_t result) {
  return take_steps(
      {.self = self, .args = self.frame.args, .out = true, .result = static_cast<int64_t>(result)});
}

bool interpret_in(ThreadState& self) {
  const auto nr = static_cast<uint32_t>(self.frame.nr);
  if (global.config.redaction.any && may_redact(nr)) [[unlikely]] {
    self.redacted = is_redacted(self);
    if (!global.config.capture_in) return true;
  }
  if (const uint8_t command = plan_for(nr).command; command != Plan::none) {
    const uint8_t flags = flags_of_command(nr, self.frame.args[command]);
    if (!(flags & plan_out)) self.in_flight.out = Out::none;
    if (!(flags & plan_in)) return true;
  }
  return take_all({.self = self, .args = self.frame.args, .out = false, .result = 0});
}

namespace {

// Of several controls of a video device the kernel says which one it refused, to a search that
// found something how much room that takes.
bool tells_why(const arch::Frame& call) {
  namespace r = arch::requests;
  const auto request = static_cast<uint32_t>(call.args[1]);
  return call.nr == arch::nr_ioctl &&
         (request == r::io_VIDIOC_G_EXT_CTRLS || request == r::io_VIDIOC_S_EXT_CTRLS ||
          request == r::io_VIDIOC_TRY_EXT_CTRLS || request == r::io_BTRFS_IOC_TREE_SEARCH_V2);
}

}  // namespace

bool interpret_out(ThreadState& self, int64_t result) {
  // EINTR: nanosleep and its like tell what remains. E2BIG: perf_event_open how long its struct is.
  if (result < 0 && result != -EINTR && result != -E2BIG && !tells_why(self.frame)) return true;
  return take_all(
      {.self = self, .args = self.frame.args, .out = true, .result = result < 0 ? 0 : result});
}

}  // namespace sctrace::preload
