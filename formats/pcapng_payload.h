// What a call carried over its socket: the bytes as far as they were recorded, and whom it names.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "formats/event.h"
#include "formats/pcapng_packets.h"

namespace sctrace::packets {

struct Carried {
  std::string bytes = {};  // from the first on
  uint64_t whole = 0;      // how many there were
  bool outbound = false;
  End named = {};  // in the call itself, as sendto does
};

// One a message: sendmmsg and recvmmsg carry several. Nothing for a call that carries nothing.
std::vector<Carried> carried_by(const Event& event);

}  // namespace sctrace::packets
