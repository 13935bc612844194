#include <fmt/format.h>

#include "formats/read/decode_ioctl.h"
#include "formats/read/requests.h"

namespace sctrace::read {

using arch::Set;
using Base = Value::Base;
using Kind = Value::Kind;

namespace {

constexpr unsigned clock_rate = 1193182;  // of the PC's timer, which makes the sound

// A remark that goes with the names, and away with them.
Value remarked(std::string plain, uint64_t number, Base base, std::string remark) {
  Value v = value_of(Kind::word);
  v.number = number;
  v.base = base;
  v.unknown = std::move(remark);
  if (!plain.empty()) v.items = {};
  return v;
}

Value sound(uint64_t ticks) {
  const bool on = ticks && ticks <= clock_rate;
  return remarked("", ticks, Base::unsigned_decimal,
                  on ? fmt::format("{} Hz", clock_rate / ticks) : "off");
}

Value tone(uint64_t raw) {
  const uint32_t ticks = raw & 0xffff, length = raw >> 16 & 0xffff;
  const bool on = ticks && length;
  const std::string remark =
      on ? fmt::format("{} Hz, {} ms", clock_rate / ticks, length) : std::string("off");
  if (!length) return remarked("", ticks, Base::unsigned_decimal, remark);
  Value v = value_of(Kind::shifted);
  v.items = {value_unsigned(length), value_unsigned(ticks)};
  v.number = 16;
  v.unknown = remark;
  return v;
}

Value port(uint64_t raw) {
  if (raw < 0x3b4 || raw > 0x3df) return value_hex(raw);
  return remarked("", raw, Base::hexadecimal, fmt::format("GPFIRST + {}", raw - 0x3b4));
}

Value accepted_signal(uint64_t raw) {
  Value v = raw && raw <= 64 ? signal_value(raw) : value_unsigned(raw);
  v.number = raw;
  v.base = Base::unsigned_decimal;
  return v;
}

}  // namespace

Value request_value(const Scene& s, const arch::Request& request, uint64_t raw) {
  namespace r = arch::requests;
  switch (request.number) {
    case r::io_KIOCSOUND: return sound(raw);
    case r::io_KDMKTONE: return tone(raw);
    case r::io_KDADDIO:
    case r::io_KDDELIO: return port(raw);
    case r::io_KDSIGACCEPT: return accepted_signal(raw);
    case r::io_KDSETLED:
    case r::io_KDSKBLED: return words(request.set, raw & 0xff);
    case r::io_HDIO_SET_NICE:
    case r::io_HDIO_SET_BUSSTATE:
    case r::io_MTDFILEMODE:
    case r::io_TCXONC:
    case r::io_TCFLSH:
    case r::io_KVM_CHECK_EXTENSION: return scalar(s, request.kind, request.set, raw, true);
    case r::io_KDSKBMODE: {
      Value v = word(request.set, raw);
      v.base = Base::decimal;
      v.number = static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(raw)));
      return v;
    }
    default: return scalar(s, request.kind, request.set, raw);
  }
}

Value undescribed(const Scene& s, uint32_t number, uint64_t raw) {
  const bool input = (number >> 8 & 255) == 'E' && (number >> 30 == 1 || number >> 30 == 2);
  if (input && has_length(number)) return input_request(s, number, raw);
  return value_hex(raw);
}

}  // namespace sctrace::read
