#include "formats/pcapng_payload.h"

#include <arpa/inet.h>

#include <algorithm>
#include <string_view>

#include "arch/table.h"

namespace sctrace::packets {

namespace {

const Value* member(const Value& of, std::string_view name) {
  for (const Value& item : of.items)
    if (item.name == name) return &item;
  return nullptr;
}

// All texts of a buffer, a vector or a message, one after the other. False: one is not whole, so
// nothing can follow it.
bool gather(const Value& v, std::string& bytes) {
  switch (v.kind) {
    case Value::Kind::text: bytes += v.text; return v.text.size() >= v.whole && !v.cut;
    case Value::Kind::list:
      return std::all_of(v.items.begin(), v.items.end(),
                         [&](const Value& item) { return gather(item, bytes); });
    case Value::Kind::structure:
      if (const Value* base = member(v, "iov_base")) return gather(*base, bytes);
      if (const Value* vector = member(v, "msg_iov")) return gather(*vector, bytes);
      return false;
    default: return false;
  }
}

// An address of IP somewhere in a value, by the macros that it is written with.
void find_end(const Value& v, End& end) {
  if (v.kind == Value::Kind::macro && v.text == "htons" && !v.items.empty())
    end.port = static_cast<uint16_t>(v.items[0].number);
  if (v.kind == Value::Kind::macro && (v.text == "inet_addr" || v.text == "inet_pton"))
    for (const Value& item : v.items) {
      uint8_t bytes[16];
      if (item.kind != Value::Kind::text) continue;
      const bool six = item.text.find(':') != std::string::npos;
      if (inet_pton(six ? AF_INET6 : AF_INET, item.text.c_str(), bytes) == 1)
        end.address.assign(reinterpret_cast<const char*>(bytes), six ? 16 : 4);
    }
  for (const Value& item : v.items) find_end(item, end);
}

Carried of_value(const Value& v, uint64_t whole, bool outbound) {
  Carried one;
  one.whole = whole;
  one.outbound = outbound;
  gather(v, one.bytes);
  one.bytes.resize(std::min<uint64_t>(one.bytes.size(), whole));
  return one;
}

std::vector<Carried> several(const Value& list, uint64_t count, bool outbound) {
  std::vector<Carried> all;
  for (const Value& item : list.items) {
    const Value *head = member(item, "msg_hdr"), *length = member(item, "msg_len");
    if (!head || !length || all.size() == count) break;
    all.push_back(of_value(*head, length->number, outbound));
    if (const Value* name = member(*head, "msg_name")) find_end(*name, all.back().named);
  }
  return all;
}

}  // namespace

std::vector<Carried> carried_by(const Event& e) {
  using namespace arch;
  if (!e.ended || e.result <= 0 || e.args.size() < 2) return {};
  const auto n = static_cast<uint64_t>(e.result);
  bool outbound = false;
  switch (e.nr) {
    case nr_write:
    case nr_writev:
    case nr_sendto:
    case nr_sendmsg: outbound = true; break;
    case nr_read:
    case nr_readv:
    case nr_recvfrom:
    case nr_recvmsg: break;
    case nr_sendmmsg: return several(e.args[1], n, true);
    case nr_recvmmsg: return several(e.args[1], n, false);
    case nr_sendfile: return {Carried{.whole = n, .outbound = true}};  // from a file: not recorded
    default: return {};
  }
  Carried one = of_value(e.args[1], n, outbound);
  if (e.nr == nr_sendmsg || e.nr == nr_recvmsg) {
    if (const Value* name = member(e.args[1], "msg_name")) find_end(*name, one.named);
  } else if (e.args.size() > 4) {
    find_end(e.args[4], one.named);
  }
  return {std::move(one)};
}

}  // namespace sctrace::packets
