#include <fmt/format.h>

#include <algorithm>

#include "arch/requests.h"
#include "formats/read/decode_ioctl.h"

namespace sctrace::read {

using arch::Set;
using Kind = Value::Kind;

namespace {

Value numbered_macro(const char* name, std::vector<Value> items, uint32_t number) {
  Value v = value_macro(name, std::move(items));
  v.number = number;
  v.base = Value::Base::hexadecimal;
  v.numbered = true;
  v.bare = true;
  return v;
}

// Families whose numbers carry the length of a buffer: any size is one of them.
struct Family {
  uint8_t way, type, number;
  const char* name;
};
constexpr Family families[] = {{2, 'E', 0x06, "EVIOCGNAME"},     {2, 'E', 0x07, "EVIOCGPHYS"},
                               {2, 'E', 0x08, "EVIOCGUNIQ"},     {2, 'E', 0x09, "EVIOCGPROP"},
                               {2, 'E', 0x0a, "EVIOCGMTSLOTS"},  {2, 'E', 0x18, "EVIOCGKEY"},
                               {2, 'E', 0x19, "EVIOCGLED"},      {2, 'E', 0x1a, "EVIOCGSND"},
                               {2, 'E', 0x1b, "EVIOCGSW"},       {2, 'H', 0x04, "HIDIOCGRAWNAME"},
                               {2, 'H', 0x05, "HIDIOCGRAWPHYS"}, {2, 'H', 0x06, "HIDIOCSFEATURE"},
                               {3, 'H', 0x06, "HIDIOCSFEATURE"}, {3, 'H', 0x07, "HIDIOCGFEATURE"},
                               {2, 'H', 0x08, "HIDIOCGRAWUNIQ"}, {2, 'H', 0x12, "HIDIOCGPHYS"},
                               {2, 'U', 0x2c, "UI_GET_SYSNAME"}, {2, 'j', 0x13, "JSIOCGNAME"},
                               {1, 'k', 0x00, "SPI_IOC_MESSAGE"}};

Value of_family(uint32_t request) {
  const uint32_t way = request >> 30, type = request >> 8 & 255, number = request & 255;
  const Value bytes = value_unsigned(arch::request_bytes(request));
  if (type == 'E' && way == 2 && number >= 0x20 && number < 0x40)
    return numbered_macro(
        "EVIOCGBIT",
        {number == 0x20 ? value_unsigned(0) : word(Set::evdev_types, number - 0x20), bytes},
        request);
  if (type == 'E' && ((way == 2 && number >> 6 == 1) || (way == 1 && number >> 6 == 3)))
    return numbered_macro(way == 2 ? "EVIOCGABS" : "EVIOCSABS",
                          {word(Set::evdev_absolutes, number & 63)}, request);
  if (type == 'M' && (way == 1 || way == 2))
    return numbered_macro(way == 2 ? "MIXER_READ" : "MIXER_WRITE", {value_unsigned(number)},
                          request);
  for (const Family& f : families)
    if (f.way == way && f.type == type && f.number == number)
      return numbered_macro(f.name, {bytes}, request);
  return {};
}

Value by_parts(uint32_t request) {
  Value way = value_of(Kind::words);
  way.number = request >> 30;
  way.bare = true;
  way.base = Value::Base::hexadecimal;
  static constexpr const char* ways[] = {"_IOC_WRITE", "_IOC_READ"};
  for (uint32_t bit : {2u, 1u})
    if (request >> 30 & bit) {
      Value one = value_of(Kind::word);
      one.text = ways[bit - 1];
      way.items.push_back(one);
    }
  if (!(request >> 30)) {
    way = value_of(Kind::word);
    way.text = "_IOC_NONE";
    way.bare = true;
  }
  return numbered_macro("_IOC",
                        {way, value_hex(request >> 8 & 255), value_hex(request & 255),
                         value_hex(request >> 16 & 0x3fff)},
                        request);
}

}  // namespace

bool has_length(uint32_t request) { return of_family(request).kind != Kind::absent; }

Value ioctl_request(uint32_t request) {
  const std::string text = ioctl_names(request);
  Value v = of_family(request);
  if (v.kind != Kind::absent) {
    if (!text.empty()) v.unknown = " or " + text;
    return v;
  }
  if (text.empty()) return by_parts(request);
  v = value_of(Kind::word);
  v.base = Value::Base::hexadecimal;
  v.number = request;
  v.text = text;
  return v;
}

}  // namespace sctrace::read
