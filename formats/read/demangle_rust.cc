// Rust's names since "v0" (RFC 2603): a path in prefix notation, types and constants among its
// generic arguments, references back into the name itself. Shown as Rust writes them, without the
// hashes of crates. Whatever makes no sense, nests too deep or grows too long is left as it was.
#include <fmt/format.h>

#include <cstdint>

#include "formats/read/demangle.h"

namespace sctrace::read {

namespace {

constexpr int deepest = 64;
constexpr size_t longest_output = 8192;  // back references may double what they are in

struct Wrong {};

class Rust {
 public:
  explicit Rust(std::string_view name) : in_(name) {}

  std::string all() {
    path(true);
    if (at_ < in_.size() && in_[at_] != '.' && in_[at_] != '$') {  // the crate that wanted it
      quiet_ = true;
      path(false);
    }
    if (at_ < in_.size() && in_[at_] != '.' && in_[at_] != '$') throw Wrong();
    return std::move(out_);
  }

 private:
  struct Deeper {
    explicit Deeper(Rust& r) : rust(r) {
      if (++rust.depth_ > deepest) throw Wrong();
    }
    ~Deeper() { --rust.depth_; }
    Rust& rust;
  };

  char next() {
    if (at_ == in_.size()) throw Wrong();
    return in_[at_++];
  }
  bool ate(char c) {
    if (at_ == in_.size() || in_[at_] != c) return false;
    ++at_;
    return true;
  }
  void put(std::string_view text) {
    if (quiet_) return;
    if (out_.size() + text.size() > longest_output) throw Wrong();
    out_ += text;
  }

  uint64_t decimal() {
    uint64_t n = 0;
    bool any = false;
    for (; at_ < in_.size() && in_[at_] >= '0' && in_[at_] <= '9'; any = true) {
      n = n * 10 + static_cast<uint64_t>(in_[at_++] - '0');
      if (n > in_.size()) throw Wrong();
      if (n == 0) return 0;  // no zeros in front
    }
    if (!any) throw Wrong();
    return n;
  }

  uint64_t base62() {
    if (ate('_')) return 0;
    uint64_t n = 0;
    for (char c; (c = next()) != '_';) {
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'z' ? c - 'a' + 10
                        : c >= 'A' && c <= 'Z' ? c - 'A' + 36
                                               : -1;
      if (digit < 0 || n > (UINT64_MAX - 63) / 62) throw Wrong();
      n = n * 62 + static_cast<uint64_t>(digit);
    }
    return n + 1;
  }
  uint64_t optional(char mark) { return ate(mark) ? base62() + 1 : 0; }

  std::string identifier() {
    const bool encoded = ate('u');
    const uint64_t n = decimal();
    ate('_');
    if (n > in_.size() - at_) throw Wrong();
    const std::string text(in_.substr(at_, n));
    at_ += n;
    return encoded ? "punycode{" + text + '}' : text;
  }

  template <class Read>
  void back(Read read) {
    const size_t from = at_ - 1;
    const uint64_t to = base62();
    if (to >= from) throw Wrong();
    if (quiet_) return;
    const size_t here = at_;
    at_ = to;
    read();
    at_ = here;
  }

  void path(bool is_value) {
    const Deeper deeper(*this);
    switch (const char tag = next(); tag) {
      case 'C': optional('s'), put(identifier()); return;
      case 'N': return nested(is_value);
      case 'M':
      case 'X': {
        optional('s');
        const bool was = quiet_;
        quiet_ = true;
        path(false);
        quiet_ = was;
        return implemented(tag == 'X');
      }
      case 'Y': return implemented(true);
      case 'I':
        path(is_value);
        if (is_value) put("::");
        put("<");
        list([&] { argument(); });
        return put(">");
      case 'B': return back([&] { path(is_value); });
      default: throw Wrong();
    }
  }

  void nested(bool is_value) {
    const char space = next();
    path(is_value);
    const uint64_t which = optional('s');
    const std::string name = identifier();
    if (space >= 'A' && space <= 'Z') {
      put(space == 'C' ? "::{closure" : space == 'S' ? "::{shim" : fmt::format("::{{{}", space));
      if (!name.empty()) put(':' + name);
      put(fmt::format("#{}}}", which));
    } else if (space < 'a' || space > 'z') {
      throw Wrong();
    } else if (!name.empty()) {
      put("::" + name);
    }
  }

  void implemented(bool of_trait) {
    put("<");
    type();
    if (of_trait) put(" as "), path(false);
    put(">");
  }

  template <class Read>
  size_t list(Read read, std::string_view between = ", ") {
    size_t n = 0;
    for (; !ate('E'); ++n) {
      if (n) put(between);
      read();
    }
    return n;
  }

  void argument() {
    if (ate('L'))
      lifetime(base62());
    else if (ate('K'))
      constant();
    else
      type();
  }

  void lifetime(uint64_t index) {
    if (!index) return put("'_");
    if (index > bound_) throw Wrong();
    const uint64_t n = bound_ - index;
    put(n < 26 ? fmt::format("'{}", static_cast<char>('a' + n)) : fmt::format("'_{}", n));
  }

  template <class Read>
  void binding(Read read) {
    const uint64_t n = optional('G');
    if (n > 1024) throw Wrong();
    if (n) {
      put("for<");
      for (uint64_t i = 0; i < n; ++i) {
        if (i) put(", ");
        ++bound_;
        lifetime(1);
      }
      put("> ");
    }
    read();
    bound_ -= n;
  }

  static std::string_view basic(char c) {
    switch (c) {
      case 'a': return "i8";
      case 'b': return "bool";
      case 'c': return "char";
      case 'd': return "f64";
      case 'e': return "str";
      case 'f': return "f32";
      case 'h': return "u8";
      case 'i': return "isize";
      case 'j': return "usize";
      case 'l': return "i32";
      case 'm': return "u32";
      case 'n': return "i128";
      case 'o': return "u128";
      case 's': return "i16";
      case 't': return "u16";
      case 'u': return "()";
      case 'v': return "...";
      case 'x': return "i64";
      case 'y': return "u64";
      case 'z': return "!";
      case 'p': return "_";
      default: return {};
    }
  }

  void type() {
    const Deeper deeper(*this);
    const char tag = next();
    if (const std::string_view name = basic(tag); !name.empty()) return put(name);
    switch (tag) {
      case 'R':
      case 'Q':
        put("&");
        if (ate('L'))
          if (const uint64_t index = base62()) lifetime(index), put(" ");
        if (tag == 'Q') put("mut ");
        return type();
      case 'P': put("*const "); return type();
      case 'O': put("*mut "); return type();
      case 'A': put("["), type(), put("; "), constant(); return put("]");
      case 'S': put("["), type(); return put("]");
      case 'T': {
        put("(");
        if (list([&] { type(); }) == 1) put(",");
        return put(")");
      }
      case 'F': return binding([&] { function(); });
      case 'D':
        put("dyn ");
        binding([&] { list([&] { bound(); }, " + "); });
        if (!ate('L')) throw Wrong();
        if (const uint64_t index = base62()) put(" + "), lifetime(index);
        return;
      case 'B': return back([&] { type(); });
      default: --at_; return path(false);
    }
  }

  void function() {
    if (ate('U')) put("unsafe ");
    if (ate('K')) {
      std::string abi = ate('C') ? "C" : identifier();
      for (char& c : abi)
        if (c == '_') c = '-';
      put("extern \"" + abi + "\" ");
    }
    put("fn(");
    list([&] { type(); });
    put(")");
    if (ate('u')) return;
    put(" -> ");
    type();
  }

  // A trait, with what its associated types are among its arguments.
  void bound() {
    path(false);
    bool open = false;
    while (ate('p')) {
      if (!open && !quiet_ && out_.ends_with('>'))
        out_.pop_back(), put(", ");
      else
        put(open ? ", " : "<");
      open = true;
      put(identifier() + " = ");
      type();
    }
    if (open) put(">");
  }

  void constant() {
    const Deeper deeper(*this);
    if (ate('p')) return put("_");
    if (ate('B')) return back([&] { constant(); });
    const char kind = next();
    if (basic(kind).empty()) throw Wrong();
    const bool negative = ate('n');
    const size_t begin = at_;
    while (next() != '_') continue;
    const std::string_view digits = in_.substr(begin, at_ - begin - 1);
    uint64_t n = 0;
    for (char c : digits) {
      const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
      if (digit < 0) throw Wrong();
      n = n << 4 | static_cast<uint64_t>(digit);
    }
    if (kind == 'b') return put(n ? "true" : "false");
    if (kind == 'c' && n >= ' ' && n < 0x7f) return put(fmt::format("'{}'", static_cast<char>(n)));
    if (kind == 'c') return put(fmt::format("'\\u{{{:x}}}'", n));
    if (negative) put("-");
    put(digits.size() > 16 ? "0x" + std::string(digits) : fmt::format("{}", n));
  }

  std::string_view in_;
  std::string out_;
  size_t at_ = 0;
  int depth_ = 0;
  uint64_t bound_ = 0;  // lifetimes that `for` around this place has named
  bool quiet_ = false;  // read, and not shown
};

}  // namespace

std::string demangled_rust(std::string_view name) {
  const std::string whole(name);
  name.remove_prefix(2);  // _R
  try {
    return Rust(name).all();
  } catch (const Wrong&) {
    return whole;
  }
}

}  // namespace sctrace::read
