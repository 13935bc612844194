// Trusted execution environments: the struct of a request lies in a buffer that the argument points
// at, with parameters behind it.
#include "formats/read/requests.h"

namespace sctrace::read {

using arch::Layout;
using arch::Set;
using Kind = Value::Kind;

namespace {

constexpr uint64_t longest = 1024;  // TEE_MAX_ARG_SIZE
constexpr size_t parameter_bytes = 32, head_most = 56;

// The buffer: how long the struct in it is, and where that tells how many parameters follow.
struct Buffer {
  size_t head, count_at;
  uint64_t at = 0, bytes = 0;
  uint8_t b[head_most] = {};

  uint32_t count() const { return word(count_at); }
  uint32_t word(size_t offset) const { return peek<uint32_t>(b + offset); }
  // The kernel takes no other than one that is just as long as it has to be; afterwards it may say
  // that there are more.
  bool try_load(const Scene& s, const uint8_t* argument, bool out) {
    at = peek<uint64_t>(argument);
    bytes = peek<uint64_t>(argument + 8);
    return bytes <= longest && bytes >= head && s.memory.whole(b, at, head, out) &&
           (out || head + uint64_t{count()} * parameter_bytes == bytes);
  }
};

Buffer buffer_of(Layout layout) {
  switch (layout) {
    case Layout::tee_open:
    case Layout::tee_opened: return {56, 52};
    case Layout::tee_invoke:
    case Layout::tee_invoked: return {24, 20};
    default: return {8, 4};
  }
}

Value login_id(const uint8_t* b) {
  Value list = value_of(Kind::list);
  for (size_t i = 0; i < 16; ++i) list.items.push_back(value_hex(b[i]));
  list.whole = 16;
  list.bounded = true;
  return list;
}

// Whom a session is opened as: a group by its number, where that is asked for.
void add_login(Builder& f, const Buffer& in) {
  const uint32_t login = in.word(32);
  f.add("clnt_login", word(Set::tee_logins, login));
  constexpr uint32_t group = 2, group_application = 6;
  if (login == group || login == group_application)
    f.add("clnt_uuid", user_value(in.word(16)));
  else if (!word_text(Set::tee_logins, login))
    f.add("clnt_uuid", login_id(in.b + 16));
}

Value parameter(const uint8_t* b) {
  constexpr uint64_t meta = 0x100;
  const uint64_t kind = peek<uint64_t>(b), second = peek<uint64_t>(b + 16),
                 third = peek<uint64_t>(b + 24);
  Value attr = word(Set::tee_parameters, kind & ~meta, true);
  if (kind & meta) {
    Value both = value_of(Kind::either);
    both.items = {std::move(attr), bare_text("TEE_IOCTL_PARAM_ATTR_META")};
    attr = std::move(both);
  }
  Builder f;
  f.add("attr", std::move(attr));
  if (!kind) return f.done();
  const Value first = value_hex(peek<uint64_t>(b + 8));
  if (kind >= 5 && kind <= 7)  // shared memory
    return f.add("shm_offs", first)
        .add("size", value_hex(second))
        .add("shm_id", value_unsigned(third))
        .done();
  return f.add("a", first).add("b", value_hex(second)).add("c", value_hex(third)).done();
}

void add_parameters(const Scene& s, Builder& f, const Buffer& from, bool out) {
  const uint64_t at = from.count() ? from.at + from.head : 0;
  f.add("params", elements(s, Layout::tee_parameter, at, from.count(), out));
}

Value told(const Scene& s, Layout layout, const uint8_t* b) {
  Buffer in = buffer_of(layout);
  const bool known = in.try_load(s, b, false);
  Builder all, f;
  all.add("buf_len", value_unsigned(in.bytes));
  if (!known) return all.add("buf_ptr", value_address(in.at)).done();
  if (layout == Layout::tee_open) {
    f.add("uuid", uuid(in.b));
    add_login(f, in);
    f.add("cancel_id", value_unsigned(in.word(36)));
  }
  if (layout == Layout::tee_invoke || layout == Layout::tee_receive)
    f.add("func", value_unsigned(in.word(0)));
  if (layout == Layout::tee_invoke)
    f.add("session", value_hex(in.word(4))).add("cancel_id", value_unsigned(in.word(8)));
  f.add("num_params", value_unsigned(in.count()));
  add_parameters(s, f, in, false);
  return all.add("buf_ptr", f.done()).done();
}

// What came of it; nothing where it was not known before.
Value answered(const Scene& s, Layout layout, const uint8_t* b, const Place& place) {
  Buffer in = buffer_of(layout), now = in;
  uint8_t argument[16];
  if (!s.memory.whole(argument, place.at, sizeof argument, false) ||
      !in.try_load(s, argument, false) || !now.try_load(s, b, true))
    return value_of(Kind::structure);
  Builder f;
  if (layout == Layout::tee_opened) f.add("session", value_hex(now.word(40)));
  const size_t result_at = layout == Layout::tee_opened ? 44 : 12;
  if (layout == Layout::tee_opened || layout == Layout::tee_invoked)
    f.add("ret", value_unsigned(now.word(result_at)))
        .add("ret_origin", word(Set::tee_origins, now.word(result_at + 4)));
  if (layout == Layout::tee_sent) f.add("ret", value_unsigned(now.word(0)));
  if (layout == Layout::tee_received) f.add("num_params", value_unsigned(now.count()));
  add_parameters(s, f, now, true);
  return Builder().add("buf_ptr", f.done()).done();
}

Value version(const uint8_t* b) {
  constexpr uint32_t optee = 1;
  const uint32_t made_by = peek<uint32_t>(b), can = peek<uint32_t>(b + 4);
  return Builder()
      .add("impl_id", word(Set::tee_impl, made_by))
      .add("gen_caps", words(Set::tee_caps, peek<uint32_t>(b + 8)))
      .add("impl_caps", made_by == optee ? words(Set::tee_optee_caps, can) : value_hex(can))
      .done();
}

}  // namespace

Value trusted_struct(const Scene& s, Layout layout, const uint8_t* b, const Place& place) {
  switch (layout) {
    case Layout::tee_version: return version(b);
    case Layout::tee_parameter: return parameter(b);
    case Layout::tee_open:
    case Layout::tee_invoke:
    case Layout::tee_receive:
    case Layout::tee_send: return told(s, layout, b);
    case Layout::tee_opened:
    case Layout::tee_invoked:
    case Layout::tee_received:
    case Layout::tee_sent: return answered(s, layout, b, place);
    default: return {};
  }
}

}  // namespace sctrace::read
