// Structs of tasks and their rings: clone3, sched_setattr, thread areas, aio, io_uring.
#include <fmt/format.h>

#include "formats/read/structs.h"

namespace sctrace::read {

using arch::Layout;
using arch::Set;

namespace {

// Offsets in a ring, eight or seven of them and what is reserved.
Value ring_offsets(const uint8_t* b, std::initializer_list<const char*> names) {
  Builder f;
  for (const char* name : names) f.add(name, value_unsigned(peek<uint32_t>(b))), b += 4;
  return f.done();
}

}  // namespace

Value block_control(const Scene& s, const uint8_t* b) {
  Builder f;
  const uint16_t opcode = peek<uint16_t>(b + 16);
  const int16_t priority = peek<int16_t>(b + 18);
  const uint64_t buffer = peek<uint64_t>(b + 24), n = peek<uint64_t>(b + 32);
  f.add("aio_data", value_hex(peek<uint64_t>(b)));
  if (peek<uint32_t>(b + 8)) f.add("aio_key", value_unsigned(peek<uint32_t>(b + 8)));
  if (peek<uint32_t>(b + 12)) f.add("aio_rw_flags", words(Set::rwf_flags, peek<uint32_t>(b + 12)));
  Value command = word(Set::iocb_commands, opcode);
  command.base = Value::Base::unsigned_decimal;
  f.add("aio_lio_opcode", command);
  const uint32_t flags = peek<uint32_t>(b + 56);
  constexpr uint32_t has_result_fd = 1, has_priority = 2;
  const bool known = opcode <= 1 || opcode == 5 || opcode == 7 || opcode == 8;
  if (priority)
    f.add("aio_reqprio", flags & has_priority ? io_priority(static_cast<uint16_t>(priority))
                                              : value_number(priority));
  f.add("aio_fildes", descriptor(s, peek<int32_t>(b + 20)));
  if (s.call.nr == arch::nr_io_cancel || !known) return f.done();
  const int64_t length = peek<int64_t>(b + 32);
  if (opcode == 5) {
    f.add("aio_buf", words(Set::poll_events, peek<uint32_t>(b + 24)));
  } else if (opcode >= 7 && length >= 0) {
    f.add("aio_buf", opcode == 8 ? vectors(s, buffer, n, false, ~0ull)
                                 : elements(s, Layout::remote_iovec, buffer, n, false));
  } else {
    f.add("aio_buf", opcode == 1 && length >= 0 ? text_at(s, buffer, n, false) : value_hex(buffer));
    f.add("aio_nbytes", value_unsigned(n));
  }
  if (opcode != 5) f.add("aio_offset", value_number(peek<int64_t>(b + 40)));
  if (flags) f.add("aio_flags", words(Set::iocb_flags, flags));
  if (flags & has_result_fd) f.add("aio_resfd", descriptor(s, peek<int32_t>(b + 60)));
  return f.done();
}

Value clone_arguments(const Scene& s, const uint8_t* b, uint64_t bytes) {
  Builder f;
  const uint64_t flags = peek<uint64_t>(b), exit = peek<uint64_t>(b + 32);
  f.add("flags", words(Set::clone3_flags, flags, true));
  if (flags & 0x1000) f.add("pidfd", value_address(peek<uint64_t>(b + 8)));
  if (flags & 0x1200000) f.add("child_tid", value_address(peek<uint64_t>(b + 16)));
  if (flags & 0x100000) f.add("parent_tid", value_address(peek<uint64_t>(b + 24)));
  f.add("exit_signal", exit > 64 || !exit ? value_unsigned(exit) : signal_value(exit));
  f.add("stack", value_address(peek<uint64_t>(b + 40)));
  f.add("stack_size",
        peek<uint64_t>(b + 48) ? value_hex(peek<uint64_t>(b + 48)) : value_unsigned(0));
  if (flags & 0x80000) f.add("tls", value_address(peek<uint64_t>(b + 56)));
  if (bytes >= 80 && (peek<uint64_t>(b + 64) || peek<uint64_t>(b + 72))) {
    const uint64_t count = peek<uint64_t>(b + 72);
    f.add("set_tid", count && count <= 4096
                         ? elements(s, Layout::s32, peek<uint64_t>(b + 64), count, false)
                         : value_address(peek<uint64_t>(b + 64)));
    f.add("set_tid_size", value_unsigned(count));
  }
  if (bytes >= 88 && (peek<uint64_t>(b + 80) || flags & 0x200000000))
    f.add("cgroup", value_unsigned(peek<uint64_t>(b + 80)));
  return f.done();
}

Value ring_parameters(const Scene& s, const uint8_t* b) {
  Builder f;
  const uint32_t flags = peek<uint32_t>(b + 8);
  f.add("flags", words(Set::io_uring_setup_flags, flags))
      .add("sq_thread_cpu",
           s.ok() ? value_unsigned(peek<uint32_t>(b + 12)) : value_hex(peek<uint32_t>(b + 12)));
  f.add("sq_thread_idle", value_unsigned(peek<uint32_t>(b + 16)));
  if (flags & 32) f.add("wq_fd", descriptor(s, peek<int32_t>(b + 24)));
  Value reserved = value_of(Value::Kind::list);
  for (int i = 28; i < 40; i += 4) reserved.items.push_back(value_hex(peek<uint32_t>(b + i)));
  reserved.whole = 3;
  if (peek<uint64_t>(b + 28) || peek<uint32_t>(b + 36)) f.add("resv", reserved);
  if (!s.ok()) return f.done();
  f.add("sq_entries", value_unsigned(peek<uint32_t>(b)))
      .add("cq_entries", value_unsigned(peek<uint32_t>(b + 4)));
  f.add("features", words(Set::io_uring_features, peek<uint32_t>(b + 20)));
  f.add("sq_off", ring_offsets(b + 40, {"head", "tail", "ring_mask", "ring_entries", "flags",
                                        "dropped", "array"}));
  f.add("cq_off", ring_offsets(b + 80, {"head", "tail", "ring_mask", "ring_entries", "overflow",
                                        "cqes", "flags"}));
  return f.done();
}

namespace {
Value eight_wide(uint32_t number) {  // %#08x: without 0x if it is 0
  Value v = value_of(Value::Kind::word);
  v.number = number;
  v.text = fmt::format("{:#08x}", number);
  if (!number) v.text = "00000000";
  v.bare = true;
  return v;
}
}  // namespace

Value thread_area(const uint8_t* b) {
  const uint32_t bits = peek<uint32_t>(b + 12);
  Builder f;
  f.add("entry_number", user_value(peek<uint32_t>(b)));
  f.add("base_addr", eight_wide(peek<uint32_t>(b + 4)))
      .add("limit", eight_wide(peek<uint32_t>(b + 8)));
  f.add("seg_32bit", value_unsigned(bits & 1))
      .add("contents", value_unsigned(bits >> 1 & 3))
      .add("read_exec_only", value_unsigned(bits >> 3 & 1));
  f.add("limit_in_pages", value_unsigned(bits >> 4 & 1))
      .add("seg_not_present", value_unsigned(bits >> 5 & 1))
      .add("useable", value_unsigned(bits >> 6 & 1));
  return f.add("lm", value_unsigned(bits >> 7 & 1)).done();
}

// `kept`: what its flags say is to stay as it is, which nobody looks at.
Value scheduling(const uint8_t* b, bool kept) {
  constexpr uint64_t keep_policy = 8, keep_parameters = 16;
  const auto policy = peek<uint32_t>(b + 4);
  const uint64_t flags = peek<uint64_t>(b + 8), keep = kept ? flags : 0;
  Builder f;
  f.add("size", value_unsigned(peek<uint32_t>(b)));
  if (!(keep & (keep_policy | keep_parameters)) || policy >> 31)
    f.add("sched_policy", word(Set::sched_policies, policy));
  f.add("sched_flags", words(Set::sched_flags, flags, true));
  if (!(keep & keep_parameters))
    f.add("sched_nice", value_number(peek<int32_t>(b + 16)))
        .add("sched_priority", value_unsigned(peek<uint32_t>(b + 20)))
        .add("sched_runtime", value_unsigned(peek<uint64_t>(b + 24)))
        .add("sched_deadline", value_unsigned(peek<uint64_t>(b + 32)))
        .add("sched_period", value_unsigned(peek<uint64_t>(b + 40)));
  if (peek<uint32_t>(b) >= 56)
    f.add("sched_util_min", value_unsigned(peek<uint32_t>(b + 48)))
        .add("sched_util_max", value_unsigned(peek<uint32_t>(b + 52)));
  return f.done();
}

}  // namespace sctrace::read
