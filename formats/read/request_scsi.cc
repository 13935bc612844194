#include <algorithm>

#include "formats/read/requests.h"

namespace sctrace::read {

using arch::Set;
using Kind = Value::Kind;

namespace {

// Where things lie in the two shapes of the struct: told apart by their first word.
struct Header {
  std::string bytes;
  template <class T>
  T at(size_t offset) const {
    return peek<T>(reinterpret_cast<const uint8_t*>(bytes.data()) + offset);
  }
};

// The data of one way: plain, or scattered; as much of it as was moved.
Value data(const Scene& s, uint64_t at, uint64_t count, uint64_t n, bool out) {
  return count ? vectors(s, at, count, out, n) : hexadecimal_text(s, at, n, out);
}

Value third(const Scene& s, const Header& in, const Header& after) {
  const uint32_t direction = in.at<uint32_t>(4), length = in.at<uint32_t>(12);
  const uint64_t count = in.at<uint16_t>(10), data_at = in.at<uint64_t>(16);
  const bool to = direction == 0xfffffffe, from = direction == 0xfffffffd,
             both = direction == 0xfffffffc;
  const int32_t left = after.at<int32_t>(72);
  const uint64_t moved = left > 0 && static_cast<uint32_t>(left) <= length
                             ? length - static_cast<uint32_t>(left)
                             : length;
  Builder f;
  f.add("interface_id", bare_text("'S'"))
      .add("dxfer_direction", word(Set::sg_directions, direction))
      .add("cmd_len", value_unsigned(in.at<uint8_t>(8)))
      .add("cmdp", hexadecimal_text(s, in.at<uint64_t>(24), in.at<uint8_t>(8), false))
      .add("mx_sb_len", value_unsigned(in.at<uint8_t>(9)))
      .add("iovec_count", value_unsigned(count))
      .add("dxfer_len", value_unsigned(length))
      .add("timeout", value_unsigned(in.at<uint32_t>(40)))
      .add("flags", words(Set::sg_flags, in.at<uint32_t>(44)));
  if (to) f.add("dxferp", data(s, data_at, count, length, false));
  if (from) f.add("dxferp", data(s, data_at, count, moved, true));
  if (both && !moved) f.add("dxferp", data(s, data_at, count, length, false));
  if (both && moved) {
    Value change = value_of(Kind::change);
    change.items = {data(s, data_at, count, length, false),
                    named("dxferp", data(s, data_at, count, moved, true))};
    f.add("dxferp", change);
  }
  return f.add("status", value_hex(after.at<uint8_t>(64)))
      .add("masked_status", value_hex(after.at<uint8_t>(65)))
      .add("msg_status", value_hex(after.at<uint8_t>(66)))
      .add("sb_len_wr", value_unsigned(after.at<uint8_t>(67)))
      .add("sbp", hexadecimal_text(s, after.at<uint64_t>(32), after.at<uint8_t>(67), true))
      .add("host_status", value_hex(after.at<uint16_t>(68)))
      .add("driver_status", value_hex(after.at<uint16_t>(70)))
      .add("resid", value_number(left))
      .add("duration", value_unsigned(after.at<uint32_t>(76)))
      .add("info", words(Set::sg_info, after.at<uint32_t>(80)))
      .done();
}

Value fourth(const Scene& s, const Header& in, const Header& after) {
  const uint32_t out_length = in.at<uint32_t>(60), in_length = in.at<uint32_t>(68),
                 left = after.at<uint32_t>(136);
  const uint64_t moved = left <= in_length ? in_length - left : in_length;
  Builder f;
  f.add("guard", bare_text("'Q'"))
      .add("protocol", word(Set::bsg_protocols, in.at<uint32_t>(4)))
      .add("subprotocol", word(Set::bsg_subprotocols, in.at<uint32_t>(8)))
      .add("request_len", value_unsigned(in.at<uint32_t>(12)))
      .add("request", hexadecimal_text(s, in.at<uint64_t>(16), in.at<uint32_t>(12), false))
      .add("request_tag", value_hex(in.at<uint64_t>(24)))
      .add("request_attr", value_unsigned(in.at<uint32_t>(32)))
      .add("request_priority", value_unsigned(in.at<uint32_t>(36)))
      .add("request_extra", value_unsigned(in.at<uint32_t>(40)))
      .add("max_response_len", value_unsigned(in.at<uint32_t>(44)))
      .add("dout_iovec_count", value_unsigned(in.at<uint32_t>(56)))
      .add("dout_xfer_len", value_unsigned(out_length))
      .add("din_iovec_count", value_unsigned(in.at<uint32_t>(64)))
      .add("din_xfer_len", value_unsigned(in_length))
      .add("dout_xferp", data(s, in.at<uint64_t>(72), in.at<uint32_t>(56), out_length, false))
      .add("timeout", value_unsigned(in.at<uint32_t>(88)))
      .add("flags", words(Set::bsg_flags, in.at<uint32_t>(92)))
      .add("usr_ptr", value_hex(in.at<uint64_t>(96)));
  f.add("response_len", value_unsigned(after.at<uint32_t>(132)))
      .add("response", hexadecimal_text(s, in.at<uint64_t>(48), after.at<uint32_t>(132), true))
      .add("din_xferp", data(s, in.at<uint64_t>(80), in.at<uint32_t>(64), moved, true))
      .add("driver_status", value_hex(after.at<uint32_t>(108)))
      .add("transport_status", value_hex(after.at<uint32_t>(112)))
      .add("device_status", value_hex(after.at<uint32_t>(116)))
      .add("retry_delay", value_unsigned(after.at<uint32_t>(120)))
      .add("info", words(Set::sg_info, after.at<uint32_t>(124)))
      .add("duration", value_unsigned(after.at<uint32_t>(128)))
      .add("response_len", value_unsigned(after.at<uint32_t>(132)))
      .add("din_resid", value_number(after.at<int32_t>(136)))
      .add("dout_resid", value_number(after.at<int32_t>(140)))
      .add("generated_tag", value_hex(after.at<uint64_t>(144)));
  return f.done();
}

}  // namespace

Value scsi_reset(const uint8_t* b) {
  constexpr uint32_t alone = 0x100;  // SG_SCSI_RESET_NO_ESCALATE
  const uint32_t all = peek<uint32_t>(b);
  Value v = word(Set::scsi_resets, all & ~alone);
  if (all & alone) {
    Value both = value_of(Kind::either);
    both.items = {word(Set::scsi_resets, alone), std::move(v)};
    v = std::move(both);
  }
  v.braced = true;
  return v;
}

Value scsi_command(const Scene& s, uint64_t at) {
  uint32_t word = 0;
  if (!at || !s.memory.whole(&word, at, 4, false)) return value_address(at);
  const uint64_t size = word == 'S' ? 88 : word == 'Q' ? 160 : 0;
  Header in{s.memory.bytes(at, size, false)}, after{s.memory.bytes(at, size, true)};
  if (!size) {
    Value v = value_unsigned(word);
    v.braced = true;
    return v;
  }
  if (in.bytes.size() < size || after.bytes.size() < size)  // no more than which of them it is
    return word == 'S'
               ? Builder()
                     .add("interface_id", bare_text("'S'"))
                     .add("", value_address(at + 4))
                     .done()
               : Builder().add("guard", bare_text("'Q'")).add("", value_address(at + 4)).done();
  return word == 'S' ? third(s, in, after) : fourth(s, in, after);
}

}  // namespace sctrace::read
