// Netlink messages: what a netlink socket carries, as Values. netlink.cc knows headers and which
// message is what; netlink_attributes.cc what hangs behind it; netlink_special.cc and
// netlink_diag.cc the attributes that no line of arch/netlink.def can tell.
#pragma once
#include "formats/read/netlink_table.h"
#include "formats/read/structs.h"

namespace sctrace::read::netlink {

// A stretch of the app's memory that may hold less than it says.
struct Span {
  uint64_t at, bytes;
  Span from(uint64_t n) const { return n < bytes ? Span{at + n, bytes - n} : Span{at + bytes, 0}; }
};

// What the decoding of one message knows of it, for the attributes that depend on it.
struct Message {
  const Scene& s;
  bool out;
  int protocol;
  uint8_t family = 0;
  unsigned depth = 0;                // of nesting: bounded, the bytes are anybody's
  std::string kind{}, slave_kind{};  // of the device that link attributes are about
};
inline constexpr unsigned deepest = 12;
inline constexpr size_t longest = 4096;  // elements of one list: memory stays bounded

Value buffer(const Scene& s, int protocol, Span where, bool out);
// One message with its payload, as in {nlmsg_len=…}, {…}.
Value message(Message& m, Span where);

// A list of attributes; one alone stands for itself.
Value attributes(Message& m, Attributes table, Span where);
Value held(Message& m, const Holds& holds, Span where);
Value special(Message& m, Special special, Span where);
Value of_socket(Message& m, Special special, Span where);  // netlink_diag.cc

Value hex_bytes(const Message& m, Span where);
Value several(std::vector<Value> items);  // behind one header
// The whole of a struct, or what there is of it from its least size; its address where unreadable.
Value structure_of(const Message& m, arch::Layout layout, uint64_t least, Span where);

// Elements of one size, the last of them whole: one(place, bytes) makes each.
template <class One>
Value elements_of(const Message& m, Span where, size_t size, One one) {
  if (where.bytes < size) return hex_bytes(m, where);
  Value list = value_of(Value::Kind::list);
  list.bounded = true;
  std::string b(size, '\0');
  for (uint64_t i = 0; i < where.bytes / size && i < longest; ++i) {
    if (!m.s.memory.whole(b.data(), where.at + i * size, size, m.out)) {
      if (!i) return value_address(where.at);
      list.rest = where.at + i * size;
      break;
    }
    list.items.push_back(one(i, reinterpret_cast<const uint8_t*>(b.data())));
  }
  list.whole = list.rest ? list.items.size() : where.bytes / size;
  return list;
}

}  // namespace sctrace::read::netlink
