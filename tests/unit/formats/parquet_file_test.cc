#include "formats/parquet_file.h"

#include <filesystem>

#include "formats/thrift.h"
#include "tests/support/catch.h"
#include "tests/support/scratch_trace.h"

using namespace sctrace;

// Whole files are read by DuckDB and hyparquet in tests/views; here is what they would not notice.

TEST_CASE("Thrift's fields are told by their distance, numbers folded", "[formats][parquet]") {
  CHECK(Thrift().number(1, 2).wide(3, -1).done() == std::string("\x15\x04\x26\x01\x00", 5));
  CHECK(Thrift().flag(1, true).flag(2, false).done() == std::string("\x11\x12\x00", 3));
  CHECK(Thrift().text(4, "ab").done() == std::string("\x48\x02"
                                                     "ab\x00",
                                                     5));
  CHECK(Thrift().list(2, 5, {Thrift::element(1)}).done() == std::string("\x29\x15\x02\x00", 4));
}

TEST_CASE("a row that lacks a column is refused", "[formats][parquet]") {
  const std::string path = std::filesystem::temp_directory_path() / "sct-parquet-test";
  Output to(path, Target::binary);
  ParquetFile file(to, {{"a", ParquetFile::Type::int64}, {"b", ParquetFile::Type::text, true}});
  file.put(int64_t{1});
  CHECK_THROWS(file.row());
  file.put_nothing();
  CHECK_NOTHROW(file.row());
}

TEST_CASE("a file without rows is one, too", "[formats][parquet]") {
  const std::string path = std::filesystem::temp_directory_path() / "sct-parquet-empty";
  {
    Output to(path, Target::binary);
    ParquetFile(to, {{"a", ParquetFile::Type::int64}}).end({});
    to.finish();
  }
  const std::string bytes = test::contents(path);
  std::filesystem::remove(path);
  CHECK(bytes.starts_with("PAR1"));
  CHECK(bytes.ends_with("PAR1"));
}
