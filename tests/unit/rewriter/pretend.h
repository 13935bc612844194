// An object made of nothing but bytes: code with its functions in brackets, and the sections that
// say so.
//   Pretend{"[b827000000 0f05 c3] cccccccccc [c3]"}
#pragma once
#include <cstring>
#include <string>
#include <vector>

#include "rewriter/plan.h"
#include "tests/support/hex.h"

namespace sctrace::test {

struct Pretend {
  struct Range {
    uint64_t begin, end;
  };
  uint64_t address;
  std::vector<uint8_t> text, hdr, frames;
  std::vector<Range> functions;
  uint64_t lsda = 0;  // where frames hold `table`, once add_lsda() was called

  explicit Pretend(const std::string& code, uint64_t at = 0x400000) : address(at) {
    std::string piece;
    const auto flush = [&] {
      for (uint8_t byte : hex(piece)) text.push_back(byte);
      piece.clear();
    };
    for (char c : code) {
      if (c != '[' && c != ']') {
        piece += c;
        continue;
      }
      flush();
      if (c == '[')
        functions.push_back({address + text.size(), 0});
      else
        functions.back().end = address + text.size();
    }
    flush();
    write_sections();
  }

  uint64_t hdr_address() const { return address + 0x100000; }
  uint64_t frames_address() const { return address + 0x200000; }

  rewriter::Object object() const {
    rewriter::Object object;
    object.text = {text, address};
    object.eh_frame_hdr = {hdr, hdr_address()};
    object.frames = {frames, frames_address()};
    return object;
  }

  // Gives every function an exception table: its own bytes, appended to the frames.
  void add_lsda(const std::string& table) {
    const std::vector<uint8_t> bytes = hex(table);
    lsda = frames_address() + 0x1000;
    write_sections();
    frames.resize(0x1000);
    frames.insert(frames.end(), bytes.begin(), bytes.end());
  }

  // Bytes that read-only data would hold, at an address behind the frames.
  uint64_t add_data(const std::string& data, size_t offset = 0x2000) {
    const std::vector<uint8_t> bytes = hex(data);
    frames.resize(offset);
    frames.insert(frames.end(), bytes.begin(), bytes.end());
    return frames_address() + offset;
  }

  void write_sections() {
    frames.clear(), hdr.clear();
    // CIE: length 20, id 0, version 1, "zLR", alignments 1 and -8, register 16, two encodings:
    // pcrel sdata4
    put(frames, 20), put(frames, 0);
    for (uint8_t b : hex("01 7a4c5200 01 78 10 02 1b 1b")) frames.push_back(b);
    frames.resize(24);
    std::vector<uint64_t> entries;
    for (const Range& f : functions) {
      const uint64_t fde = frames_address() + frames.size();
      entries.push_back(fde);
      put(frames, 20);
      put(frames, static_cast<uint32_t>(frames.size()));
      put(frames, static_cast<uint32_t>(f.begin - (fde + 8)));
      put(frames, static_cast<uint32_t>(f.end - f.begin));
      frames.push_back(4);
      put(frames, lsda ? static_cast<uint32_t>(lsda - (fde + 17)) : 0);
      frames.resize(frames.size() + 3);
    }
    put(frames, 0);
    for (uint8_t b : hex("01 1b 03 3b")) hdr.push_back(b);
    put(hdr, static_cast<uint32_t>(frames_address() - (hdr_address() + 4)));
    put(hdr, static_cast<uint32_t>(functions.size()));
    for (size_t i = 0; i < functions.size(); ++i) {
      put(hdr, static_cast<uint32_t>(functions[i].begin - hdr_address()));
      put(hdr, static_cast<uint32_t>(entries[i] - hdr_address()));
    }
  }

 private:
  static void put(std::vector<uint8_t>& to, uint32_t word) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(&word);
    to.insert(to.end(), bytes, bytes + 4);
  }
};

// Plans a pretended object and keeps the memory that the plans lie in.
struct Planned {
  std::vector<uint64_t> memory = std::vector<uint64_t>(1 << 15);
  rewriter::Report report;
  std::span<rewriter::Plan> plans;

  explicit Planned(const rewriter::Object& object) {
    rewriter::Region region{reinterpret_cast<uint8_t*>(memory.data()), memory.size() * 8, 0};
    plans = rewriter::plan_object(object, region, report);
  }
};

}  // namespace sctrace::test
