// The two closed enums of the rewriter, their printable names, and how often each was the answer.
// Pure words: preload publishes them, formats prints them. The numbers are written into traces:
// append, never renumber.
#pragma once
#include <cstdint>

namespace sctrace::rewriter {

// How a call leaves its site, best first: this is the order in which the planner tries them.
enum class Tactic : uint8_t {
  trap,    // not rewritten: left to Syscall User Dispatch
  mov,     // jmp over the 5-byte mov $nr,%eax in front; the bytes of the syscall stay
  pad,     // short jmp over the syscall to a jmp in dead padding; nothing else is touched
  before,  // jmp over other instructions in front; the bytes of the syscall stay
  after,   // jmp over the syscall and instructions around it
};
inline constexpr unsigned tactic_count = 5;

// Why a site, or one tactic for it, was refused.
enum class Refusal : uint8_t {
  none,
  not_on_boundary,     // the two bytes lie inside another instruction: no site at all
  no_function,         // no FDE covers it: nothing proves where instructions begin
  undecodable,         // the decode from the function's start met bytes that are no instruction
  prefixed,            // a syscall with prefixes in front: longer than two bytes
  branch_into_window,  // a branch lands, or might land, between the bytes to be replaced
  unmovable,           // an instruction in the window works only at its own address
  overlap,             // another site's window holds the bytes already
  function_end,        // the function has no room for the window
  no_padding,          // no dead padding within reach of a short jmp
  out_of_reach,        // something lies farther than 2 GiB from the stub
  no_room,             // a table or the memory given by the caller is full
  no_memory,           // the kernel gave no memory near the site, or would not make it executable
  changed,             // the bytes in memory are no longer those that were planned for
  not_writable,        // the kernel refused both ways of writing there
  too_much,            // the decoding budget was used up (hostile or absurd input)
  in_use,              // a thread may stand between the instructions of the window right now
};
inline constexpr unsigned refusal_count = 17;

constexpr const char* name_of(Tactic tactic) {
  switch (tactic) {
    case Tactic::trap: return "trap";
    case Tactic::mov: return "mov";
    case Tactic::pad: return "pad";
    case Tactic::before: return "before";
    case Tactic::after: return "after";
  }
  return "?";
}

constexpr const char* name_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::none: return "none";
    case Refusal::not_on_boundary: return "not_on_boundary";
    case Refusal::no_function: return "no_function";
    case Refusal::undecodable: return "undecodable";
    case Refusal::prefixed: return "prefixed";
    case Refusal::branch_into_window: return "branch_into_window";
    case Refusal::unmovable: return "unmovable";
    case Refusal::overlap: return "overlap";
    case Refusal::function_end: return "function_end";
    case Refusal::no_padding: return "no_padding";
    case Refusal::out_of_reach: return "out_of_reach";
    case Refusal::no_room: return "no_room";
    case Refusal::no_memory: return "no_memory";
    case Refusal::changed: return "changed";
    case Refusal::not_writable: return "not_writable";
    case Refusal::too_much: return "too_much";
    case Refusal::in_use: return "in_use";
  }
  return "?";
}

// A site as `sctrace info` lists it.
struct Site {
  uint64_t address;
  Tactic tactic;
  Refusal refusal;  // none unless tactic is trap
};

struct Report {
  uint32_t candidates = 0;                // 0f 05 anywhere in the text
  uint32_t not_on_boundary = 0;           // of these, inside another instruction: no sites
  uint32_t sites = 0;                     // candidates - not_on_boundary - forgotten
  uint32_t forgotten = 0;                 // did not even fit the scratch memory
  uint32_t tactics[tactic_count] = {};    // these sum up to sites
  uint32_t refusals[refusal_count] = {};  // why the sites of tactics[trap] are there
  uint32_t decoded = 0;                   // instructions, over all objects

  constexpr void count(Tactic tactic, Refusal refusal) {
    ++sites;
    ++tactics[static_cast<unsigned>(tactic)];
    if (tactic == Tactic::trap) ++refusals[static_cast<unsigned>(refusal)];
  }
  // What planning counts; sites, tactics and refusals are counted when all is settled.
  constexpr void add(const Report& planned) {
    candidates += planned.candidates;
    not_on_boundary += planned.not_on_boundary;
    forgotten += planned.forgotten;
    decoded += planned.decoded;
  }
};

}  // namespace sctrace::rewriter
