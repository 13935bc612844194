#include <algorithm>

#include "formats/read/requests.h"

namespace sctrace::read {

using arch::Layout;
using arch::Set;
using Kind = Value::Kind;

namespace {

Value ptp_time(const uint8_t* b, bool moments) {
  Builder f;
  const int64_t seconds = peek<int64_t>(b);
  const uint32_t nanoseconds = peek<uint32_t>(b + 8);
  f.add("sec", value_number(seconds)).add("nsec", value_unsigned(nanoseconds));
  if (peek<uint32_t>(b + 12)) f.add("reserved", value_hex(peek<uint32_t>(b + 12)));
  Value v = f.done();
  if (moments && nanoseconds < 1000000000) v.note = moment(seconds, nanoseconds, 9);
  v.negated = true;
  return v;
}

Value periodic_output(const uint8_t* b) {
  const uint32_t flags = peek<uint32_t>(b + 36);
  Builder f;
  f.add(flags & 4 ? "phase" : "start", ptp_time(b, !(flags & 4)))
      .add("period", ptp_time(b + 16, false))
      .add("index", value_unsigned(peek<uint32_t>(b + 32)))
      .add("flags", words(Set::ptp_perout_flags, flags));
  if (flags & 2)
    f.add("on", ptp_time(b + 40, false));
  else
    add_reserved(f, "rsv", b + 40, 4);
  return f.done();
}

Value samples_asked(const uint8_t* b) {
  Builder f;
  f.add("n_samples", value_unsigned(peek<uint32_t>(b)));
  add_reserved(f, "rsv", b + 4, 3);
  return f.done();
}

// Pairs of system and device time: one more of the former.
Value offsets(const uint8_t* b) {
  const uint64_t n = std::min<uint64_t>(peek<uint32_t>(b), 25) * 2 + 1;
  Value list = value_of(Kind::list);
  for (uint64_t i = 0; i < n; ++i) list.items.push_back(ptp_time(b + 16 + i * 16, true));
  list.whole = n;
  list.bounded = true;
  return list;
}

Value extended_offsets(const uint8_t* b) {
  const uint64_t n = std::min<uint64_t>(peek<uint32_t>(b), 25);
  Value list = value_of(Kind::list);
  for (uint64_t i = 0; i < n; ++i) {
    Value one = value_of(Kind::list);
    for (uint64_t j = 0; j < 3; ++j) one.items.push_back(ptp_time(b + 16 + (i * 3 + j) * 16, true));
    one.whole = 3;
    list.items.push_back(one);
  }
  list.whole = n;
  list.bounded = true;
  return list;
}

Value clock_parameter(const uint8_t* b, bool asked, bool valued) {
  const uint64_t parameter = peek<uint64_t>(b), value = peek<uint64_t>(b + 8);
  Builder f;
  if (asked) f.add("param", word(Set::rtc_params, parameter, true));
  if (valued) switch (parameter) {
      case 0: f.add("uvalue", words(Set::rtc_features, value, true)); break;
      case 1: f.add("svalue", value_number(static_cast<int64_t>(value))); break;
      case 2: f.add("uvalue", word(Set::rtc_switch, value, true)); break;
      default: f.add("uvalue", value_hex(value)); break;
    }
  if (asked) f.add("index", value_unsigned(peek<uint32_t>(b + 16)));
  if (peek<uint32_t>(b + 20)) f.add("__pad", value_hex(peek<uint32_t>(b + 20)));
  return f.done();
}

}  // namespace

Value clock_struct(const Scene&, Layout layout, const uint8_t* b, const Place&) {
  switch (layout) {
    case Layout::ptp_perout: return periodic_output(b);
    case Layout::ptp_offset_ask: return samples_asked(b);
    case Layout::ptp_offset: return Builder().add("ts", offsets(b)).done();
    case Layout::ptp_extended: return Builder().add("ts", extended_offsets(b)).done();
    case Layout::ptp_time: return ptp_time(b, true);
    case Layout::ptp_span: return ptp_time(b, false);
    case Layout::rtc_param_ask: return clock_parameter(b, true, false);
    case Layout::rtc_param_got: return clock_parameter(b, false, true);
    case Layout::rtc_param_set: return clock_parameter(b, true, true);
    default: return {};
  }
}

}  // namespace sctrace::read
