#include "formats/device/packed.h"

#include <algorithm>
#include <cstring>

#include "formats/bytes.h"

namespace sctrace::device {

namespace {

enum class Word : uint16_t {
  trace = 65,
  signals,
  limit,
  patience,
  cont,
  step,
  skip,
  result,
  set,
  get,
  deliver,
  drop,
  signal,
  call,
  text,
};

// What is left of a frame; reading beyond its end makes it bad.
class Reader {
 public:
  explicit Reader(std::string_view left) : left_(left) {}
  template <class Number>
  Number take() {
    Number n{};
    if (left_.size() < sizeof n) return bad_ = true, n;
    std::memcpy(&n, left_.data(), sizeof n);
    left_.remove_prefix(sizeof n);
    return n;
  }
  std::string_view take_bytes(uint64_t n) {
    if (n > left_.size()) return bad_ = true, std::string_view();
    const std::string_view bytes = left_.substr(0, n);
    left_.remove_prefix(std::min<size_t>((n + 7) & ~size_t{7}, left_.size()));
    return bytes;
  }
  std::string_view rest() const { return left_; }
  bool is_bad() const { return bad_; }

 private:
  std::string_view left_;
  bool bad_ = false;
};

void fill_up(std::string& to) { to.append((8 - to.size() % 8) % 8, '\0'); }

void put_bytes(std::string& to, std::string_view bytes) {
  to.append(bytes);
  fill_up(to);
}

// A buffer is cut to `limit` bytes, as it is in a line; what structs lead to is whole.
void put_call(std::string& to, const read::Call& call, uint64_t limit) {
  put(to, call.nr);
  put(to, static_cast<uint32_t>(call.memory.size()));
  for (const uint64_t argument : call.args) put(to, argument);
  for (const read::Piece& piece : call.memory) {
    const bool is_buffer = piece.cut || piece.wanted > limit;
    const size_t n = is_buffer
                         ? std::min<size_t>(piece.bytes.size(), std::max<uint64_t>(limit, 256))
                         : piece.bytes.size();
    put(to, piece.address);
    put(to, std::max<uint64_t>(piece.wanted, piece.bytes.size()));
    put(to, static_cast<uint32_t>(n));
    put(to, uint32_t{n < piece.bytes.size() || piece.cut});
    put_bytes(to, {reinterpret_cast<const char*>(piece.bytes.data()), n});
  }
}

std::string payload_of(const Report& report, uint64_t limit) {
  using Kind = Report::Kind;
  std::string to;
  switch (report.kind) {
    case Kind::call: put_call(to, *report.call, limit); break;
    case Kind::signal:
      put(to, report.number);
      to += report.bytes;
      break;
    case Kind::data:
      put(to, uint64_t{report.bytes.size()});
      to += report.bytes;
      break;
    case Kind::exec:
    case Kind::error: to = report.bytes; break;
    case Kind::result:
    case Kind::fork:
    case Kind::exit:
    case Kind::lost: put(to, report.number); break;
    case Kind::withdrawn:
    case Kind::late:
    case Kind::gone: break;
  }
  fill_up(to);
  return to;
}

std::string_view without_zeroes(std::string_view text) { return text.substr(0, text.find('\0')); }

std::string call_in(Reader& in, Command& made) {
  made.number = in.take<uint32_t>();
  const uint32_t blocks = in.take<uint32_t>();
  for (uint64_t& argument : made.args) argument = in.take<uint64_t>();
  for (uint32_t i = 0; i < blocks && !in.is_bad(); ++i) {
    const auto length = in.take<uint32_t>(), pointers = in.take<uint32_t>();
    Command::Block& block = made.blocks.emplace_back();
    block.argument = in.take<uint32_t>();
    in.take<uint32_t>();
    block.bytes = in.take_bytes(length);
    for (uint32_t n = 0; n < pointers && !in.is_bad(); ++n) {
      const auto where = in.take<uint32_t>(), to = in.take<uint32_t>();
      block.pointers.emplace_back(where, to);
      if (where % 8 || where + uint64_t{8} > block.bytes.size() || to >= blocks)
        return "a pointer that is in no block, or leads to none";
    }
    if (block.argument > 6) return "a block for no argument";
  }
  return {};
}

std::string fill(Word word, uint16_t n, Reader& in, Command& made) {
  using Verb = Command::Verb;
  const auto number = [&](Verb verb) {
    return made.verb = verb, made.result = in.take<int64_t>(), std::string();
  };
  const auto length = [&](Verb verb) {
    return made.verb = verb, made.length = in.take<uint64_t>(), std::string();
  };
  switch (word) {
    case Word::trace: made.verb = Verb::trace, made.text = without_zeroes(in.rest()); return {};
    case Word::signals: return made.verb = Verb::signals, made.on = in.take<uint64_t>(), "";
    case Word::limit: return length(Verb::limit);
    case Word::patience: return length(Verb::patience);
    case Word::cont: return made.verb = Verb::cont, "";
    case Word::step: return made.verb = Verb::step, "";
    case Word::deliver: return made.verb = Verb::deliver, "";
    case Word::drop: return made.verb = Verb::drop, "";
    case Word::text: return made.verb = Verb::text, "";
    case Word::skip: return number(Verb::skip);
    case Word::result: return number(Verb::result);
    case Word::signal:
      number(Verb::signal);
      return made.result >= 1 && made.result <= 64 ? "" : "expected a signal";
    case Word::set:
    case Word::get: {
      made.verb = word == Word::set ? Verb::set : Verb::get;
      if (n < 1 || n > 6) return "expected an argument from 1 to 6";
      made.argument = n - 1u;
      if (word == Word::set) return made.text = in.take_bytes(in.take<uint64_t>()), "";
      made.ranged = !in.rest().empty();
      if (made.ranged) made.offset = in.take<uint64_t>(), made.length = in.take<uint64_t>();
      return {};
    }
    case Word::call: return made.verb = Verb::made, call_in(in, made);
  }
  return "no frame of the protocol";
}

}  // namespace

size_t frame_length(std::string_view bytes) {
  if (bytes.size() < sizeof(uint32_t)) return 0;
  uint32_t length;
  std::memcpy(&length, bytes.data(), sizeof length);
  return length < frame_head || length % 8 || length > longest_frame ? bytes.npos : length;
}

uint16_t kind_of(std::string_view frame) {
  uint16_t kind = 0;
  if (frame.size() >= frame_head) std::memcpy(&kind, frame.data() + 4, sizeof kind);
  return kind;
}

std::string as_frame(const Report& report, uint64_t limit) {
  using Kind = Report::Kind;
  const std::string payload = payload_of(report, limit);
  std::string to;
  put(to, static_cast<uint32_t>(frame_head + payload.size()));
  put(to, static_cast<uint16_t>(report.kind));
  const bool counts = report.kind == Kind::data;
  put(to, static_cast<uint16_t>(counts ? report.argument + 1 : report.argument));
  put(to, report.pid);
  put(to, report.tid);
  return to + payload;
}

std::string parse_frame(std::string_view frame, Command& made) {
  Reader in(frame);
  made = {};
  in.take<uint32_t>();
  const auto kind = in.take<uint16_t>(), n = in.take<uint16_t>();
  made.pid = in.take<uint32_t>(), made.tid = in.take<uint32_t>();
  std::string wrong = fill(static_cast<Word>(kind), n, in, made);
  if (wrong.empty() && in.is_bad()) wrong = "it is shorter than what it says";
  return wrong;
}

}  // namespace sctrace::device
