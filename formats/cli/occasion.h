// What a snapshot that takes itself waits for, as --on and --snapshot-on are given it: a call, as a
// filter describes it (dur>100ms), the end of a process (exit!=0), a signal (signal=SEGV,ABRT).
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "formats/read/timeline.h"
#include "formats/wire/expression.h"

namespace sctrace::cli {

class Occasion {
 public:
  explicit Occasion(const std::string& text);  // throws std::invalid_argument: why it is none

  bool asks_for_paths() const { return wire::asks_for(call_, wire::Field::path); }
  bool is_call(const read::Call& call, const std::vector<std::string>& paths) const;
  bool is_exit(uint32_t status) const;
  bool is_signal(uint32_t number) const;
  bool asks_for_ends() const { return kind_ != Kind::call; }

 private:
  enum class Kind : uint8_t { call, exit, signal } kind_ = Kind::call;
  wire::Expression call_;
  wire::Compare compare_ = wire::Compare::equal;  // exit: to value_
  int64_t value_ = 0;
  uint64_t signals_ = 0;  // bit n: signal n + 1
};

std::string signal_name(uint32_t number);  // SIGSEGV

}  // namespace sctrace::cli
