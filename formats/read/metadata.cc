#include "formats/read/metadata.h"

#include <zstd.h>

#include <algorithm>

#include "formats/read/metadata_parse.h"

namespace sctrace::read {

namespace {

// No more than metadata_most bytes, whatever the frame promises.
std::string unpacked(std::string_view packed, const std::string& file) {
  const std::unique_ptr<ZSTD_DStream, size_t (*)(ZSTD_DStream*)> stream(ZSTD_createDStream(),
                                                                        ZSTD_freeDStream);
  if (!stream) throw BadTrace(file, 0, "no memory to unpack it");
  ZSTD_DCtx_setParameter(stream.get(), ZSTD_d_windowLogMax, 23);
  const unsigned long long told = ZSTD_getFrameContentSize(packed.data(), packed.size());
  std::string text(std::min<unsigned long long>(told, metadata_most), '\0');  // not told: ~0
  ZSTD_inBuffer from{packed.data(), packed.size(), 0};
  ZSTD_outBuffer to{text.data(), text.size(), 0};
  size_t left = 1;
  while (left) {
    const size_t before = from.pos + to.pos;
    left = ZSTD_decompressStream(stream.get(), &to, &from);
    if (ZSTD_isError(left)) throw BadTrace(file, to.pos, ZSTD_getErrorName(left));
    if (left && from.pos + to.pos == before)
      throw BadTrace(file, to.pos, to.pos == to.size ? "more than anybody says" : "truncated");
  }
  text.resize(to.pos);
  text.shrink_to_fit();
  return text;
}

bool is_packed(std::string_view bytes) { return bytes.starts_with("\x28\xb5\x2f\xfd"); }

}  // namespace

std::shared_ptr<const Table> table_from(std::string_view packed, const std::string& file,
                                        const std::shared_ptr<const Table>& base) {
  auto table = std::make_shared<Table>();
  table->text =
      is_packed(packed) ? unpacked(packed, file) : std::string(packed.substr(0, metadata_most + 1));
  if (table->text.size() > metadata_most) throw BadTrace(file, 0, "more than anybody says");
  MetadataParser(*table, file).parse();
  check_table(*table, file);
  complete(*table, base);
  return table;
}

}  // namespace sctrace::read
