#include "preload/exact.h"

#include <asm/unistd.h>

#include <array>
#include <cerrno>

#include "preload/capture.h"
#include "preload/capture_plan.h"
#include "preload/exact_calls.h"
#include "preload/exact_copies.h"
#include "preload/exact_message.h"
#include "preload/global.h"
#include "preload/put.h"
#include "preload/redact.h"
#include "preload/special.h"

namespace sctrace::preload {
namespace {

using arch::Kind;
using arch::Measure;
using arch::Way;

constexpr uint8_t no_capacity = 0xff, not_listed = 0xfe;

constexpr auto capacities = [] {
  std::array<uint8_t, arch::number_limit> all{};
  for (uint8_t& one : all) one = not_listed;
  for (const ExactCall& call : exact_calls) all[call.nr] = call.capacity;
  return all;
}();

// A signal set that special.cc replaces by one of its own.
bool is_mask(uint32_t nr, const Op& op) {
  return (nr == __NR_ppoll && op.arg == 3) ||
         ((nr == __NR_epoll_pwait || nr == __NR_epoll_pwait2) && op.arg == 4);
}

// Flags and options with which the kernel keeps the address, or follows pointers that it finds.
bool keeps_addresses(uint32_t nr, const uint64_t* args) {
  constexpr uint64_t zerocopy = 0x4000000;
  constexpr uint32_t sol_socket = 1, attach_filter = 26, attach_reuseport_cbpf = 51;
  switch (nr) {
    case __NR_sendto: return args[3] & zerocopy;
    case __NR_sendmsg: return args[2] & zerocopy;
    case __NR_setsockopt:
    case __NR_getsockopt: {
      const auto level = static_cast<uint32_t>(args[1]), name = static_cast<uint32_t>(args[2]);
      return level == sol_socket && (name == attach_filter || name == attach_reuseport_cbpf);
    }
    default: return false;
  }
}

struct Call {
  ThreadState& self;
  const uint64_t* args;
  uint32_t nr;
  const Plan& plan;
};

Call call_of(ThreadState& self) {
  const auto nr = static_cast<uint32_t>(self.frame.nr);
  return {.self = self, .args = self.frame.args, .nr = nr, .plan = plan_for(nr)};
}

bool is_result(const Op& op) { return op.way == Way::out && op.measure == Measure::result; }

bool copy_argument(const Call& c, const Op& op);

// The pointed-to length, from our copy of it.
bool pointed_length(const Call& c, const Op& op, uint64_t& n) {
  for (uint8_t i = 0; i < c.plan.ops; ++i)
    if (c.plan.op[i].arg == op.which && !copy_argument(c, c.plan.op[i])) return false;
  const uint64_t at = c.self.exact.copy[op.which];
  if (!at) return false;
  uint32_t word;
  __builtin_memcpy(&word, reinterpret_cast<const void*>(at), sizeof word);
  return n = word, true;
}

// How many bytes the kernel may read or write there. False: nobody can say.
bool length_of(const Call& c, const Op& op, uint64_t& n) {
  n = 1;
  switch (op.measure) {
    case Measure::none:
    case Measure::nul: break;
    case Measure::argument: n = c.args[op.which]; break;
    case Measure::result:
      if (capacities[c.nr] == no_capacity) return false;
      n = c.args[capacities[c.nr]];
      break;
    case Measure::pointed:
      if (!pointed_length(c, op, n)) return false;
      break;
    case Measure::bits: {
      const auto bits = static_cast<int32_t>(c.args[op.which]);
      n = bits > 0 ? (static_cast<uint64_t>(bits) + 63) / 64 * 8 : 0;
      break;
    }
    case Measure::pages: n = c.args[op.which] / 4096 + (c.args[op.which] % 4096 != 0); break;
  }
  if (n > exact_most || op.element > exact_most) return false;
  n = n * op.element + op.head;
  return n <= exact_most;
}

bool copy_string_argument(const Call& c, const Op& op) {
  uint64_t n;
  const uint64_t copy = copied_string(c.self, c.args[op.arg], n);
  return copy && replaced(c.self, op.arg, copy, n);
}

bool copy_plain(const Call& c, const Op& op) {
  const uint64_t app = c.args[op.arg];
  uint64_t n;
  if (!length_of(c, op, n)) return false;
  if (!n) return true;
  uint64_t copy;
  if (op.way == Way::in)
    copy = copied_in(c.self, app, n);
  else if (is_result(op))
    copy = room_for_out(c.self, app, n);
  else
    copy = copied_with_before(c.self, app, n);
  return copy && replaced(c.self, op.arg, copy, n);
}

bool copy_argument(const Call& c, const Op& op) {
  const uint64_t app = c.args[op.arg];
  if (!app || c.self.exact.copy[op.arg] || is_mask(c.nr, op)) return true;
  switch (op.kind) {
    case Kind::path:
    case Kind::string: return copy_string_argument(c, op);
    case Kind::buffer:
    case Kind::structure:
    case Kind::array: return copy_plain(c, op);
    case Kind::iovec: {
      const uint64_t copy = copy_vectors(c.self, app, c.args[op.which], op.way == Way::in);
      return copy && replaced(c.self, op.arg, copy, c.args[op.which]);
    }
    case Kind::msghdr: {
      const uint64_t copy = copy_message(c.self, app, op.way == Way::in);
      return copy && replaced(c.self, op.arg, copy, 1);
    }
    default: return false;
  }
}

bool copy_all(const Call& c) {
  begin_copies(c.self);
  for (uint8_t i = 0; i < c.plan.ops; ++i)
    if (!copy_argument(c, c.plan.op[i])) return false;
  return true;
}

// --- the records, in the order and shape of capture.cc's ---

bool put_one(const Call& c, uint8_t way, const Op& op, uint64_t n) {
  const uint64_t copy = c.self.exact.copy[op.arg];
  if (!copy || !n) return true;
  if (c.self.redacted && op.kind == Kind::buffer)
    return put_length(c.self, way | wire::data_exact, c.args[op.arg], n);
  const uint64_t keep = op.kind == Kind::buffer ? kept_of(c.self, copy, n)
                        : n < struct_most       ? n
                                                : struct_most;
  return put_copy(c.self, way, copy, c.args[op.arg], n, keep);
}

bool put_pointed(const Call& c, uint8_t way, const Op& op) {
  const uint64_t copy = c.self.exact.copy[op.which];
  return !copy || op.measure != Measure::pointed ||
         put_copy(c.self, way, copy, c.args[op.which], 4, 4);
}

bool put_in(const Call& c, const Op& op) {
  const uint64_t copy = c.self.exact.copy[op.arg];
  if (is_mask(c.nr, op)) return put_whole(c.self, 0, c.args[op.arg], c.args[op.which]);
  if (!copy) return true;
  if (op.kind == Kind::iovec)
    return put_vectors_in(c.self, c.args[op.arg], copy, c.self.exact.bytes_of[op.arg],
                          op.way == Way::in);
  if (op.kind == Kind::msghdr)
    return put_message_in(c.self, c.args[op.arg], copy, op.way == Way::in);
  if (!put_pointed(c, 0, op)) return false;
  return op.way == Way::out || put_one(c, 0, op, c.self.exact.bytes_of[op.arg]);
}

// What came out: as much of it as the result, or the length beside it, says.
uint64_t filled(const Call& c, const Op& op, int64_t result) {
  const uint64_t room = c.self.exact.bytes_of[op.arg];
  uint64_t n = room;
  if (op.measure == Measure::result)
    n = result < 0 ? 0 : static_cast<uint64_t>(result) * op.element + op.head;
  if (op.measure == Measure::pointed) {
    uint32_t word;
    __builtin_memcpy(&word, reinterpret_cast<const void*>(c.self.exact.copy[op.which]), 4);
    n = word;
  }
  return n < room ? n : room;
}

bool give(const Call& c, const Op& op, int64_t result) {
  const uint64_t copy = c.self.exact.copy[op.arg];
  if (!copy || op.way == Way::in) return true;
  const uint64_t app = c.args[op.arg];
  if (op.kind == Kind::iovec) return give_vectors(copy, c.self.exact.bytes_of[op.arg], result);
  if (op.kind == Kind::msghdr) return give_message(app, copy, result);
  if (is_result(op))
    return write_app(app, reinterpret_cast<const void*>(copy), filled(c, op, result));
  return give_changed(app, copy, c.self.exact.bytes_of[op.arg]);
}

bool put_out(const Call& c, const Op& op, int64_t result) {
  const uint64_t copy = c.self.exact.copy[op.arg];
  if (!copy || op.way == Way::in) return true;
  const int64_t moved = result < 0 ? 0 : result;
  if (op.kind == Kind::iovec)
    return put_vectors_out(c.self, copy, c.self.exact.bytes_of[op.arg], moved);
  if (op.kind == Kind::msghdr) return put_message_out(c.self, c.args[op.arg], copy, moved);
  return put_pointed(c, wire::data_out, op) && put_one(c, wire::data_out, op, filled(c, op, moved));
}

}  // namespace

bool may_be_exact(uint32_t nr) { return nr < arch::number_limit && capacities[nr] != not_listed; }

bool try_enter_exactly(ThreadState& self) {
  const Call c = call_of(self);
  const auto missed = [&] {
    self.frame.pass = self.frame.args;
    return count(self.out.header->inexact), false;
  };
  if (keeps_addresses(c.nr, c.args)) return missed();
  if (!copy_all(c) && !(more_room(self) && copy_all(c))) return missed();
  if (!self.exact.used) return self.frame.pass = self.frame.args, false;  // null pointers only
  self.redacted = may_redact(c.nr) && is_redacted(self);
  if (global.config.capture_in)
    for (uint8_t i = 0; i < c.plan.ops; ++i)
      if (!put_in(c, c.plan.op[i])) break;
  return true;
}

// A part of the app's memory that is gone since we looked is the kernel's EFAULT.
void leave_exactly(ThreadState& self) {
  const Call c = call_of(self);
  const int64_t result = self.frame.result;
  for (uint8_t i = 0; i < c.plan.ops; ++i)
    if (!give(c, c.plan.op[i], result)) self.frame.result = -EFAULT;
  const bool tells = result >= 0 || result == -EINTR || result == -E2BIG;
  if (!tells || !global.config.capture_out || !self.in_flight.recording) return;
  for (uint8_t i = 0; i < c.plan.ops; ++i)
    if (!put_out(c, c.plan.op[i], result)) return;
}

}  // namespace sctrace::preload
