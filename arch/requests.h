// What strace knows of ioctl: the numbers of requests by name (ioctls.def) and what the argument
// of each is (requests.def). request_of() is a search by halves: one call may ask it twice.
#pragma once
#include <algorithm>
#include <array>

#include "arch/syscall.h"

namespace sctrace::arch {

namespace requests {  // io_FIONREAD …: the bare names are macros of the C library
enum : uint32_t {
#define IOCTL(number, name) io_##name = number,
#include "arch/ioctls.def"
#undef IOCTL
  io_TEE_IOC_SHM_REGISTER_FD = 0xc020a408,  // younger than the names
};
}  // namespace requests

// How what was there before the call and what is there after it are shown.
enum class Turn : uint8_t {
  none,     // only one of them
  grows,    // one struct: what the kernel added stands behind what it was told
  turns,    // two of them, one => the other
  answers,  // the same, and where the call failed the address stands for the other
};

// One ioctl request. Its argument is a plain value of `kind` (none: nothing is passed), or points
// at a struct that is `before` when the kernel reads it and `after` when it has written it.
struct Request {
  uint32_t number = 0;
  Kind kind = Kind::none;
  Way way = Way::none;
  Turn turn = Turn::none;
  Set set = Set::none;
  Layout before = Layout::none, after = Layout::none;
};

namespace fold {
inline constexpr Request written_requests[] = {
#define ALONE(name) {requests::io_##name},
#define VALUE(name, kind, set) {requests::io_##name, Kind::kind, Way::none, Turn::none, Set::set},
#define READS(name, layout) \
  {requests::io_##name, Kind::structure, Way::in, Turn::none, Set::none, Layout::layout},
#define WRITES(name, layout)                                        \
  {requests::io_##name, Kind::structure, Way::out,      Turn::none, \
   Set::none,           Layout::none,    Layout::layout},
#define GROWS(name, before, after)                                  \
  {requests::io_##name, Kind::structure, Way::both,    Turn::grows, \
   Set::none,           Layout::before,  Layout::after},
#define TURNS(name, before, after)                                  \
  {requests::io_##name, Kind::structure, Way::both,    Turn::turns, \
   Set::none,           Layout::before,  Layout::after},
#define ANSWERS(name, before, after)                                  \
  {requests::io_##name, Kind::structure, Way::both,    Turn::answers, \
   Set::none,           Layout::before,  Layout::after},
#include "arch/requests.def"
#undef ANSWERS
#undef ALONE
#undef VALUE
#undef READS
#undef WRITES
#undef GROWS
#undef TURNS
};
void a_request_must_not_stand_twice();  // not constexpr
constexpr auto sorted_requests() {
  std::array<Request, sizeof written_requests / sizeof *written_requests> all{};
  std::copy(std::begin(written_requests), std::end(written_requests), all.begin());
  const auto by_number = [](const Request& a, const Request& b) { return a.number < b.number; };
  std::sort(all.begin(), all.end(), by_number);
  for (size_t i = 1; i < all.size(); ++i)
    if (all[i - 1].number == all[i].number) a_request_must_not_stand_twice();
  return all;
}
}  // namespace fold

inline constexpr auto all_requests = fold::sorted_requests();

// Its row, or nothing: then only its number says which way how many bytes go.
constexpr const Request* request_of(uint32_t number) {
  size_t low = 0, high = all_requests.size();
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (all_requests[middle].number < number)
      low = middle + 1;
    else
      high = middle;
  }
  return low < all_requests.size() && all_requests[low].number == number ? &all_requests[low]
                                                                         : nullptr;
}

// A number says it itself where it was made by _IOC(): who reads or writes how many bytes.
constexpr bool request_reads(uint32_t number) { return number >> 30 & 1; }   // _IOC_WRITE
constexpr bool request_writes(uint32_t number) { return number >> 31 & 1; }  // _IOC_READ
constexpr uint32_t request_bytes(uint32_t number) { return number >> 16 & 0x3fff; }

}  // namespace sctrace::arch
