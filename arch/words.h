// The words that syscalls.def and commands.def are written in: each makes one Arg of syscall.h.
#pragma once
#include "arch/syscall.h"

namespace sctrace::arch {

// The words of syscalls.def. Each makes one Arg; names in quotes are those of the man page.
namespace words {
constexpr Arg plain(const char* n, Kind k) { return {.name = n, .kind = k}; }
constexpr Arg number(const char* n) { return plain(n, Kind::number); }
constexpr Arg unsigned_number(const char* n) { return plain(n, Kind::unsigned_number); }
constexpr Arg hexadecimal(const char* n) { return plain(n, Kind::hexadecimal); }
constexpr Arg octal(const char* n) { return plain(n, Kind::octal); }
constexpr Arg long_number(const char* n) { return plain(n, Kind::long_number); }
constexpr Arg long_unsigned(const char* n) { return plain(n, Kind::long_unsigned); }
constexpr Arg long_hexadecimal(const char* n) { return plain(n, Kind::long_hexadecimal); }
constexpr Arg fd(const char* n) { return plain(n, Kind::fd); }
constexpr Arg dirfd(const char* n) { return plain(n, Kind::dirfd); }
constexpr Arg pid(const char* n) { return plain(n, Kind::pid); }
constexpr Arg uid(const char* n) { return plain(n, Kind::uid); }
constexpr Arg gid(const char* n) { return plain(n, Kind::gid); }
constexpr Arg signum(const char* n) { return plain(n, Kind::signal_number); }
constexpr Arg count(const char* n) { return plain(n, Kind::count); }
constexpr Arg offset(const char* n) { return plain(n, Kind::offset); }
constexpr Arg mode(const char* n) { return plain(n, Kind::mode); }
constexpr Arg file_mode(const char* n) { return plain(n, Kind::file_mode); }
constexpr Arg device(const char* n) { return plain(n, Kind::device); }
constexpr Arg hidden(const char* n) {
  return plain(n, Kind::none);
}  // passed, but says nothing here
constexpr Arg address(const char* n) { return plain(n, Kind::address); }
constexpr Arg flags(const char* n, Set s) { return {.name = n, .kind = Kind::flags, .set = s}; }
constexpr Arg choice(const char* n, Set s) { return {.name = n, .kind = Kind::choice, .set = s}; }
constexpr Arg wide_flags(const char* n, Set s) {
  return {.name = n, .kind = Kind::flags, .set = s, .wide = true};
}
constexpr Arg wide_choice(const char* n, Set s) {
  return {.name = n, .kind = Kind::choice, .set = s, .wide = true};
}
constexpr Arg key(const char* n, Set s) { return {.name = n, .kind = Kind::key, .set = s}; }
constexpr Arg code(const char* n, Set s) { return {.name = n, .kind = Kind::code, .set = s}; }
// There only when argument `by` has one of the bits; open's mode.
constexpr Arg given(const char* by, uint32_t bits, Arg a) {
  a.given_name = by;
  a.given = bits;
  return a;
}
constexpr Arg command(const char* n, Set s) { return {.name = n, .kind = Kind::command, .set = s}; }
constexpr Arg path(const char* n) {
  return {.name = n, .kind = Kind::path, .way = Way::in, .measure = Measure::nul};
}
constexpr Arg string(const char* n) {
  return {.name = n, .kind = Kind::string, .way = Way::in, .measure = Measure::nul};
}
// Plain bytes. `by`: an argument's name, "return", or "*name" for the uint32_t behind that
// argument.
constexpr Arg in(const char* n, const char* by) {
  return {.name = n, .kind = Kind::buffer, .way = Way::in, .measured_by = by};
}
constexpr Arg out(const char* n, const char* by) {
  return {.name = n, .kind = Kind::buffer, .way = Way::out, .measured_by = by};
}
constexpr Arg one(const char* n, Way w, Layout l) {
  return {.name = n,
          .kind = Kind::structure,
          .way = w,
          .layout = l,
          .element = layout_bytes[static_cast<size_t>(l)]};
}
constexpr Arg struct_in(const char* n, Layout l) { return one(n, Way::in, l); }
constexpr Arg struct_out(const char* n, Layout l) { return one(n, Way::out, l); }
constexpr Arg struct_both(const char* n, Layout l) { return one(n, Way::both, l); }
// A struct whose size in bytes is told by another argument (sockaddr, clone_args, open_how …).
constexpr Arg sized(const char* n, Way w, Layout l, const char* by) {
  return {
      .name = n, .kind = Kind::structure, .way = w, .layout = l, .element = 1, .measured_by = by};
}
// The same behind a head of so many bytes that the length does not count; it may count elements.
constexpr Arg headed(const char* n, Way w, Layout l, uint8_t head, const char* by,
                     uint32_t element = 1) {
  return {.name = n,
          .kind = Kind::structure,
          .way = w,
          .layout = l,
          .head = head,
          .element = element,
          .measured_by = by};
}
constexpr Arg sized_in(const char* n, Layout l, const char* by) { return sized(n, Way::in, l, by); }
constexpr Arg sized_out(const char* n, Layout l, const char* by) {
  return sized(n, Way::out, l, by);
}
constexpr Arg sized_both(const char* n, Layout l, const char* by) {
  return sized(n, Way::both, l, by);
}
// Bits: `by` says how many.
constexpr Arg bits(const char* n, Way w, Layout l, const char* by) {
  return {.name = n,
          .kind = Kind::structure,
          .way = w,
          .measure = Measure::bits,
          .layout = l,
          .measured_by = by};
}
constexpr Arg pages_out(const char* n, Layout l, const char* by) {
  return {.name = n,
          .kind = Kind::structure,
          .way = Way::out,
          .measure = Measure::pages,
          .layout = l,
          .measured_by = by};
}
// So many elements as another argument, or the result, says.
constexpr Arg many(const char* n, Way w, Layout l, const char* by) {
  return {.name = n,
          .kind = Kind::array,
          .way = w,
          .layout = l,
          .element = layout_bytes[static_cast<size_t>(l)],
          .measured_by = by};
}
constexpr Arg array_in(const char* n, Layout l, const char* by) { return many(n, Way::in, l, by); }
constexpr Arg array_out(const char* n, Layout l, const char* by) {
  return many(n, Way::out, l, by);
}
constexpr Arg array_both(const char* n, Layout l, const char* by) {
  return many(n, Way::both, l, by);
}
constexpr Arg iovec_in(const char* n, const char* by) {
  return {.name = n, .kind = Kind::iovec, .way = Way::in, .element = 16, .measured_by = by};
}
constexpr Arg iovec_out(const char* n,
                        const char* by) {  // bytes by the result, as readv fills them
  return {.name = n, .kind = Kind::iovec, .way = Way::out, .element = 16, .measured_by = by};
}
constexpr Arg msghdr_in(const char* n) {
  return {.name = n, .kind = Kind::msghdr, .way = Way::in, .element = 56};
}
constexpr Arg msghdr_out(const char* n) {
  return {.name = n, .kind = Kind::msghdr, .way = Way::out, .element = 56};
}
constexpr Arg mmsghdr_in(const char* n, const char* by) {
  return {.name = n, .kind = Kind::mmsghdr, .way = Way::in, .element = 64, .measured_by = by};
}
constexpr Arg mmsghdr_out(const char* n, const char* by) {
  return {.name = n, .kind = Kind::mmsghdr, .way = Way::out, .element = 64, .measured_by = by};
}
constexpr Arg strings(const char* n) {
  return {.name = n, .kind = Kind::strings, .way = Way::in, .element = 8};
}
constexpr Arg variant(const char* n, const char* by) {
  return {.name = n, .kind = Kind::variant, .way = Way::both, .measured_by = by};
}
// A fixed number of elements.
constexpr Arg some(const char* n, Way w, Layout l, uint32_t count) {
  return {.name = n,
          .kind = Kind::array,
          .way = w,
          .layout = l,
          .element = count * layout_bytes[static_cast<size_t>(l)]};
}
}  // namespace words

}  // namespace sctrace::arch
