// Who is at the other end: socket addresses as one word, and which of them a call spoke to.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "formats/read/files.h"
#include "formats/read/timeline.h"

namespace sctrace::read {

// "127.0.0.1:80", "[::1]:80", "unix /run/x", "unix @abstract"; empty if there is no name in it.
std::string address_text(std::string_view sockaddr);

// The same after the protocol: "tcp 127.0.0.1:80". A stream to an unnamed socket is known by its
// own name: "unix (at /run/x)". Empty: the descriptor is no socket, or nobody knows.
std::string peer_of(const OpenFile& file);

// The peer that a call spoke to: the address that it names, else that of its descriptor.
std::string peer_of(const Call& call, const Files& files);

}  // namespace sctrace::read
