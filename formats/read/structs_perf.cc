// perf_event_attr: as long as it says itself, and full of bits.
#include <fmt/format.h>

#include <algorithm>

#include "formats/read/structs.h"

namespace sctrace::read {

using arch::Set;
using Kind = Value::Kind;

namespace {

constexpr uint64_t known = 128, least = 64;  // PERF_ATTR_SIZE_VER7 and VER0

constexpr const char* bits[] = {"disabled",
                                "inherit",
                                "pinned",
                                "exclusive",
                                "exclude_user",
                                "exclude_kernel",
                                "exclude_hv",
                                "exclude_idle",
                                "mmap",
                                "comm",
                                "freq",
                                "inherit_stat",
                                "enable_on_exec",
                                "task",
                                "watermark",
                                "precise_ip",
                                nullptr,  // two bits wide
                                "mmap_data",
                                "sample_id_all",
                                "exclude_host",
                                "exclude_guest",
                                "exclude_callchain_kernel",
                                "exclude_callchain_user",
                                "mmap2",
                                "comm_exec",
                                "use_clockid",
                                "context_switch",
                                "write_backward",
                                "namespaces",
                                "ksymbol",
                                "bpf_event",
                                "aux_output",
                                "cgroup",
                                "text_poke",
                                "build_id",
                                "inherit_thread",
                                "remove_on_exec",
                                "sigtrap"};
constexpr uint64_t freq = 1 << 10, watermark = 1 << 14, use_clockid = 1 << 25;

Value shifted(Value word, int by) {
  Value sum = value_of(Kind::either);
  sum.items = {std::move(word)};
  sum.text = fmt::format("<<{}", by);
  return sum;
}

Value configuration(uint32_t type, uint64_t config) {
  const Value high = value_hex(config >> 32);
  Value both = value_of(Kind::either);
  switch (type) {
    case 0:
      if (!(config >> 32)) return word(Set::perf_hardware, config);
      both.items = {shifted(high, 32), word(Set::perf_hardware, config)};
      return both;
    case 1: return word(Set::perf_software, config, true);
    case 2: return value_unsigned(config);
    case 3:
      if (config >> 32) both.items.push_back(shifted(high, 32));
      if (config >> 24 & 255) both.items.push_back(shifted(value_hex(config >> 24 & 255), 24));
      both.items.push_back(shifted(word(Set::perf_cache_results, config >> 16 & 255), 16));
      both.items.push_back(shifted(word(Set::perf_cache_operations, config >> 8 & 255), 8));
      both.items.push_back(word(Set::perf_caches, config & 255));
      return both;
    default: return value_hex(config);
  }
}

void add_bits(Builder& f, uint64_t all) {
  for (size_t i = 0; i < std::size(bits); ++i) {
    if (!bits[i]) continue;
    Value v = value_unsigned(all >> i & 1);
    if (i == 15) {
      static constexpr const char* skid[] = {"arbitrary skid", "constant skid",
                                             "requested to have 0 skid", "must have 0 skid"};
      v = value_unsigned(all >> i & 3);
      v.note = skid[all >> i & 3];
    }
    f.add(bits[i], v, i != 15 && !(all >> i & 1));
  }
  Value rest = value_hex(all >> 38);
  rest.note = "Bits 63..38";
  if (all >> 38) f.add("__reserved_1", rest);
}

Value with_rest(uint32_t value, uint32_t rest, const char* where) {
  Value v = value_unsigned(value);
  if (rest) v.note = fmt::format("{}: {:#x}", where, rest);
  return v;
}

// What only -v shows, as far as the struct goes.
void add_details(Builder& f, const uint8_t* b, uint64_t size) {
  const uint64_t all = peek<uint64_t>(b + 40), samples = peek<uint64_t>(b + 24);
  constexpr uint64_t branch_stack = 0x800, stack_user = 0x2000;
  const bool breakpoint = peek<uint32_t>(b) == 5;
  const auto reaches = [&](uint64_t offset) { return size > offset; };
  f.add(all & watermark ? "wakeup_watermark" : "wakeup_events",
        value_unsigned(peek<uint32_t>(b + 48)), true);
  Value type = word(Set::breakpoint_types, peek<uint32_t>(b + 52));
  type.numbered = type.number >= 5 && type.number <= 7;  // more bits than make sense
  const char* all_kinds = type.numbered ? word_text(Set::breakpoint_types, 7) : nullptr;
  if (all_kinds) type.text = all_kinds;
  if (breakpoint) f.add("bp_type", type, true);
  if (reaches(56))
    f.add(breakpoint ? "bp_addr" : "config1", value_hex(peek<uint64_t>(b + 56)), true);
  if (reaches(64) && breakpoint) f.add("bp_len", value_unsigned(peek<uint64_t>(b + 64)), true);
  if (reaches(64) && !breakpoint) f.add("config2", value_hex(peek<uint64_t>(b + 64)), true);
  if (reaches(72) && samples & branch_stack)
    f.add("branch_sample_type", words(Set::perf_branches, peek<uint64_t>(b + 72), true), true);
  if (reaches(80)) f.add("sample_regs_user", value_hex(peek<uint64_t>(b + 80)), true);
  if (reaches(88) && samples & stack_user)
    f.add("sample_stack_user", value_hex(peek<uint32_t>(b + 88)), true);
  if (reaches(92) && all & use_clockid)
    f.add("clockid", word(Set::clocks, peek<uint32_t>(b + 92)), true);
  if (reaches(96)) f.add("sample_regs_intr", value_hex(peek<uint64_t>(b + 96)), true);
  if (reaches(104)) f.add("aux_watermark", value_unsigned(peek<uint32_t>(b + 104)), true);
  if (reaches(108))
    f.add("sample_max_stack",
          with_rest(peek<uint16_t>(b + 108), peek<uint16_t>(b + 110), "bytes 110..111"), true);
  if (reaches(112))
    f.add("aux_sample_size",
          with_rest(peek<uint32_t>(b + 112), peek<uint32_t>(b + 116), "bytes 116..119"), true);
  if (reaches(120)) f.add("sig_data", value_hex(peek<uint64_t>(b + 120)), true);
}

}  // namespace

Value performance_attributes(const Scene& s, uint64_t at) {
  uint8_t b[known] = {};
  uint32_t told[2], now = 0;
  if (!at || !s.memory.whole(told, at, sizeof told, false)) return value_address(at);
  Value size = word(Set::perf_sizes, told[1]);
  if (s.call.ended && s.call.result == -7 && s.memory.whole(&now, at + 4, sizeof now, true)) {
    Value change = value_of(Kind::change);  // E2BIG: how long the kernel knows it
    change.items = {size, word(Set::perf_sizes, now)};
    size = change;
  }
  const uint64_t length = told[1] ? told[1] : least, kept = std::min(length, known);
  if (length < least || !s.memory.whole(b, at, kept, false)) return value_address(at);
  const uint64_t all = peek<uint64_t>(b + 40);
  Builder f;
  f.add("type", word(Set::perf_types, told[0]))
      .add("size", size)
      .add("config", configuration(told[0], peek<uint64_t>(b + 8)))
      .add(all & freq ? "sample_freq" : "sample_period", value_unsigned(peek<uint64_t>(b + 16)))
      .add("sample_type", words(Set::perf_sample, peek<uint64_t>(b + 24), true))
      .add("read_format", words(Set::perf_read_format, peek<uint64_t>(b + 32), true));
  add_bits(f, all);
  add_details(f, b, kept);
  Value v = f.done();
  v.numbered = length > known;
  return v;
}

}  // namespace sctrace::read
