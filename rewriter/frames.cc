#include "rewriter/frames.h"

namespace sctrace::rewriter {
namespace {

// DWARF pointer encodings: the low four bits are the format, the next three what it is relative to.
enum : uint8_t {
  pe_absptr = 0x00,
  pe_uleb = 0x01,
  pe_udata2 = 0x02,
  pe_udata4 = 0x03,
  pe_udata8 = 0x04,
  pe_sdata4 = 0x0b,
  pe_sdata8 = 0x0c,
  pe_pcrel = 0x10,
  pe_datarel = 0x30,
  pe_indirect = 0x80,
  pe_omit = 0xff,
};

// Reads forward and remembers having failed, so that a parse checks once at its end.
struct Cursor {
  const Bytes& bytes;
  uint64_t at;
  uint64_t limit;  // never reads at or beyond
  bool failed = false;

  template <typename T>
  T take() {
    const auto value = bytes.read<T>(at);
    if (!value || at > limit || limit - at < sizeof(T)) return failed = true, T{};
    at += sizeof(T);
    return *value;
  }
  uint64_t uleb() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const uint8_t byte = take<uint8_t>();
      value |= uint64_t{byte & 0x7fu} << shift;
      if (!(byte & 0x80)) return value;
    }
    return failed = true, 0;
  }
  // A value in the format of `encoding`, not yet made relative to anything.
  uint64_t plain(uint8_t encoding) {
    switch (encoding & 0x0f) {
      case pe_absptr:
      case pe_udata8:
      case pe_sdata8: return take<uint64_t>();
      case pe_uleb: return uleb();
      case pe_udata2: return take<uint16_t>();
      case pe_udata4: return take<uint32_t>();
      case pe_sdata4: return static_cast<uint64_t>(int64_t{take<int32_t>()});
      default: return failed = true, 0;
    }
  }
  // An address; 0 stays 0, since that says "none".
  uint64_t pointer(uint8_t encoding) {
    const uint64_t here = at;
    const uint64_t value = plain(encoding);
    if (encoding & pe_indirect) return failed = true, 0;
    switch (encoding & 0x70) {
      case 0: return value;
      case pe_pcrel: return value ? here + value : 0;
      default: return failed = true, 0;
    }
  }
};

// A length-prefixed entry of .eh_frame, cut to its own bytes.
std::optional<Cursor> entry_at(const Bytes& frames, uint64_t at) {
  const auto length = frames.read<uint32_t>(at);
  if (!length || *length < 4 || *length >= 0xfffffff0 || !frames.holds(at + 4, *length))
    return std::nullopt;
  return Cursor{frames, at + 4, at + 4 + *length};
}

struct Cie {
  uint8_t address_encoding = pe_absptr;
  uint8_t lsda_encoding = pe_omit;
  bool has_augmentation = false;
  bool signal_frame = false;
};

bool read_augmentation(Cursor& in, const char* letters, Cie& cie) {
  const uint64_t size = in.uleb();
  if (in.failed || size > in.limit - in.at) return false;
  for (const char* letter = letters; *letter; ++letter) {
    switch (*letter) {
      case 'R': cie.address_encoding = in.take<uint8_t>(); break;
      case 'L': cie.lsda_encoding = in.take<uint8_t>(); break;
      case 'P': in.plain(in.take<uint8_t>()); break;
      case 'S': cie.signal_frame = true; break;
      case 'B': break;
      default: return false;
    }
  }
  return !in.failed;
}

std::optional<Cie> read_cie(const Bytes& frames, uint64_t at) {
  auto entry = entry_at(frames, at);
  if (!entry) return std::nullopt;
  Cursor& in = *entry;
  if (in.take<uint32_t>() != 0) return std::nullopt;  // the id of a CIE
  const uint8_t version = in.take<uint8_t>();
  if (version != 1 && version != 3) return std::nullopt;
  char letters[8] = {};
  for (unsigned i = 0;; ++i) {
    if (i == sizeof letters) return std::nullopt;
    if (!(letters[i] = in.take<char>())) break;
  }
  in.uleb();  // code alignment
  in.uleb();  // data alignment: signed, but its length is the same
  if (version == 1)
    in.take<uint8_t>();
  else
    in.uleb();  // return address register
  Cie cie;
  if (in.failed) return std::nullopt;
  if (!letters[0]) return cie;
  if (letters[0] != 'z' || !read_augmentation(in, letters + 1, cie)) return std::nullopt;
  cie.has_augmentation = true;
  return cie;
}

std::optional<Function> read_fde(const Bytes& frames, uint64_t at) {
  auto entry = entry_at(frames, at);
  if (!entry) return std::nullopt;
  Cursor& in = *entry;
  const uint64_t here = in.at;
  const uint32_t back = in.take<uint32_t>();  // from this very word to the CIE
  if (!back) return std::nullopt;
  const auto cie = read_cie(frames, here - back);
  if (!cie) return std::nullopt;
  Function function{.signal_frame = cie->signal_frame};
  function.begin = in.pointer(cie->address_encoding);
  function.end = function.begin + in.plain(cie->address_encoding);
  if (cie->has_augmentation) {
    in.uleb();
    if (cie->lsda_encoding != pe_omit) function.lsda = in.pointer(cie->lsda_encoding);
  }
  if (in.failed || function.end <= function.begin) return std::nullopt;
  return function;
}

}  // namespace

// pcHeader, then at an offset that it names pairs of 32 bits, ascending: where a function begins,
// counted from the text's start, and what else is known of it. One more tells where the last ends.
void Frames::open_go_table() {
  const Bytes& table = object_->go_table;
  constexpr uint32_t go_1_18 = 0xfffffff0, go_1_20 = 0xfffffff1;
  const auto magic = table.read<uint32_t>(table.address);
  const auto shape = table.read<uint32_t>(table.address + 4);  // 0, 0, quantum 1, pointer size 8
  const auto count = table.read<uint64_t>(table.address + 8);
  const auto text = table.read<uint64_t>(table.address + 24);
  const auto functions = table.read<uint64_t>(table.address + 64);
  if (!functions || (*magic != go_1_18 && *magic != go_1_20) || *shape != 0x08010000) return;
  if (!object_->text.holds(*text, 0) || *functions > table.bytes.size()) return;
  const uint64_t room = (table.bytes.size() - *functions) / 8;
  if (!room || *count >= room) return;
  go_text_ = *text;
  table_ = table.address + *functions;
  count_ = static_cast<uint32_t>(*count);
}

std::optional<Function> Frames::go_function(uint32_t index) const {
  if (index >= count_) return std::nullopt;
  Function function{.begin = begin_of(index), .end = begin_of(index + 1)};
  const Bytes& text = object_->text;
  if (function.end <= function.begin || !text.holds(function.begin, function.end - function.begin))
    return std::nullopt;
  const auto code = text.part(function.begin, function.end - function.begin);
  size_t size = code.size();
  while (size > 1 && code[size - 1] == 0xcc) --size;  // int3 up to the next one
  function.end = function.begin + size;
  return function;
}

Frames::Frames(const Object& object) : object_(&object) {
  if (!object.go_table.bytes.empty()) {
    open_go_table();
    return;
  }
  const Bytes& hdr = object.eh_frame_hdr;
  Cursor in{hdr, hdr.address, hdr.end()};
  const uint8_t version = in.take<uint8_t>();
  const uint8_t frame_encoding = in.take<uint8_t>();
  const uint8_t count_encoding = in.take<uint8_t>();
  const uint8_t table_encoding = in.take<uint8_t>();
  // The one table that every linker writes: pairs of signed 32-bit offsets from the section's own
  // start.
  if (in.failed || version != 1 || table_encoding != (pe_datarel | pe_sdata4)) return;
  in.plain(frame_encoding);
  const uint64_t count = in.plain(count_encoding);
  if (in.failed) return;
  table_ = in.at;
  const uint64_t room = (hdr.end() - in.at) / 8;
  count_ = static_cast<uint32_t>(count < room ? count : room);
}

uint64_t Frames::begin_of(uint32_t index) const {
  if (go_text_)
    return go_text_ + object_->go_table.read<uint32_t>(table_ + 8 * uint64_t{index}).value_or(0);
  const auto offset = object_->eh_frame_hdr.read<int32_t>(table_ + 8 * uint64_t{index});
  return object_->eh_frame_hdr.address + static_cast<uint64_t>(int64_t{offset.value_or(0)});
}

std::optional<uint32_t> Frames::index_of(uint64_t pc) const {
  uint32_t low = 0, high = count_;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (begin_of(middle) <= pc)
      low = middle + 1;
    else
      high = middle;
  }
  if (!low) return std::nullopt;
  return low - 1;
}

std::optional<Function> Frames::entry(uint32_t index) const {
  const Bytes& hdr = object_->eh_frame_hdr;
  const auto offset = hdr.read<int32_t>(table_ + 8 * uint64_t{index} + 4);
  if (index >= count_ || !offset) return std::nullopt;
  const auto found =
      read_fde(object_->frames, hdr.address + static_cast<uint64_t>(int64_t{*offset}));
  return found && found->begin == begin_of(index) ? found : std::nullopt;
}

// Of two that claim the same bytes at most one tells the truth, and nobody knows which.
bool Frames::overlaps(uint32_t index, const Function& function) const {
  if (index + 1 < count_ && begin_of(index + 1) < function.end) return true;
  const auto before = index ? entry(index - 1) : std::nullopt;
  return before && before->end > function.begin;
}

std::optional<Function> Frames::function(uint32_t index) const {
  if (go_text_) return go_function(index);
  const auto found = entry(index);
  if (!found || !object_->text.holds(found->begin, found->end - found->begin)) return std::nullopt;
  return overlaps(index, *found) ? std::nullopt : found;
}

uint64_t first_insn(const Function& function, const Bytes& text) {
  static constexpr uint8_t signal_return[] = {0x48, 0xc7, 0xc0, 0x0f, 0,
                                              0,    0,    0x0f, 0x05};  // mov $15,%rax; syscall
  const auto behind = text.part(function.begin + 1, sizeof signal_return);
  if (!function.signal_frame || behind.empty()) return function.begin;
  return std::memcmp(behind.data(), signal_return, sizeof signal_return) ? function.begin
                                                                         : function.begin + 1;
}

bool may_land_inside(const Function& function, const Bytes& frames, uint64_t low, uint64_t high) {
  if (!function.lsda) return false;
  Cursor in{frames, function.lsda, frames.end()};
  const uint8_t start_encoding = in.take<uint8_t>();
  const uint64_t start = start_encoding == pe_omit ? function.begin : in.pointer(start_encoding);
  if (in.take<uint8_t>() != pe_omit) in.uleb();  // where the types are
  const uint8_t encoding = in.take<uint8_t>();
  const uint64_t size = in.uleb();
  if (in.failed || encoding & 0xf0 || size > in.limit - in.at) return true;
  in.limit = in.at + size;
  while (in.at < in.limit) {
    in.plain(encoding);
    in.plain(encoding);
    const uint64_t pad = in.plain(encoding);
    in.uleb();  // action
    if (in.failed) return true;
    if (pad && start + pad > low && start + pad < high) return true;
  }
  return false;
}

}  // namespace sctrace::rewriter
