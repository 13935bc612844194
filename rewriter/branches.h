// Who jumps where: the question whether a branch enters the bytes of a window. Answers yes when in
// doubt (a jump table, a landing pad table that is not understood, data among code), so that no is
// proven as far as bytes can.
#pragma once
#include "rewriter/sites.h"

namespace sctrace::rewriter {

class Branches {
 public:
  Branches(const Object& object, const Frames& frames, Budget& budget)
      : object_(object), frames_(frames), budget_(budget) {}

  // Collects, over the whole text and whatever the alignment, what could be a near branch to
  // somewhere around the sites that are still to be planned: a function's cold half lies far from
  // it, and jumps back.
  void collect(std::span<const Plan> plans, Region& memory);

  // Whether anything might land strictly between the two addresses, which lie in the plan's
  // function.
  bool may_enter(const Function& function, uint64_t low, uint64_t high) const;

 private:
  bool function_enters(const Function& function, bool own, uint64_t low, uint64_t high) const;
  bool gap_enters(uint64_t begin, uint64_t end, uint64_t low, uint64_t high) const;
  bool neighbours_enter(const Function& function, uint64_t low, uint64_t high) const;

  const Object& object_;
  const Frames& frames_;
  Budget& budget_;
  std::span<const uint32_t> targets_;  // offsets in the text
  bool complete_ = false;              // all of them had room
};

}  // namespace sctrace::rewriter
