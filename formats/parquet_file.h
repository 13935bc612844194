// A Parquet file, written row by row: groups of rows, each column of a group one zstd page, texts
// by dictionary where they repeat, least and greatest of numbers in the footer. No more than one
// group of rows is in memory.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/output.h"

namespace sctrace {

class ParquetFile {
 public:
  enum class Type : uint8_t { int32, int64, timestamp, text };  // timestamp: ns since 1970, UTC
  struct Column {
    std::string_view name;
    Type type;
    bool optional = false;
  };

  ParquetFile(Output& to, std::vector<Column> columns);
  // One value a column and row, columns in their order, then row().
  void put(int64_t number);
  void put(std::string_view text);  // UTF-8
  void put_nothing();               // in an optional column
  void row();
  void end(const std::vector<std::pair<std::string, std::string>>& remarks);

 private:
  struct Values {
    std::vector<int64_t> numbers;
    std::string text;            // one after the other
    std::vector<uint32_t> ends;  // of each in `text`
    std::vector<bool> present;   // optional columns: one a row
    void clear() { numbers.clear(), text.clear(), ends.clear(), present.clear(); }
  };
  struct Chunk {
    std::string meta;  // ColumnMetaData
    uint64_t offset = 0, bytes = 0;
  };
  struct Page {
    std::string body = {};
    uint32_t rows = 0;
    int encoding = 0;
  };
  void flush();
  Chunk write_column(const Column& column, const Values& values);
  uint64_t write_page(int type, const Page& page, uint64_t& uncompressed);
  bool write_dictionary(const Values& values, Page& page, Chunk& chunk, uint64_t& uncompressed,
                        uint64_t& at);

  Output& to_;
  std::vector<Column> columns_;
  std::vector<Values> values_;
  size_t column_ = 0;
  uint64_t rows_ = 0, all_rows_ = 0, bytes_ = 0;
  std::vector<std::string> groups_;
};

}  // namespace sctrace
