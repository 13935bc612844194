// Parquet, one row a call: for DuckDB, ClickHouse, pandas, Spark. What is missing stands in the
// file's key-value metadata, as sctrace.missing.NAME.
#include <fmt/format.h>

#include "formats/call_tree.h"
#include "formats/format.h"
#include "formats/parquet_file.h"
#include "formats/phrase.h"
#include "formats/row.h"
#include "formats/utf8.h"

namespace sctrace {

namespace {

using Type = ParquetFile::Type;

class Parquet final : public Sink {
 public:
  Parquet(Output& to, const Session& session)
      : session_(session),
        file_(to, {{"ts", Type::timestamp},
                   {"pid", Type::int32},
                   {"tid", Type::int32},
                   {"program", Type::text},
                   {"thread", Type::text},
                   {"nr", Type::int32},
                   {"name", Type::text},
                   {"dur_ns", Type::int64, true},
                   {"result", Type::int64, true},
                   {"errno", Type::text, true},
                   {"bytes", Type::int64},
                   {"fd", Type::int32, true},
                   {"path", Type::text, true},
                   {"text", Type::text},
                   {"stack", Type::text, true}}) {}

  void birth(const Birth& b) override { who_.birth(b); }
  void name(const Naming& n) override { who_.name(n); }
  void lost(const Loss&) override { ++gaps_; }  // how many stands in `missing`

  void leave(const Event& e) override {
    file_.put(static_cast<int64_t>(e.began) + session_.wall_offset);
    file_.put(int64_t{e.pid});
    file_.put(int64_t{e.tid});
    file_.put(utf8_of(who_.program(e.pid)));
    file_.put(utf8_of(who_.thread(e.tid)));
    file_.put(int64_t{e.nr});
    file_.put(e.name);
    if (e.ended)
      file_.put(static_cast<int64_t>(spent(e))), file_.put(e.result);
    else
      file_.put_nothing(), file_.put_nothing();
    put_optional(error_of(e));
    file_.put(static_cast<int64_t>(bytes_of(e)));
    if (const auto fd = descriptor_of(e))
      file_.put(int64_t{*fd});
    else
      file_.put_nothing();
    put_optional(utf8_of(path_of(e)));
    text_.clear();
    put_phrase(text_, e, session_.words);
    utf8_.clear();
    put_utf8(utf8_, text_);
    file_.put(utf8_);
    put_optional(utf8_of(stack_of(e)));
    file_.row();
  }

  void end(const Losses& losses) override {
    std::vector<std::pair<std::string, std::string>> remarks{
        {"sctrace.host", utf8_of(session_.host)},
        {"sctrace.kernel", utf8_of(session_.kernel)},
        {"sctrace.missing.places", fmt::to_string(gaps_)}};
    for (const Missing& one : missing(losses))
      remarks.emplace_back(fmt::format("sctrace.missing.{}", one.name), fmt::to_string(one.count));
    file_.end(remarks);
  }

 private:
  void put_optional(const std::string& text) {
    if (text.empty())
      file_.put_nothing();
    else
      file_.put(text);
  }

  const Session& session_;
  ParquetFile file_;
  Who who_;
  std::string text_, utf8_;
  uint64_t gaps_ = 0;
};

}  // namespace

extern const Format parquet;
const Format parquet{.name = "parquet",
                     .help = "one row a call, zstd, for DuckDB, ClickHouse, pandas",
                     .target = Target::binary,
                     .open = [](Output& to, const Session& session) -> std::unique_ptr<Sink> {
                       return std::make_unique<Parquet>(to, session);
                     }};

}  // namespace sctrace
