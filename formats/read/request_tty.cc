#include <fmt/format.h>

#include "formats/read/requests.h"

namespace sctrace::read {

using arch::Layout;
using arch::Set;
using Kind = Value::Kind;

namespace {

Value flags_or_nothing(Set set, uint32_t flags) { return flags ? words(set, flags) : Value{}; }

Value joined(std::vector<Value> items) {
  Value v = value_of(Kind::either);
  v.items = std::move(items);
  return v;
}

Value output_modes(uint32_t v) {
  static constexpr uint32_t delays[] = {0000400, 0003000, 0014000, 0020000, 0040000, 0100000};
  static constexpr Set sets[] = {Set::termios_newline,   Set::termios_return,   Set::termios_tab,
                                 Set::termios_backspace, Set::termios_vertical, Set::termios_form};
  std::vector<Value> items;
  for (size_t i = 0; i < 6; ++i) items.push_back(word(sets[i], v & delays[i])), v &= ~delays[i];
  items.push_back(flags_or_nothing(Set::termios_output, v));
  return joined(std::move(items));
}

Value control_modes(uint32_t v) {
  constexpr uint32_t speed = 0010017, input = speed << 16, size = 0000060;
  std::vector<Value> items = {word(Set::termios_speeds, v & speed)};
  if (v & input) {
    Value in = word(Set::termios_speeds, v >> 16 & speed);
    if (!in.text.empty()) in.text += "<<IBSHIFT";
    items.push_back(in);
  }
  items.push_back(word(Set::termios_sizes, v & size));
  items.push_back(flags_or_nothing(Set::termios_control, v & ~(speed | input | size)));
  return joined(std::move(items));
}

Value characters(const uint8_t* c, size_t n) {
  static constexpr const char* names[] = {
      "VINTR", "VQUIT", "VERASE", "VKILL",    "VEOF",     "VTIME",   "VMIN",   "VSWTC", "VSTART",
      "VSTOP", "VSUSP", "VEOL",   "VREPRINT", "VDISCARD", "VWERASE", "VLNEXT", "VEOL2"};
  Value list = value_of(Kind::list);
  for (size_t i = 0; i < n; ++i) {
    const std::string name = i < 17 ? names[i] : fmt::format("{}", i);
    list.items.push_back(
        bare_text(c[i] ? fmt::format("[{}]={:#x}", name, c[i]) : fmt::format("[{}]=0", name)));
  }
  list.whole = n;
  return list;
}

Value settings(const uint32_t modes[4], uint8_t line, const uint8_t* c, size_t n) {
  return Builder()
      .add("c_iflag", joined({flags_or_nothing(Set::termios_iflag, modes[0])}))
      .add("c_oflag", output_modes(modes[1]))
      .add("c_cflag", control_modes(modes[2]))
      .add("c_lflag", joined({flags_or_nothing(Set::termios_local, modes[3])}))
      .add("c_line", word(Set::termios_line, line), true)
      .add("c_cc", characters(c, n), true)
      .done();
}

}  // namespace

Value tty_struct(const Scene&, Layout layout, const uint8_t* b) {
  uint32_t modes[4];
  switch (layout) {
    case Layout::termios_all:
      for (size_t i = 0; i < 4; ++i) modes[i] = peek<uint32_t>(b + i * 4);
      return settings(modes, b[16], b + 17, 19);
    case Layout::termios2: {
      for (size_t i = 0; i < 4; ++i) modes[i] = peek<uint32_t>(b + i * 4);
      Value v = settings(modes, b[16], b + 17, 19);
      for (const char* name : {"c_ispeed", "c_ospeed"}) {
        Value speed = named(name, value_unsigned(peek<uint32_t>(b + (name[2] == 'i' ? 36 : 40))));
        speed.detail = true;
        v.items.push_back(speed);
      }
      return v;
    }
    case Layout::termio:
      for (size_t i = 0; i < 4; ++i) modes[i] = peek<uint16_t>(b + i * 2);
      return settings(modes, b[8], b + 9, 8);
    case Layout::one_character: return value_text(std::string(reinterpret_cast<const char*>(b), 1));
    default: return {};
  }
}

}  // namespace sctrace::read
