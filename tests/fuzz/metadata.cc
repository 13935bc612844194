// Any text whatever as the metadata of a trace: a table or one BadTrace, and every call can be
// decoded by the table, whatever it says.
#include <stdlib.h>

#include <string>

#include "formats/read/decode.h"
#include "formats/read/metadata.h"
#include "formats/read/trace.h"
#include "formats/text.h"

using namespace sctrace;

namespace {

// Three hundred bytes that lead on into themselves, as pointers do.
read::Call call_of(uint32_t nr, const uint8_t* bytes, size_t count) {
  read::Call call;
  call.pid = call.tid = 1, call.nr = nr, call.argc = 6, call.ended = true;
  call.result = 8;
  for (uint64_t& argument : call.args) argument = 0x1000;
  read::Piece piece;
  piece.address = 0x1000, piece.wanted = 304;
  for (size_t i = 0; i < 304; ++i)
    piece.bytes.push_back(i % 8 == 1 ? 0x10 : i % 8 ? 0 : count ? bytes[i % count] : 0);
  call.memory.push_back(piece);
  piece.out = true;
  call.memory.push_back(piece);
  return call;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count) {
  static const auto base = read::built_in();
  std::string text(reinterpret_cast<const char*>(bytes), count);
  if (count && *bytes != 0x28 && text.compare(0, 16, "sctrace-metadata"))
    text = "sctrace-metadata 1\n" + text + "\nend\n";
  std::shared_ptr<const read::Table> table;
  try {
    table = read::table_from(text, "input", base);
  } catch (const read::BadTrace&) {
    return 0;
  }
  read::use(table);
  TextOptions options;
  options.verbose = true;
  for (uint32_t nr = 0; nr < arch::number_limit; ++nr) {
    if (!read::lookup(nr).name) continue;
    TextPrinter printer(options);
    printer.leave(read::decode(call_of(nr, bytes, count)));
  }
  for (const arch::Request& request : table->requests) {
    TextPrinter printer(options);
    read::Call call = call_of(arch::nr_ioctl, bytes, count);
    call.args[1] = request.number;
    printer.leave(read::decode(call));
  }
  read::use(nullptr);
  return 0;
}
