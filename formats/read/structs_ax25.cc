// Addresses of AX.25, amateur radio: call signs, shifted by a bit, and those that hand packets on.
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "formats/read/structs.h"

namespace sctrace::read {
namespace {

using Kind = Value::Kind;

constexpr size_t call_bytes = 7, letters = 6;  // the last holds the number of the station
constexpr size_t head_bytes = 16, most_digipeaters = 8;

enum class Form { sane, odd, unreadable };

bool is_letter(unsigned c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == ' '; }

Form form_of(const uint8_t* call) {
  Form form = Form::sane;
  bool blank = false, letter = false;
  for (size_t i = 0; i < letters; ++i) {
    const unsigned c = call[i] >> 1;
    if (c < ' ' || c > 0x7e || c == '*' || c == '/') return Form::unreadable;
    blank |= c == ' ', letter |= c != ' ';
    if (call[i] & 1 || !is_letter(c) || (blank && c != ' ')) form = Form::odd;
  }
  const uint8_t station = call[letters];
  if (station & ~0x1e || (!letter && station)) form = Form::odd;
  return form;
}

std::string sign_of(const uint8_t* call) {
  size_t end = letters;
  while (end && call[end - 1] >> 1 == ' ') --end;
  std::string sign;
  for (size_t i = 0; i < end; ++i) sign += static_cast<char>(call[i] >> 1);
  sign += fmt::format("-{}", call[letters] >> 1 & 15);
  return sign.starts_with("-0") ? "*" : sign;
}

Value call_sign(const uint8_t* call) {
  const Form form = form_of(call);
  Value v = value_of(form == Form::sane ? Kind::word : Kind::structure);
  if (form == Form::sane) {
    v.text = sign_of(call);
    v.bare = true;
    return v;
  }
  Value bytes = value_text(std::string(reinterpret_cast<const char*>(call), call_bytes));
  bytes.bare = bytes.path = true;  // in hex and whole
  v.items.push_back(named("ax25_call", bytes));
  if (form == Form::odd) v.note = sign_of(call);
  return v;
}

}  // namespace

void add_ax25(Value& v, const uint8_t* b, size_t n) {
  const int32_t digipeaters = peek<int32_t>(b + 12);
  Value head = value_of(Kind::structure);
  head.items = {named("sax25_call", call_sign(b + 2)),
                named("sax25_ndigis", value_number(digipeaters))};
  if (!digipeaters && n <= head_bytes) {
    v.items.insert(v.items.end(), head.items.begin(), head.items.end());
    return;
  }
  v.items.push_back(named("fsa_ax25", head));
  const size_t there = std::min((n - head_bytes) / call_bytes, most_digipeaters);
  const size_t wanted =
      std::min<size_t>(static_cast<size_t>(std::max(digipeaters, 0)), most_digipeaters);
  if (wanted) {
    Value list = value_of(Kind::list);
    for (size_t i = 0; i < std::min(there, wanted); ++i)
      list.items.push_back(call_sign(b + head_bytes + i * call_bytes));
    list.whole = wanted > there ? wanted : list.items.size();
    v.items.push_back(named("fsa_digipeater", list));
  }
  if (n > head_bytes + there * call_bytes) v.numbered = true;  // more behind them
}

}  // namespace sctrace::read
