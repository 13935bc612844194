#include "rewriter/stub.h"

#include "arch/x86_64/encode.h"

namespace sctrace::rewriter {
namespace {

namespace encode = arch::encode;

// Appends instructions and remembers the first refusal, so that a builder reads as the code that it
// emits.
class Writer {
 public:
  Writer(uint8_t* code, uint64_t address) : code_(code), begin_(address) {}

  uint64_t here() const { return begin_ + size_; }
  Refusal refusal() const { return refusal_; }

  template <size_t size>
  void put(const std::array<uint8_t, size>& bytes) {
    std::memcpy(code_ + size_, bytes.data(), size);
    size_ += size;
  }
  template <size_t size>
  void put(const std::optional<std::array<uint8_t, size>>& bytes) {
    if (bytes)
      put(*bytes);
    else
      refusal_ = Refusal::out_of_reach;
  }
  template <typename T>
  void put_word(T value) {
    std::memcpy(code_ + size_, &value, sizeof value);
    size_ += sizeof value;
  }
  void skip_to(uint64_t address) {
    while (here() + sizeof(uint64_t) <= address) put_word(0xcccc'cccc'cccc'cccc);
    while (here() < address) code_[size_++] = 0xcc;
  }

  // The window of Tactic::mov, which is mov $nr,%eax and no more: most are.
  void move_mov(Stub& stub) {
    encode::Code<jump_bytes> code;
    std::memcpy(code.data(), stub.original, code.size());
    stub.move_count = 1;  // from and to where it began
    put(code);
  }

  // The whole instructions of [from, to) of the text.
  void move(const Bytes& text, uint64_t from, uint64_t to, Stub& stub) {
    while (from < to && refusal_ == Refusal::none) {
      const auto insn = decode(text.from(from), from);
      if (!insn || from + insn->length > to || stub.move_count == moved_max)
        return void(refusal_ = Refusal::unmovable);
      stub.moves[stub.move_count++] = {static_cast<uint8_t>(from - stub.window),
                                       static_cast<uint8_t>(size_)};
      const auto bytes = text.part(from, insn->length);
      if (!insn->rip_at)
        for (size_t i = 0; i < bytes.size(); ++i) code_[size_ + i] = bytes[i];
      else if (!try_relocate(bytes, from, code_ + size_, here()))
        return void(refusal_ = Refusal::out_of_reach);
      size_ += insn->length;
      from += insn->length;
    }
  }

 private:
  uint8_t* code_;
  uint64_t begin_;
  size_t size_ = 0;
  Refusal refusal_ = Refusal::none;
};

constexpr uint64_t aligned(uint64_t value, uint64_t to) { return (value + to - 1) & ~(to - 1); }

Stub describe(const Plan& plan, const Bytes& text, uint64_t address) {
  Stub stub;
  stub.site = plan.site.address;
  stub.begin = address;
  stub.window = plan.window;
  stub.window_bytes = plan.window_bytes;
  stub.tactic = plan.site.tactic;
  stub.resume = stub.site + syscall_bytes;
  if (stub.tactic == Tactic::after) stub.resume = plan.window + plan.window_bytes;
  if (stub.tactic == Tactic::mov) stub.number = text.read<int32_t>(plan.window + 1).value_or(-1);
  const auto window = text.part(plan.window, plan.window_bytes);
  std::memcpy(stub.original, window.data(), window.size());
  const auto site = text.part(stub.site, syscall_bytes);
  if (stub.tactic == Tactic::pad)
    std::memcpy(stub.original + window.size(), site.data(), site.size());
  return stub;
}

// The near half that all tactics share. `behind` more bytes follow its lea; a far trampoline's
// address comes last, where it parts no code.
uint64_t put_entry(Writer& out, uint64_t trampoline, uint64_t behind, uint32_t index) {
  const bool is_near = encode::jump(out.here() + encode::lea_size, trampoline).has_value();
  const uint64_t jump_size = is_near ? encode::jump_size : encode::absolute_jump_size;
  const uint64_t tail = out.here() + encode::lea_size + jump_size + sizeof index + syscall_bytes;
  const uint64_t literal = aligned(tail + encode::lea_size + behind + encode::jump_size, 8);
  out.put(encode::lea_r11(out.here(), tail));
  if (is_near)
    out.put(encode::jump(out.here(), trampoline));
  else
    out.put(encode::absolute_jump(out.here(), literal));
  out.put_word(index);
  out.put(encode::Code<2>{0x0f, 0x05});
  return is_near ? 0 : literal;
}

}  // namespace

Refusal build_stub(const Plan& plan, const Bytes& text, uint64_t address, uint64_t trampoline,
                   uint32_t index, uint8_t* code, Stub& stub) {
  if (plan.window_bytes > window_max) return Refusal::unmovable;
  stub = describe(plan, text, address);
  const uint64_t window_end = plan.window + plan.window_bytes, next = stub.site + syscall_bytes;
  Writer out(code, address);
  if (stub.tactic == Tactic::mov)
    out.move_mov(stub);
  else if (stub.tactic != Tactic::pad)
    out.move(text, plan.window, stub.tactic == Tactic::after ? stub.site : window_end, stub);
  stub.entry_jump = out.here();
  const uint64_t literal = put_entry(out, trampoline, stub.resume - next, index);
  stub.tail = out.here();
  out.put(encode::lea_rcx(out.here(), next));
  if (stub.tactic == Tactic::after) out.move(text, next, window_end, stub);
  out.put(encode::jump(out.here(), stub.resume));
  stub.end = out.here();
  if (literal) out.skip_to(literal), out.put_word(trampoline);
  out.skip_to(aligned(out.here(), stub_align));
  stub.size = static_cast<uint8_t>(out.here() - address);
  return out.refusal();
}

uint64_t original_pc(const Stub& stub, uint64_t pc) {
  if (pc < stub.begin || pc >= stub.end) return stub.site;  // the jump in the padding
  if (pc >= stub.entry_jump && pc < stub.tail) return stub.site;
  if (pc == stub.tail) return stub.site + syscall_bytes;
  if (pc >= stub.end - encode::jump_size) return stub.resume;
  uint64_t original = stub.site + syscall_bytes;
  for (unsigned i = 0; i < stub.move_count; ++i)
    if (stub.begin + stub.moves[i].to <= pc) original = stub.window + stub.moves[i].from;
  return original;
}

bool ends_a_move(const Stub& stub, uint64_t pc) {
  for (unsigned i = 0; i < stub.move_count; ++i) {
    const uint64_t begin = stub.begin + stub.moves[i].to;
    const bool is_first =
        i == 0 || (begin > stub.tail && stub.begin + stub.moves[i - 1].to < stub.tail);
    if (begin == pc && !is_first) return true;
  }
  return pc == stub.entry_jump && stub.move_count &&
         stub.begin + stub.moves[0].to < stub.entry_jump;
}

uint64_t patched_pc(const Stub& stub, uint64_t pc) {
  if (pc == stub.site) return stub.entry_jump;
  for (unsigned i = 0; i < stub.move_count; ++i)
    if (pc != stub.window && pc == stub.window + stub.moves[i].from)
      return stub.begin + stub.moves[i].to;
  return pc;
}

}  // namespace sctrace::rewriter
