// calls TRACE NAME: what the trace says of each call NAME, in order: the bytes of its path, buffer
// or vector's data, one line a call in hexadecimal; "-" in front of those that are not marked as
// what the kernel used.
#include <cstdio>
#include <cstring>
#include <string>

#include "arch/table.h"
#include "formats/read/decode.h"
#include "formats/read/trace.h"

int main(int argc, char** argv) {
  using namespace sctrace;
  if (argc != 3) return 2;
  const read::Trace trace(argv[1]);
  read::Timeline timeline(trace);
  for (read::Item item; timeline.next(item);) {
    if (item.kind != read::Item::Kind::leave) continue;
    const read::Call& call = *item.call;
    const char* name = arch::lookup(call.nr).name;
    if (!name || std::strcmp(name, argv[2]) != 0) continue;
    std::string line(1, '-');
    for (const read::Piece& piece : call.memory) {  // a vector's own bytes come before its data
      const bool result = piece.out == (call.nr == arch::nr_pread64);
      if (!result) continue;
      line = piece.exact ? "" : "-";
      char two[3];
      for (const uint8_t byte : piece.bytes)
        std::snprintf(two, sizeof two, "%02x", byte), line += two;
    }
    std::puts(line.c_str());
  }
  return 0;
}
