#include <algorithm>

#include "formats/read/requests.h"

namespace sctrace::read {

using arch::Set;
using Kind = Value::Kind;

namespace {

constexpr uint64_t header_bytes = 305,
                   target_bytes = 40;  // of struct dm_ioctl, struct dm_target_spec

// What each request of the device mapper has beyond what all have.
struct Shape {
  bool start = false, plain = false, targets = false, event = false, message = false, text = false;
};

Shape shape_of(uint32_t request) {
  namespace r = arch::requests;
  switch (request) {
    case r::io_DM_REMOVE_ALL: return {.plain = true};
    case r::io_DM_LIST_DEVICES:
    case r::io_DM_LIST_VERSIONS: return {.start = true, .plain = true};
    case r::io_DM_TABLE_DEPS:
    case r::io_DM_TABLE_STATUS: return {.start = true};
    case r::io_DM_DEV_WAIT: return {.start = true, .event = true};
    case r::io_DM_DEV_REMOVE: return {.event = true};
    case r::io_DM_DEV_SUSPEND: return {.event = true};
    case r::io_DM_TABLE_LOAD: return {.start = true, .targets = true};
    case r::io_DM_TARGET_MSG: return {.start = true, .message = true};
    case r::io_DM_DEV_RENAME: return {.start = true, .event = true, .text = true};
    case r::io_DM_DEV_SET_GEOMETRY: return {.start = true, .text = true};
    default: return {};
  }
}

bool blank(const uint8_t* b) {
  return std::all_of(b, b + 16, [](uint8_t c) { return !c; });
}

// A string within the bytes that the request says it has.
Value text_within(const Scene& s, const Place& place, uint64_t at, uint64_t size) {
  return at >= size ? value_text("") : string_at(s, place.at + at, false, place.out);
}

Value misplaced(const char* what) {
  return bare_text(std::string("??? /* misplaced ") + what + " */");
}

// The targets of a table: each says where the next one is.
void add_targets(const Scene& s, const Place& place, const uint8_t* b, Value& all) {
  const uint64_t size = peek<uint32_t>(b + 12);
  uint64_t at = peek<uint32_t>(b + 16);
  for (uint32_t i = 0; i < peek<uint32_t>(b + 20); ++i) {
    if (at + target_bytes > size) return all.items.push_back(misplaced("struct dm_target_spec"));
    uint8_t t[target_bytes];
    if (!s.memory.whole(t, place.at + at, sizeof t, place.out))
      return all.items.push_back(value_address(place.at + at));
    all.items.push_back(Builder()
                            .add("sector_start", value_unsigned(peek<uint64_t>(t)))
                            .add("length", value_unsigned(peek<uint64_t>(t + 8)))
                            .add("target_type", name_in(t + 24, 16))
                            .add("string", text_within(s, place, at + target_bytes, size))
                            .done());
    const uint64_t next = peek<uint32_t>(t + 20);
    at += next ? next : size;
  }
}

void add_payload(const Scene& s, const Place& place, const uint8_t* b, const Shape& shape,
                 Value& all) {
  const uint64_t size = peek<uint32_t>(b + 12), start = peek<uint32_t>(b + 16);
  if (shape.targets) return add_targets(s, place, b, all);
  if (shape.text) {
    all.items.push_back(
        start >= size
            ? misplaced("string")
            : Builder().add("string", string_at(s, place.at + start, false, place.out)).done());
    return;
  }
  uint64_t sector = 0;
  if (start + 8 > size)
    all.items.push_back(misplaced("struct dm_target_msg"));
  else if (!s.memory.whole(&sector, place.at + start, 8, place.out))
    all.items.push_back(value_address(place.at + start));
  else
    all.items.push_back(Builder()
                            .add("sector", value_unsigned(sector))
                            .add("message", text_within(s, place, start + 8, size))
                            .done());
}

Value header(const uint8_t* b, uint32_t request, const Shape& shape) {
  Value version = value_of(Kind::list);
  for (size_t i = 0; i < 3; ++i) version.items.push_back(value_unsigned(peek<uint32_t>(b + i * 4)));
  version.whole = 3;
  const uint32_t size = peek<uint32_t>(b + 12), flags = peek<uint32_t>(b + 28);
  Builder f;
  if (peek<uint32_t>(b) != 4) version.note = "unsupported device mapper ABI version";
  f.add("version", version);
  if (!version.note.empty()) return f.done();
  Value bytes = value_unsigned(size);
  if (size < header_bytes) bytes.note = "data_size too small";
  f.add("data_size", bytes);
  if (size < header_bytes) return f.done();
  if (shape.start) f.add("data_start", value_unsigned(peek<uint32_t>(b + 16)));
  if (!shape.plain && peek<uint64_t>(b + 40)) f.add("dev", device_value(peek<uint64_t>(b + 40)));
  if (!shape.plain && b[48]) f.add("name", name_in(b + 48, 128));
  if (!shape.plain && b[176]) f.add("uuid", name_in(b + 176, 129));
  if (shape.targets) f.add("target_count", value_unsigned(peek<uint32_t>(b + 20)));
  const bool suspends = request == arch::requests::io_DM_DEV_SUSPEND && flags & 2;
  if (shape.event && !suspends) f.add("event_nr", value_unsigned(peek<uint32_t>(b + 32)));
  return f.add("flags", words(Set::mapper_flags, flags)).done();
}

}  // namespace

Value mapper_request(const Scene& s, const Place& place) {
  const uint32_t request = static_cast<uint32_t>(s.call.args[1]);
  uint8_t b[header_bytes] = {};
  if (!s.memory.whole(b, place.at, sizeof b, place.out) || blank(b)) return value_address(place.at);
  const Shape shape = shape_of(request);
  Value all = value_of(Kind::list);
  all.items.push_back(header(b, request, shape));
  const bool sound = peek<uint32_t>(b) == 4 && peek<uint32_t>(b + 12) >= header_bytes;
  if (sound && (shape.message || shape.text || (shape.targets && peek<uint32_t>(b + 20)))) {
    add_payload(s, place, b, shape, all);
    all.cut = shape.targets;  // all of them are not shown, however much is asked for
    all.number = 1;           // only the first is shown in brief
    all.numbered = true;
  }
  all.whole = all.items.size();
  return all;
}

}  // namespace sctrace::read
