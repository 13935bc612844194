// SQLite: a table of calls with indices, who ran, signals, what is missing, and views that answer
// what is mostly asked: summary, latency (quantiles), files, failures, slowest.
#include <fmt/format.h>
#include <sqlite3.h>

#include "formats/call_tree.h"
#include "formats/format.h"
#include "formats/phrase.h"
#include "formats/row.h"
#include "formats/utf8.h"

namespace sctrace {

namespace {

// Times are ns since 1970, durations ns. NULL is what is not known.
constexpr char schema[] = R"(
PRAGMA page_size = 8192; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
PRAGMA cache_size = -65536; PRAGMA locking_mode = EXCLUSIVE;
CREATE TABLE call (id INTEGER PRIMARY KEY, began INTEGER NOT NULL, ns INTEGER, pid INTEGER NOT NULL,
  tid INTEGER NOT NULL, nr INTEGER NOT NULL, name TEXT NOT NULL, result INTEGER, error TEXT,
  bytes INTEGER NOT NULL, fd INTEGER, path TEXT, text TEXT NOT NULL, stack TEXT);
CREATE TABLE life (began INTEGER NOT NULL, pid INTEGER NOT NULL, tid INTEGER NOT NULL,
  parent INTEGER, kind TEXT NOT NULL, name TEXT, program TEXT, arguments TEXT);
CREATE TABLE death (ended INTEGER NOT NULL, pid INTEGER NOT NULL, tid INTEGER NOT NULL,
  how TEXT);
CREATE TABLE signal (at INTEGER NOT NULL, pid INTEGER NOT NULL, tid INTEGER NOT NULL,
  name TEXT NOT NULL, info TEXT);
CREATE TABLE loss (at INTEGER NOT NULL, pid INTEGER NOT NULL, tid INTEGER NOT NULL, calls INTEGER);
CREATE TABLE missing (name TEXT PRIMARY KEY, what TEXT NOT NULL, count INTEGER NOT NULL);
CREATE VIEW summary AS SELECT name, count(ns) AS calls, count(error) AS errors,
  count(*) - count(ns) AS unfinished, total(ns) AS ns, avg(ns) AS mean, max(ns) AS longest,
  sum(bytes) AS bytes FROM call GROUP BY name ORDER BY total(ns) DESC;
CREATE VIEW latency AS WITH ranked AS (SELECT name, ns,
    row_number() OVER (PARTITION BY name ORDER BY ns) AS place,
    count(*) OVER (PARTITION BY name) AS calls FROM call WHERE ns IS NOT NULL)
  SELECT name, max(calls) AS calls, min(CASE WHEN place >= 0.5 * calls THEN ns END) AS p50,
    min(CASE WHEN place >= 0.9 * calls THEN ns END) AS p90,
    min(CASE WHEN place >= 0.99 * calls THEN ns END) AS p99,
    min(CASE WHEN place >= 0.999 * calls THEN ns END) AS p999, max(ns) AS longest
  FROM ranked GROUP BY name;
CREATE VIEW files AS SELECT path, count(*) AS calls, count(error) AS errors, total(ns) AS ns,
  sum(bytes) AS bytes FROM call WHERE path IS NOT NULL GROUP BY path ORDER BY total(ns) DESC;
CREATE VIEW failures AS SELECT name, error, count(*) AS calls FROM call WHERE error IS NOT NULL
  GROUP BY name, error ORDER BY count(*) DESC;
CREATE VIEW slowest AS SELECT * FROM call WHERE ns IS NOT NULL ORDER BY ns DESC LIMIT 100;
BEGIN;
)";

constexpr char indices[] = R"(
CREATE INDEX call_by_time ON call (began);
CREATE INDEX call_by_name ON call (name, ns);
CREATE INDEX call_by_thread ON call (tid, began);
CREATE INDEX call_by_path ON call (path) WHERE path IS NOT NULL;
COMMIT;
)";

class Sqlite final : public Sink {
 public:
  Sqlite(Output& to, const Session& session) : session_(session), path_(to.own_path()) {
    constexpr int how = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    check(sqlite3_open_v2(path_.c_str(), &base_, how, nullptr));  // one thread at a time
    execute(schema);
    call_ = prepared("INSERT INTO call VALUES (NULL,?,?,?,?,?,?,?,?,?,?,?,?,?)");
    life_ = prepared("INSERT INTO life VALUES (?,?,?,?,?,?,?,?)");
    death_ = prepared("INSERT INTO death VALUES (?,?,?,?)");
    signal_ = prepared("INSERT INTO signal VALUES (?,?,?,?,?)");
    loss_ = prepared("INSERT INTO loss VALUES (?,?,?,?)");
    missing_ = prepared("INSERT INTO missing VALUES (?,?,?)");
  }
  ~Sqlite() override { close(); }
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;

  void leave(const Event& e) override {
    begin(call_, e.began);
    e.ended ? bind(spent(e)) : nothing();
    bind(e.pid), bind(e.tid), bind(e.nr), bind(e.name);
    e.ended ? bind(e.result) : nothing();
    maybe(error_of(e));
    bind(bytes_of(e));
    const auto fd = descriptor_of(e);
    fd ? bind(*fd) : nothing();
    maybe(utf8_of(path_of(e)));
    bind(utf8_of(phrase(e, session_.words)));
    maybe(utf8_of(stack_of(e)));
    step();
  }

  void birth(const Birth& b) override {
    begin(life_, b.when);
    bind(b.pid), bind(b.tid);
    b.parent ? bind(b.parent) : nothing();
    bind(b.kind == Birth::Kind::thread    ? "thread"
         : b.kind == Birth::Kind::process ? "process"
                                          : "program");
    maybe(utf8_of(b.name));
    std::string all;
    if (b.program)
      for (const std::string& one : b.program->arguments) all += (all.empty() ? "" : " ") + one;
    maybe(b.program ? utf8_of(b.program->path) : "");
    maybe(utf8_of(all));
    step();
  }

  void death(const Death& d) override {
    begin(death_, d.when);
    bind(d.pid), bind(d.tid);
    maybe(phrase(d));
    step();
  }

  void signal(const Arrival& a) override {
    begin(signal_, a.when);
    bind(a.pid), bind(a.tid), bind(a.name);
    maybe(utf8_of(shown(a.info, session_.words)));
    step();
  }

  void lost(const Loss& l) override {
    begin(loss_, l.when);
    bind(l.pid), bind(l.tid);
    l.calls ? bind(l.calls) : nothing();
    step();
  }

  void end(const Losses& losses) override {
    for (const Missing& one : missing(losses)) {
      current_ = missing_, column_ = 0;
      bind(one.name), bind(one.what), bind(one.count);
      step();
    }
    execute(indices);
    close();
  }

 private:
  void check(int status) const {
    if (status != SQLITE_OK && status != SQLITE_DONE && status != SQLITE_ROW)
      throw OutputFailed(path_, base_ ? sqlite3_errmsg(base_) : sqlite3_errstr(status));
  }
  void execute(const char* text) { check(sqlite3_exec(base_, text, nullptr, nullptr, nullptr)); }
  sqlite3_stmt* prepared(const char* text) {
    sqlite3_stmt* made = nullptr;
    check(sqlite3_prepare_v2(base_, text, -1, &made, nullptr));
    return made;
  }

  void begin(sqlite3_stmt* statement, uint64_t when) {
    current_ = statement, column_ = 0;
    bind(static_cast<int64_t>(when) + session_.wall_offset);
  }
  template <typename Number>
  requires std::is_integral_v<Number>
  void bind(Number number) {
    check(sqlite3_bind_int64(current_, ++column_, static_cast<sqlite3_int64>(number)));
  }
  void bind(std::string_view text) {  // a copy: it may be gone at step()
    check(sqlite3_bind_text(current_, ++column_, text.data(), static_cast<int>(text.size()),
                            SQLITE_TRANSIENT));
  }
  void nothing() { check(sqlite3_bind_null(current_, ++column_)); }
  void maybe(std::string_view text) { text.empty() ? nothing() : bind(text); }
  void step() {
    check(sqlite3_step(current_));
    check(sqlite3_reset(current_));
  }
  void close() {
    for (sqlite3_stmt* one : {call_, life_, death_, signal_, loss_, missing_})
      sqlite3_finalize(one);
    call_ = life_ = death_ = signal_ = loss_ = missing_ = nullptr;
    sqlite3_close(base_);
    base_ = nullptr;
  }

  const Session& session_;
  std::string path_;
  sqlite3* base_ = nullptr;
  sqlite3_stmt *call_ = nullptr, *life_ = nullptr, *death_ = nullptr, *signal_ = nullptr,
               *loss_ = nullptr, *missing_ = nullptr, *current_ = nullptr;
  int column_ = 0;
};

}  // namespace

extern const Format sqlite;
const Format sqlite{.name = "sqlite",
                    .help = "an indexed database of calls, with views: summary, latency, files …",
                    .target = Target::file,
                    .open = [](Output& to, const Session& session) -> std::unique_ptr<Sink> {
                      return std::make_unique<Sqlite>(to, session);
                    }};

}  // namespace sctrace
