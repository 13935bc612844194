#include "formats/read/structs.h"

namespace sctrace::read {

using arch::Set;

namespace {

Value option_name(uint32_t level, uint32_t name) {
  static constexpr struct {
    uint32_t level;
    Set set;
  } sets[] = {{0, Set::ip_options},       {1, Set::so_options},        {6, Set::tcp_options},
              {17, Set::udp_options},     {41, Set::ipv6_options},     {58, Set::icmpv6_options},
              {132, Set::sctp_options},   {136, Set::udp_options},     {255, Set::raw_options},
              {263, Set::packet_options}, {270, Set::netlink_options}, {279, Set::alg_options},
              {282, Set::tls_options}};
  for (const auto& one : sets)
    if (one.level == level) return word(one.set, name);
  if (level == 40) return word(Set::vsock_options, name);
  return value_unsigned(name);
}

// Tables of rules are reached under the level of their protocol, by other names each way.
const char* table_name(uint32_t level, uint32_t name, bool sets) {
  if (level == 0)
    return word_text(sets ? Set::ip_table_set_options : Set::ip_table_get_options, name);
  if (level == 41)
    return word_text(sets ? Set::ip6_table_set_options : Set::ip6_table_get_options, name);
  return nullptr;
}

}  // namespace

void adapt_option(const Scene& s, Event& e) {
  e.args[2] =
      option_name(static_cast<uint32_t>(s.call.args[1]), static_cast<uint32_t>(s.call.args[2]));
  const bool sets = s.call.nr == arch::nr_setsockopt;
  const uint32_t level = static_cast<uint32_t>(s.call.args[1]);
  if (const char* table = table_name(level, static_cast<uint32_t>(s.call.args[2]), sets);
      table && e.args[2].text.empty())
    e.args[2].text = table;
  if (level == 40) e.args[1] = word(Set::address_families, level);
  if (!sets && e.args[2].text == "SO_ATTACH_FILTER") e.args[2].text = "SO_GET_FILTER";
  const uint64_t at = s.call.args[3];
  if (s.call.nr == arch::nr_setsockopt) {
    const int32_t n = static_cast<int32_t>(s.call.args[4]);
    e.args[3] = at ? option_value(s, at, n, false) : value_address(0);
    return;
  }
  int32_t after = 0;
  if (at && s.ok() && s.memory.whole(&after, s.call.args[4], 4, true))
    e.args[3] = option_value(s, at, after, true);
}

}  // namespace sctrace::read
