#include "formats/parquet_file.h"

#include <zstd.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>
#include <unordered_map>

#include "formats/thrift.h"

namespace sctrace {

namespace {

constexpr uint64_t rows_a_group = 100'000, bytes_a_group = 48 << 20;
constexpr size_t dictionary_limit = 65536;

// Of Parquet's enums.
enum Physical { int32 = 1, int64 = 2, byte_array = 6 };
enum Encoding { plain = 0, rle = 3, rle_dictionary = 8 };
enum PageType { data_page = 0, dictionary_page = 2 };
constexpr int zstd_codec = 6;

int physical(ParquetFile::Type type) {
  switch (type) {
    case ParquetFile::Type::int32: return int32;
    case ParquetFile::Type::int64:
    case ParquetFile::Type::timestamp: return int64;
    case ParquetFile::Type::text: return byte_array;
  }
  return int64;
}

void put_varint(std::string& to, uint64_t value) {
  for (; value > 0x7f; value >>= 7) to += static_cast<char>(value | 0x80);
  to += static_cast<char>(value);
}

template <typename T>
void put_little(std::string& to, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  to.append(bytes, sizeof bytes);
}

// Numbers of `width` bits as one bit-packed run of the RLE hybrid, filled up to eights.
template <typename Numbers>
void put_packed(std::string& to, const Numbers& numbers, unsigned width) {
  const size_t eights = (numbers.size() + 7) / 8;
  put_varint(to, eights << 1 | 1);
  uint64_t bits = 0;
  unsigned held = 0;
  for (size_t i = 0; i < eights * 8; ++i) {
    bits |= (i < numbers.size() ? static_cast<uint64_t>(numbers[i]) : 0) << held;
    for (held += width; held >= 8; held -= 8, bits >>= 8) to += static_cast<char>(bits);
  }
}

std::string levels(const std::vector<bool>& present) {
  std::string packed, all;
  put_packed(packed, present, 1);
  put_little(all, static_cast<uint32_t>(packed.size()));
  return all + packed;
}

std::string little(int64_t value, ParquetFile::Type type) {
  std::string all;
  if (type == ParquetFile::Type::int32)
    put_little(all, static_cast<int32_t>(value));
  else
    put_little(all, value);
  return all;
}

std::string_view text_at(const std::string& text, const std::vector<uint32_t>& ends, size_t at) {
  const uint32_t begin = at ? ends[at - 1] : 0;
  return std::string_view(text).substr(begin, ends[at] - begin);
}

std::string schema_element(const ParquetFile::Column& column) {
  Thrift element;
  element.number(1, physical(column.type)).number(3, column.optional).text(4, column.name);
  if (column.type == ParquetFile::Type::text)
    element.number(6, 0).inner(10, Thrift().inner(1, Thrift()));
  if (column.type == ParquetFile::Type::timestamp)
    element.inner(10,
                  Thrift().inner(8, Thrift().flag(1, true).inner(2, Thrift().inner(3, Thrift()))));
  return element.done();
}

}  // namespace

ParquetFile::ParquetFile(Output& to, std::vector<Column> columns)
    : to_(to), columns_(std::move(columns)), values_(columns_.size()) {
  to_.write("PAR1");
}

void ParquetFile::put(int64_t number) {
  Values& values = values_[column_];
  values.numbers.push_back(number);
  if (columns_[column_++].optional) values.present.push_back(true);
}

void ParquetFile::put(std::string_view text) {
  Values& values = values_[column_];
  values.text += text;
  values.ends.push_back(static_cast<uint32_t>(values.text.size()));
  if (columns_[column_++].optional) values.present.push_back(true);
  bytes_ += text.size();
}

void ParquetFile::put_nothing() { values_[column_++].present.push_back(false); }

void ParquetFile::row() {
  if (column_ != columns_.size()) throw std::logic_error("a row of Parquet lacks columns");
  column_ = 0;
  if (++rows_ >= rows_a_group || bytes_ >= bytes_a_group) flush();
}

// A page with its header; how many bytes it took in the file.
uint64_t ParquetFile::write_page(int type, const Page& page, uint64_t& uncompressed) {
  std::string packed(ZSTD_compressBound(page.body.size()), '\0');
  const size_t n =
      ZSTD_compress(packed.data(), packed.size(), page.body.data(), page.body.size(), 3);
  if (ZSTD_isError(n)) throw std::runtime_error(std::string("zstd: ") + ZSTD_getErrorName(n));
  packed.resize(n);
  Thrift head;
  head.number(1, type)
      .number(2, static_cast<int32_t>(page.body.size()))
      .number(3, static_cast<int32_t>(n));
  const auto rows = static_cast<int32_t>(page.rows);
  if (type == data_page)
    head.inner(5, Thrift().number(1, rows).number(2, page.encoding).number(3, rle).number(4, rle));
  else
    head.inner(7, Thrift().number(1, rows).number(2, plain));
  const std::string bytes = head.done();
  to_.write(bytes);
  to_.write(packed);
  uncompressed += bytes.size() + page.body.size();
  return bytes.size() + n;
}

// The different texts of a chunk, and in `page` which of them each is. False: too many to be worth
// it.
bool ParquetFile::write_dictionary(const Values& values, Page& page, Chunk& chunk,
                                   uint64_t& uncompressed, uint64_t& at) {
  std::unordered_map<std::string_view, uint32_t> numbers;
  std::vector<uint32_t> which;
  Page words{.encoding = plain};
  for (size_t i = 0; i < values.ends.size(); ++i) {
    const std::string_view text = text_at(values.text, values.ends, i);
    const auto [found, is_new] = numbers.try_emplace(text, static_cast<uint32_t>(numbers.size()));
    if (is_new) {
      put_little(words.body, static_cast<uint32_t>(text.size()));
      words.body += text;
      if (numbers.size() > dictionary_limit) return false;
    }
    which.push_back(found->second);
  }
  if (numbers.empty() || numbers.size() * 2 > which.size() + 16) return false;
  words.rows = static_cast<uint32_t>(numbers.size());
  at = to_.position();
  chunk.bytes += write_page(dictionary_page, words, uncompressed);
  const auto width =
      static_cast<unsigned>(std::max<uint64_t>(1, std::bit_width(uint64_t{numbers.size() - 1})));
  page.body += static_cast<char>(width);
  put_packed(page.body, which, width);
  page.encoding = rle_dictionary;
  return true;
}

ParquetFile::Chunk ParquetFile::write_column(const Column& column, const Values& values) {
  Chunk chunk;
  Page page{.rows = static_cast<uint32_t>(rows_)};
  uint64_t uncompressed = 0, dictionary = 0;
  if (column.optional) page.body = levels(values.present);
  const bool by_word =
      column.type == Type::text && write_dictionary(values, page, chunk, uncompressed, dictionary);
  if (column.type != Type::text)
    for (const int64_t number : values.numbers) page.body += little(number, column.type);
  else if (!by_word)
    for (size_t i = 0; i < values.ends.size(); ++i) {
      const std::string_view text = text_at(values.text, values.ends, i);
      put_little(page.body, static_cast<uint32_t>(text.size()));
      page.body += text;
    }
  chunk.offset = to_.position();
  chunk.bytes += write_page(data_page, page, uncompressed);
  Thrift meta;
  std::vector<std::string> encodings{Thrift::element(plain), Thrift::element(rle)};
  if (by_word) encodings.push_back(Thrift::element(rle_dictionary));
  meta.number(1, physical(column.type))
      .list(2, 5, encodings)
      .list(3, 8, {Thrift::element(column.name)})
      .number(4, zstd_codec)
      .wide(5, static_cast<int64_t>(rows_))
      .wide(6, static_cast<int64_t>(uncompressed))
      .wide(7, static_cast<int64_t>(chunk.bytes))
      .wide(9, static_cast<int64_t>(chunk.offset));
  if (by_word) meta.wide(11, static_cast<int64_t>(dictionary));
  if (!values.numbers.empty()) {
    const auto [least, most] = std::minmax_element(values.numbers.begin(), values.numbers.end());
    meta.inner(12, Thrift()
                       .wide(3, static_cast<int64_t>(rows_ - values.numbers.size()))
                       .text(5, little(*most, column.type))
                       .text(6, little(*least, column.type)));
  }
  chunk.meta = meta.done();
  return chunk;
}

void ParquetFile::flush() {
  if (!rows_) return;
  std::vector<std::string> chunks;
  uint64_t bytes = 0;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const Chunk chunk = write_column(columns_[i], values_[i]);
    // ColumnChunk: where it is, and its ColumnMetaData (a struct that is encoded already).
    std::string one = Thrift().wide(2, static_cast<int64_t>(chunk.offset)).done();
    one.back() = '\x1c';  // field 3, one further: a struct
    chunks.push_back(one + chunk.meta + '\0');
    bytes += chunk.bytes;
    values_[i].clear();
  }
  groups_.push_back(Thrift()
                        .list(1, 12, chunks)
                        .wide(2, static_cast<int64_t>(bytes))
                        .wide(3, static_cast<int64_t>(rows_))
                        .done());
  all_rows_ += rows_;
  rows_ = bytes_ = 0;
}

void ParquetFile::end(const std::vector<std::pair<std::string, std::string>>& remarks) {
  flush();
  std::vector<std::string> schema{
      Thrift().text(4, "calls").number(5, static_cast<int32_t>(columns_.size())).done()};
  std::vector<std::string> orders, pairs;
  for (const Column& column : columns_) {
    schema.push_back(schema_element(column));
    orders.push_back(Thrift().inner(1, Thrift()).done());  // as the type orders
  }
  for (const auto& [key, value] : remarks)
    pairs.push_back(Thrift().text(1, key).text(2, value).done());
  const std::string footer = Thrift()
                                 .number(1, 2)
                                 .list(2, 12, schema)
                                 .wide(3, static_cast<int64_t>(all_rows_))
                                 .list(4, 12, groups_)
                                 .list(5, 12, pairs)
                                 .text(6, "sctrace 0.1.0")
                                 .list(7, 12, orders)
                                 .done();
  to_.write(footer);
  std::string tail;
  put_little(tail, static_cast<uint32_t>(footer.size()));
  to_.write(tail + "PAR1");
}

}  // namespace sctrace
