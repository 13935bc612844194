// A plan: what is taken of a number's memory, cut down from the table's row at compile time. The
// interpreter (capture.cc) walks it argument by argument; facts_of() says what of it is simple
// enough to need no walk.
#pragma once
#include <cstddef>

#include "arch/table.h"
#include "preload/facts.h"

namespace sctrace::preload {

// One argument with memory.
struct Op {
  arch::Kind kind = arch::Kind::none;
  arch::Way way = arch::Way::none;
  arch::Measure measure = arch::Measure::none;
  uint8_t arg = 0, which = 0, ordinal = 0;  // ordinal: among the variants of a call
  arch::Layout layout = arch::Layout::none;
  uint32_t element = 0;
  uint8_t head = 0;  // bytes in front of what is measured
};

constexpr Op op_of(const arch::Arg& a, uint8_t index, uint8_t ordinal = 0) {
  return {a.kind,   a.way,     a.measure,
          index,    a.which,   ordinal,
          a.layout, a.element, static_cast<uint8_t>(a.head)};
}

// What a number wants taken; 0 = nothing but registers.
constexpr uint8_t plan_in = 1, plan_out = 2;

struct Plan {
  uint8_t arity = 6, flags = 0, ops = 0;
  uint8_t command = none;  // the argument that says what the variants are, if there are only such
  static constexpr uint8_t none = 0xff;
  Op op[5] = {};
};

// What is taken at one moment where registers alone say it: a plan that needs no interpreting. No
// step is not given in full: then there are none, and the plan is walked.
struct Step {
  Shape shape = Shape::interpreted;
  uint8_t at = 0, by = by_nothing;  // arguments: where it lies, and how many there are
  uint16_t element = 1;             // bytes of one; of vectors and messages: 0 = without contents
  static constexpr uint8_t by_nothing = 0xff, by_result = 0xfe;
};
struct Steps {
  static constexpr uint8_t most = 3;
  uint8_t count = 0;
  Step step[most] = {};
};

struct AllSteps {
  struct {
    Steps in, out;
  } of[arch::number_limit + 1];
};
extern const AllSteps all_steps;  // by number; of those that have facts
// Calls that may tell of more than they gave: how long a message or an attribute is. How much there
// was room for says the argument behind the buffer; of getgroups the one in front of it.
constexpr bool may_tell_more(uint32_t nr) {
  switch (nr) {
    case arch::nr_recvfrom:
    case arch::nr_getgroups:
    case arch::nr_syslog:
    case arch::nr_getxattr:
    case arch::nr_lgetxattr:
    case arch::nr_fgetxattr:
    case arch::nr_listxattr:
    case arch::nr_llistxattr:
    case arch::nr_flistxattr:
    case arch::nr_listxattrat:
    case arch::nr_keyctl: return true;
    default: return false;
  }
}
const Plan& plan_for(uint32_t nr);
uint8_t flags_of_command(uint32_t nr, uint64_t command);  // where all memory is behind variants
// The argument that a command makes of a variant; null: not known, or not passed under it.
const Op* variant_of(uint32_t nr, uint64_t command, uint8_t ordinal);
Facts facts_of(uint32_t nr);  // as far as the table knows them

}  // namespace sctrace::preload
