// What statmount and listmount are asked and answer. The question tells its own length; the answer
// ends with texts, which its fields name by where they begin.
#include <algorithm>
#include <cstring>

#include "formats/read/structs.h"

namespace sctrace::read {

using arch::Layout;
using arch::Set;
using Kind = Value::Kind;

namespace {

constexpr uint64_t question_first = 24, question_now = 32;  // bytes of the struct's versions
constexpr size_t answer_bytes = 512;

Value root_or_id(uint64_t id) { return word(Set::listmount_roots, id, true); }

// The texts behind an answer, as far as they are known.
class Texts {
 public:
  Texts(const Scene& s, uint64_t at, uint32_t said, uint64_t room) {
    if (said <= answer_bytes || said > room) return;
    bytes_ = s.memory.bytes(at + answer_bytes, said - answer_bytes, true);
    if (bytes_.size() < said - answer_bytes) bytes_.clear();
  }

  Value one(uint32_t from) const {
    return from < bytes_.size() ? name_in(data() + from, bytes_.size() - from) : value_hex(from);
  }

  Value several(uint32_t from, uint32_t count) const {
    if (from >= bytes_.size()) return value_hex(from);
    Value list = value_of(Kind::list);
    list.bounded = true;
    list.whole = count;
    for (; count && from < bytes_.size(); --count) {
      list.items.push_back(one(from));
      from += static_cast<uint32_t>(strnlen(bytes_.data() + from, bytes_.size() - from)) + 1;
    }
    return list;
  }

 private:
  const uint8_t* data() const { return reinterpret_cast<const uint8_t*>(bytes_.data()); }
  std::string bytes_;
};

void add_superblock(Builder& f, const uint8_t* b) {
  f.add("sb_dev_major", value_unsigned(peek<uint32_t>(b + 16)))
      .add("sb_dev_minor", value_unsigned(peek<uint32_t>(b + 20)))
      .add("sb_magic", word(Set::fs_magic, peek<uint64_t>(b + 24), true))
      .add("sb_flags", words(Set::superblock_flags, peek<uint32_t>(b + 32)));
}

void add_mount(Builder& f, const uint8_t* b) {
  f.add("mnt_id", value_hex(peek<uint64_t>(b + 40)))
      .add("mnt_parent_id", value_hex(peek<uint64_t>(b + 48)))
      .add("mnt_id_old", value_hex(peek<uint32_t>(b + 56)))
      .add("mnt_parent_id_old", value_hex(peek<uint32_t>(b + 60)))
      .add("mnt_attr", words(Set::mount_attributes, peek<uint64_t>(b + 64), true))
      .add("mnt_propagation", words(Set::mount_propagations, peek<uint64_t>(b + 72), true))
      .add("mnt_peer_group", value_hex(peek<uint64_t>(b + 80)))
      .add("mnt_master", value_hex(peek<uint64_t>(b + 88)));
}

}  // namespace

Value mount_question(const Scene& s, Layout layout, uint64_t at) {
  uint32_t size = 0;
  if (!s.memory.whole(&size, at, sizeof size, false)) return value_address(at);
  Builder f;
  f.add("size", value_unsigned(size));
  if (size < question_first) return f.done();
  uint8_t b[question_now] = {};
  if (!s.memory.whole(b, at, std::min<uint64_t>(size, sizeof b), false)) {
    Value v = f.done();
    v.cut = true;
    return v;
  }
  const bool lists = layout == Layout::mount_list_question;
  f.add("mnt_ns_fd", descriptor(s, peek<int32_t>(b + 4)))
      .add("mnt_id", lists ? root_or_id(peek<uint64_t>(b + 8)) : value_hex(peek<uint64_t>(b + 8)))
      .add("param", lists ? value_hex(peek<uint64_t>(b + 16))
                          : words(Set::statmount_mask, peek<uint64_t>(b + 16), true));
  if (size >= question_now) f.add("mnt_ns_id", value_hex(peek<uint64_t>(b + 24)));
  Value v = f.done();
  if (size > question_now) add_behind(s, v, at, question_now, size, false);
  return v;
}

// Which of its fields mean something, its mask says.
Value statmount_value(const Scene& s, uint64_t at, uint64_t room) {
  uint8_t b[answer_bytes] = {};
  const uint64_t known = std::min<uint64_t>(room, sizeof b);
  if (known < sizeof(uint32_t) || !s.memory.copy(b, at, known, true)) return value_address(at);
  const uint32_t size = peek<uint32_t>(b);
  const uint64_t mask = peek<uint64_t>(b + 8);
  const Texts texts(s, at, size, room);
  const auto text = [&](size_t field) { return texts.one(peek<uint32_t>(b + field)); };
  Builder f;
  // A list of texts, and in front of it how many there are.
  const auto add_texts = [&](const char* count, const char* name, size_t field) {
    const uint32_t n = peek<uint32_t>(b + field);
    f.add(count, value_unsigned(n)).add(name, texts.several(peek<uint32_t>(b + field + 4), n));
  };
  f.add("size", value_unsigned(size));
  if (mask & 0x80) f.add("mnt_opts", text(4));
  f.add("mask", words(Set::statmount_mask, mask, true));
  if (mask & 0x1) add_superblock(f, b);
  if (mask & 0x20) f.add("fs_type", text(36));
  if (mask & 0x2) add_mount(f, b);
  if (mask & 0x4) f.add("propagate_from", value_hex(peek<uint64_t>(b + 96)));
  if (mask & 0x8) f.add("mnt_root", text(104));
  if (mask & 0x10) f.add("mnt_point", text(108));
  if (mask & 0x40) f.add("mnt_ns_id", value_hex(peek<uint64_t>(b + 112)));
  if (mask & 0x100) f.add("fs_subtype", text(120));
  if (mask & 0x200) f.add("sb_source", text(124));
  if (mask & 0x400) add_texts("opt_num", "opt_array", 128);
  if (mask & 0x800) add_texts("opt_sec_num", "opt_sec_array", 136);
  if (mask & 0x1000)
    f.add("supported_mask", words(Set::statmount_mask, peek<uint64_t>(b + 144), true));
  if (mask & 0x2000) add_texts("mnt_uidmap_num", "mnt_uidmap", 152);
  if (mask & 0x4000) add_texts("mnt_gidmap_num", "mnt_gidmap", 160);
  return f.done();
}

}  // namespace sctrace::read
