#include <fmt/format.h>

#include <cstring>

#include "formats/read/structs.h"
#include "formats/text.h"

namespace sctrace::read {

using arch::Set;
using Kind = Value::Kind;

namespace {

Set codes_of(uint32_t signal) {
  switch (signal) {
    case 4: return Set::si_codes_ill;
    case 5: return Set::si_codes_trap;
    case 7: return Set::si_codes_bus;
    case 8: return Set::si_codes_fpe;
    case 11: return Set::si_codes_segv;
    case 17: return Set::si_codes_child;
    case 29: return Set::si_codes_poll;
    case 31: return Set::si_codes_sys;
    default: return Set::none;
  }
}

Value code_value(uint32_t signal, int32_t code) {
  Value v = value_of(Kind::word);
  v.base = Value::Base::hexadecimal;
  v.number = static_cast<uint32_t>(code);
  const char* text =
      code > 0 && code < 0x80
          ? word_text(codes_of(signal), static_cast<uint64_t>(code))
          : word_text(Set::si_codes_any, static_cast<uint64_t>(static_cast<int64_t>(code)));
  if (text) v.text = text;
  return v;
}

void add_sender(Value& v, const uint8_t* b) {
  v.items.push_back(named("si_pid", value_number(peek<int32_t>(b + 16))));
  v.items.push_back(named("si_uid", user_value(peek<uint32_t>(b + 20))));
}

void add_payload(Value& v, const uint8_t* b) {
  v.items.push_back(named("si_int", value_number(peek<int32_t>(b + 24))));
  v.items.push_back(named("si_ptr", value_address(peek<uint64_t>(b + 24))));
}

void add_poll(Value& v, const uint8_t* b) {
  v.items.push_back(named("si_band", value_number(peek<int64_t>(b + 16))));
  v.items.push_back(named("si_fd", value_number(peek<int32_t>(b + 24))));
}

void add_child(Value& v, const uint8_t* b, int32_t code) {
  add_sender(v, b);
  const int32_t status = peek<int32_t>(b + 24);
  v.items.push_back(named(
      "si_status", code == 1 ? value_number(status) : signal_value(static_cast<uint32_t>(status))));
  v.items.push_back(named("si_utime", ticks_value(peek<uint64_t>(b + 32))));
  v.items.push_back(named("si_stime", ticks_value(peek<uint64_t>(b + 40))));
}

}  // namespace

Value sigaction_value(const Scene&, const uint8_t* b, bool out) {
  Value v = value_of(Kind::structure);
  const uint64_t handler = peek<uint64_t>(b), flags = peek<uint64_t>(b + 8);
  Value to = value_address(handler);
  if (handler < 2) {
    to = value_of(Kind::word);
    to.base = Value::Base::hexadecimal;
    to.number = handler;
    to.text = handler ? "SIG_IGN" : "SIG_DFL";
  }
  v.items.push_back(named("sa_handler", to));
  v.items.push_back(named("sa_mask", signal_set(b + 24, 8)));
  v.items.push_back(named("sa_flags", words(Set::sigaction_flags, flags, true)));
  if (flags & 0x4000000)
    v.items.push_back(named("sa_restorer", value_address(peek<uint64_t>(b + 16))));
  (void)out;
  return v;
}

Value siginfo_value(const uint8_t* b, size_t) {
  Value v = value_of(Kind::structure);
  const uint32_t signal = peek<uint32_t>(b);
  const int32_t error = peek<int32_t>(b + 4), code = peek<int32_t>(b + 8);
  if (!signal && !error && !code) return v;
  v.items.push_back(named("si_signo", signal_value(signal)));
  v.items.push_back(named("si_code", code_value(signal, code)));
  if (error) {
    Value e = value_of(Kind::word);
    e.base = Value::Base::unsigned_decimal;
    e.number = static_cast<uint32_t>(error);
    e.text = errno_name(error);
    v.items.push_back(named("si_errno", e));
  }
  if (code == 0x80) {
    if (peek<uint64_t>(b + 16))
      v.items.push_back(named("si_addr", value_address(peek<uint64_t>(b + 16))));
    return v;
  }
  if (code == 0 || code == -6) {
    add_sender(v, b);
    return v;
  }
  if (code == -2) {
    v.items.push_back(named("si_timerid", value_hex(peek<uint32_t>(b + 16))));
    v.items.push_back(named("si_overrun", value_number(peek<int32_t>(b + 20))));
    add_payload(v, b);
    return v;
  }
  if (code == -5) {
    add_poll(v, b);
    return v;
  }
  if (code < 0) {
    add_sender(v, b);
    if (peek<uint64_t>(b + 24)) add_payload(v, b);
    return v;
  }
  switch (signal) {
    case 17: add_child(v, b, code); return v;
    case 4:
    case 8:
    case 7:
    case 11:
    case 5:
      v.items.push_back(named("si_addr", value_address(peek<uint64_t>(b + 16))));
      if (signal == 7 && (code == 4 || code == 5))
        v.items.push_back(named("si_addr_lsb", value_hex(peek<uint16_t>(b + 24))));
      if (signal == 11 && code == 3) {
        v.items.push_back(named("si_lower", value_address(peek<uint64_t>(b + 32))));
        v.items.push_back(named("si_upper", value_address(peek<uint64_t>(b + 40))));
      }
      if (signal == 11 && code == 4)
        v.items.push_back(named("si_pkey", value_unsigned(peek<uint32_t>(b + 32))));
      return v;
    case 29: add_poll(v, b); return v;
    case 31: {
      v.items.push_back(named("si_call_addr", value_address(peek<uint64_t>(b + 16))));
      const uint32_t nr = peek<uint32_t>(b + 24);
      Value call = value_of(Kind::word);
      call.number = nr;
      constexpr uint32_t x86_64 = 0xc000003e;  // AUDIT_ARCH_X86_64
      const char* name = peek<uint32_t>(b + 28) == x86_64 ? lookup(nr).name : nullptr;
      if (name) call.text = std::string("__NR_") + name;
      v.items.push_back(named("si_syscall", call));
      v.items.push_back(named("si_arch", word(Set::audit_arch, peek<uint32_t>(b + 28))));
      return v;
    }
    default:
      add_sender(v, b);
      if (peek<uint64_t>(b + 24)) add_payload(v, b);
      return v;
  }
}

Value sigevent_value(const Scene&, const uint8_t* b) {
  Value v = value_of(Kind::structure), payload = value_of(Kind::structure);
  const uint32_t notify = peek<uint32_t>(b + 12);
  payload.items.push_back(named("sival_int", value_number(peek<int32_t>(b))));
  payload.items.push_back(named("sival_ptr", value_address(peek<uint64_t>(b))));
  if (peek<uint64_t>(b)) v.items.push_back(named("sigev_value", payload));
  const uint32_t number = peek<uint32_t>(b + 8);
  v.items.push_back(
      named("sigev_signo", number > 64 ? value_unsigned(number) : signal_value(number)));
  v.items.push_back(named("sigev_notify", word(Set::sigev_notify, notify)));
  if (notify == 4)
    v.items.push_back(named("sigev_notify_thread_id", value_number(peek<int32_t>(b + 16))));
  if (notify == 2) {
    v.items.push_back(named("sigev_notify_function", value_address(peek<uint64_t>(b + 16))));
    v.items.push_back(named("sigev_notify_attributes", value_address(peek<uint64_t>(b + 24))));
  }
  return v;
}

}  // namespace sctrace::read
