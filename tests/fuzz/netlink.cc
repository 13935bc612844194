// Any bytes whatever, as what a socket carried or as an attribute of bpf(): one bounded value.
#include <cstdlib>

#include "formats/read/decode.h"
#include "formats/text.h"

using namespace sctrace;

namespace {

std::string shown(read::Call& call, const uint8_t* bytes, size_t count, size_t argument,
                  const read::NetlinkSockets& sockets) {
  read::Piece piece;
  piece.address = call.args[argument] = 0x1000;
  piece.wanted = count;
  piece.bytes.assign(bytes, bytes + count);
  call.memory.push_back(piece);
  TextOptions options;
  options.verbose = true;
  TextPrinter printer(options);
  printer.leave(read::decode(call, nullptr, &sockets));
  return printer.out();
}

read::Call ended(uint32_t nr, uint8_t count) {
  read::Call call;
  call.pid = call.tid = 1, call.nr = nr, call.argc = count, call.ended = true;
  return call;
}

}  // namespace

// The first byte chooses: the protocol of the socket, or, with its top bit, the command of bpf().
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count) {
  if (count < 2) return 0;
  read::NetlinkSockets sockets;
  read::Call call = ended(arch::nr_socket, 3);
  call.result = 3, call.args[0] = 16, call.args[2] = *bytes & 31u;
  sockets.learn(call);
  const bool bpf = *bytes & 0x80;
  call = bpf ? ended(arch::nr_bpf, 3) : ended(arch::nr_sendto, 6);
  call.args[0] = bpf ? *bytes & 63u : 3;
  call.args[2] = count - 1;
  if (shown(call, bytes + 1, count - 1, 1, sockets).size() > 100 * 8192) abort();
  return 0;
}
