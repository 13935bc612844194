// Site → tactic or refusal. Tries the tactics in the order in which the enum lists them; each is
// one function here and one in stub.cc. Windows of different sites never overlap, and all begin and
// end at instructions.
#pragma once
#include "rewriter/sites.h"

namespace sctrace::rewriter {

// Decides for every plan whose refusal is none. Memory is used for the branch targets and given
// back.
void plan_sites(const Object& object, const Frames& frames, std::span<Plan> plans, Region& memory,
                Budget& budget);

// find_sites and plan_sites with a fresh budget: the whole pure half. The plans are kept in
// `memory`. What is left to the trap is not counted yet, nor are tactics: stub or patch may still
// fail.
std::span<Plan> plan_object(const Object& object, Region& memory, Report& report);

}  // namespace sctrace::rewriter
