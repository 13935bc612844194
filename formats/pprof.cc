// profile.proto, gzipped, as `go tool pprof` reads it: calls, time and bytes of each stack, with
// the labels process, thread, pid, tid and syscall to focus on.
#include <fmt/format.h>
#include <zlib.h>

#include <unordered_map>

#include "formats/call_tree.h"
#include "formats/format.h"
#include "formats/phrase.h"
#include "formats/protobuf.h"
#include "formats/utf8.h"

namespace sctrace {

namespace {

using namespace protobuf;

// Packed: all of a repeated field at once.
void put_numbers(std::string& to, uint32_t field, const std::vector<uint64_t>& values) {
  std::string packed;
  for (const uint64_t value : values) put_varint(packed, value);
  put_bytes(to, field, packed);
}

std::string gzipped(const std::string& bytes) {
  z_stream stream{};
  constexpr int gzip_header = 15 + 16;
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_header, 8,
                   Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("zlib has no memory");
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int done = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (done != Z_STREAM_END) throw std::runtime_error("zlib did not finish");
  return out;
}

class Pprof final : public Sink {
 public:
  Pprof(Output& to, const Session& session) : to_(to), session_(session) { text(""); }
  void birth(const Birth& b) override { tree_.birth(b); }
  void name(const Naming& n) override { tree_.name(n); }
  void lost(const Loss& loss) override { tree_.lost(loss); }
  void leave(const Event& e) override {
    tree_.add(e);
    last_ = std::max(last_, e.finished);
  }

  void end(const Losses& losses) override {
    put_bytes(all_, 1, value_type("calls", "count"));
    put_bytes(all_, 1, value_type("time", "nanoseconds"));
    put_bytes(all_, 1, value_type("bytes", "bytes"));
    for (uint32_t node = 1; node < tree_.nodes().size(); ++node) sample(node);
    put_places();
    for (const Missing& one : missing(losses))
      put_number(all_, 13, text(fmt::format("{}: {}", one.what, one.count)));
    put_number(all_, 9, session_.began + static_cast<uint64_t>(session_.wall_offset));
    put_number(all_, 10, last_ > session_.began ? last_ - session_.began : 0);
    put_bytes(all_, 11, value_type("calls", "count"));
    put_number(all_, 12, 1);
    put_number(all_, 14, text("time"));
    for (const std::string& one : texts_) put_bytes(all_, 6, one);
    to_.write(gzipped(all_));
  }

 private:
  uint64_t text(const std::string& may_be_no_utf8) {
    const std::string words = utf8_of(may_be_no_utf8);
    const auto [at, is_new] = text_numbers_.try_emplace(words, texts_.size());
    if (is_new) texts_.push_back(words);
    return at->second;
  }

  std::string value_type(const char* type, const char* unit) {
    std::string message;
    put_number(message, 1, text(type));
    put_number(message, 2, text(unit));
    return message;
  }

  void label(std::string& sample, const char* key, const std::string& words) {
    std::string message;
    put_number(message, 1, text(key));
    put_number(message, 2, text(words));
    put_bytes(sample, 3, message);
  }

  void label(std::string& sample, const char* key, uint64_t number) {
    std::string message;
    put_number(message, 1, text(key));
    put_number(message, 3, number);
    put_bytes(sample, 3, message);
  }

  // One sample a place; its locations from the call outwards. A location is a name: where
  // addresses are known, their symbols are.
  void sample(uint32_t node) {
    const CallTree::Node& one = tree_.nodes()[node];
    if (one.kind != CallTree::Kind::call && one.kind != CallTree::Kind::loss) return;
    std::vector<uint64_t> places;
    std::string message;
    for (uint32_t at = node; at; at = tree_.nodes()[at].parent) {
      const CallTree::Node& part = tree_.nodes()[at];
      places.push_back(part.name + 1);
      if (part.kind == CallTree::Kind::process) label(message, "process", tree_.name_of(at));
      if (part.kind == CallTree::Kind::thread) label(message, "thread", tree_.name_of(at));
    }
    put_numbers(message, 1, places);
    put_numbers(message, 2, {one.self.calls, one.self.ns, one.self.bytes});
    label(message, "pid", one.pid);
    label(message, "tid", one.tid);
    label(message, "syscall", tree_.name_of(node));
    put_bytes(all_, 2, message);
  }

  void put_places() {
    for (uint64_t id = 1; id <= tree_.names().size(); ++id) {
      std::string line, location, function;
      put_number(line, 1, id);
      put_number(location, 1, id);
      put_bytes(location, 4, line);
      put_bytes(all_, 4, location);
      const uint64_t name = text(tree_.names()[id - 1]);
      put_number(function, 1, id);
      put_number(function, 2, name);
      put_number(function, 3, name);
      put_bytes(all_, 5, function);
    }
  }

  Output& to_;
  const Session& session_;
  CallTree tree_;
  uint64_t last_ = 0;
  std::string all_;
  std::vector<std::string> texts_;
  std::unordered_map<std::string, uint64_t> text_numbers_;
};

}  // namespace

extern const Format pprof;
const Format pprof{.name = "pprof",
                   .help = "a profile for `go tool pprof`: calls, time and bytes by stack",
                   .target = Target::binary,
                   .leave = Detail::raw,
                   .open = [](Output& to, const Session& session) -> std::unique_ptr<Sink> {
                     return std::make_unique<Pprof>(to, session);
                   }};

}  // namespace sctrace
