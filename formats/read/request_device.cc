#include <fmt/format.h>

#include <algorithm>

#include "formats/read/requests.h"
#include "formats/text.h"

namespace sctrace::read {

using arch::Layout;
using arch::Set;
using Kind = Value::Kind;

namespace {

// Entries that only -v shows: else […] stands for them.
Value cpuid(const Scene& s, const uint8_t* b, const Place& place) {
  const uint32_t count = peek<uint32_t>(b);
  Value entries = elements(s, Layout::kvm_cpuid_entry, place.at + 8, count, place.out);
  if (entries.kind == Kind::list && count) entries.unknown = "omitted";
  return Builder().add("nent", value_unsigned(count)).add("entries", entries).done();
}

Value registers(const uint8_t* b) {
  static constexpr const char* names[] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi",
                                          "rsp", "rbp", "r8",  "r9",  "r10", "r11",
                                          "r12", "r13", "r14", "r15", "rip", "rflags"};
  Value v = value_of(Kind::structure);
  for (size_t i = 0; i < 18; ++i) {
    const bool detail = (i > 0 && i < 6) || (i > 7 && i < 16);
    v.items.push_back(named(names[i], value_hex(peek<uint64_t>(b + i * 8))));
    v.items.back().detail = detail;
  }
  v.bare = true;  // what is left out shows where it was
  return v;
}

Value system_registers(const Scene& s, const uint8_t* b) {
  static constexpr const char* segments[] = {"cs", "ds", "es", "fs", "gs", "ss", "tr", "ldt"};
  static constexpr const char* tables[] = {"gdt", "idt"};
  static constexpr const char* controls[] = {"cr0", "cr2",  "cr3",      "cr4",
                                             "cr8", "efer", "apic_base"};
  Builder f;
  for (size_t i = 0; i < 8; ++i)
    f.add(segments[i], plain(s, Layout::kvm_segment, b + i * 24), i > 0);
  for (size_t i = 0; i < 2; ++i)
    f.add(tables[i], plain(s, Layout::kvm_dtable, b + 192 + i * 16), true);
  for (size_t i = 0; i < 7; ++i) {
    const uint64_t v = peek<uint64_t>(b + 224 + i * 8);
    f.add(controls[i], i == 6 ? value_hex(v) : value_unsigned(v), true);
  }
  Value interrupts = value_of(Kind::list);
  for (size_t i = 0; i < 4; ++i)
    interrupts.items.push_back(value_hex(peek<uint64_t>(b + 280 + i * 8)));
  interrupts.whole = 4;
  return f.add("interrupt_bitmap", interrupts, true).done();
}

// An attribute of GPIO lines: a flag word, values or a time; unknown ones, and those that use what
// is reserved, as they lie there.
Value line_attribute(const uint8_t* b, bool masked) {
  const uint32_t id = peek<uint32_t>(b), padding = peek<uint32_t>(b + 4);
  const uint64_t data = peek<uint64_t>(b + 8);
  Builder f;
  switch (padding ? 0 : id) {
    case 1: f.add("flags", words(Set::gpio2_flags, data, true)); break;
    case 2: f.add("values", value_hex(data)); break;
    case 3: f.add("debounce_period_us", value_unsigned(data & 0xffffffff)); break;
    default: {
      Builder all;
      all.add("id", value_unsigned(id));
      if (padding) all.add("padding", value_hex(padding));
      all.add("data", value_hex(data));
      if (!masked) return all.done();
      f.add("attr", all.done());
    }
  }
  if (masked) f.add("mask", value_hex(peek<uint64_t>(b + 16)));
  return f.done();
}

Value entropy(const Scene& s, const uint8_t* b, const Place& place) {
  const int32_t bytes = peek<int32_t>(b + 4);
  const uint64_t n = bytes < 0 ? ~0ull >> 1 : static_cast<uint64_t>(bytes);
  return Builder()
      .add("entropy_count", value_number(peek<int32_t>(b)))
      .add("buf_size", value_number(bytes))
      .add("buf", text_at(s, place.at + 8, n, false))
      .done();
}

Value volume_name(const uint8_t* at, int32_t length) {
  const size_t most = std::min<size_t>(length < 0 ? 0 : static_cast<size_t>(length), 127);
  Value v = value_text(std::string(reinterpret_cast<const char*>(at),
                                   strnlen(reinterpret_cast<const char*>(at), most)));
  v.cut = v.text.size() == most && (length < 0 || at[most]);
  v.path = true;
  return v;
}

Value volume(const uint8_t* b) {
  const int32_t length = peek<int16_t>(b + 18);
  return Builder()
      .add("vol_id", value_number(peek<int32_t>(b)))
      .add("alignment", value_number(peek<int32_t>(b + 4)))
      .add("bytes", value_number(peek<int64_t>(b + 8)))
      .add("vol_type", word(Set::ubi_volume_types, b[16]))
      .add("flags", words(Set::ubi_volume_flags, b[17]))
      .add("name_len", value_number(length))
      .add("name", volume_name(b + 24, length))
      .done();
}

Value renamed_volumes(const uint8_t* b) {
  const int32_t count = peek<int32_t>(b);
  Value list = value_of(Kind::list);
  for (int32_t i = 0; i < std::min(count, 32); ++i) {
    const uint8_t* at = b + 16 + i * 136;
    const int32_t length = peek<int16_t>(at + 4);
    list.items.push_back(Builder()
                             .add("vol_id", value_number(peek<int32_t>(at)))
                             .add("name_len", value_number(length))
                             .add("name", volume_name(at + 8, length))
                             .done());
  }
  list.whole = list.items.size();
  return Builder().add("count", value_number(count)).add("ents", list).done();
}

// The call that a program under seccomp is about to make.
Value noticed_call(const uint8_t* b) {
  const uint32_t nr = peek<uint32_t>(b), machine = peek<uint32_t>(b + 4);
  Value number = value_unsigned(nr);
  const arch::Row& row = lookup(nr);
  if (machine == 0xc000003e && row.name) {
    number = value_of(Kind::word);
    number.base = Value::Base::unsigned_decimal;
    number.number = nr;
    number.text = std::string("__NR_") + row.name;
  }
  Value args = value_of(Kind::list);
  for (size_t i = 0; i < 6; ++i) args.items.push_back(value_hex(peek<uint64_t>(b + 16 + i * 8)));
  args.whole = 6;
  args.bounded = true;
  return Builder()
      .add("nr", number)
      .add("arch", word(Set::audit_arch, machine))
      .add("instruction_pointer", value_address(peek<uint64_t>(b + 8)))
      .add("args", args)
      .done();
}

Value notice_answer(const uint8_t* b) {
  const int32_t error = peek<int32_t>(b + 16);
  Value refused = value_number(error);
  if (error < 0 && !errno_name(-error).empty()) {
    refused = value_of(Kind::word);
    refused.number = static_cast<uint64_t>(int64_t{error});
    refused.text = '-' + errno_name(-error);
  }
  return Builder()
      .add("id", value_hex(peek<uint64_t>(b)))
      .add("val", value_number(peek<int64_t>(b + 8)))
      .add("error", refused)
      .add("flags", words(Set::seccomp_answer_flags, peek<uint32_t>(b + 20)))
      .done();
}

Value in_brackets(Value v) {
  v.braced = true;
  return v;
}

}  // namespace

Value device_struct(const Scene& s, Layout layout, const uint8_t* b, const Place& place) {
  switch (layout) {
    case Layout::kvm_cpuid: return cpuid(s, b, place);
    case Layout::kvm_regs: return registers(b);
    case Layout::kvm_sregs: return system_registers(s, b);
    case Layout::gpio2_attribute: return line_attribute(b, false);
    case Layout::gpio2_config_attribute: return line_attribute(b, true);
    case Layout::seccomp_answer: return notice_answer(b);
    case Layout::seccomp_data_seen: return noticed_call(b);
    case Layout::entropy: return entropy(s, b, place);
    case Layout::ubi_make: return volume(b);
    case Layout::ubi_rename: return renamed_volumes(b);
    case Layout::uffd_api_ioctls: return words(Set::uffd_api_ioctls, peek<uint64_t>(b), true);
    case Layout::uffd_ioctls: return words(Set::uffd_ioctls, peek<uint64_t>(b), true);
    case Layout::inode_flags32: return in_brackets(words(Set::inode_flags, peek<uint32_t>(b)));
    case Layout::inode_flags: return in_brackets(words(Set::inode_flags, peek<uint64_t>(b), true));
    default: return input_struct(s, layout, b);
  }
}

}  // namespace sctrace::read
