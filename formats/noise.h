// Whether two runs differ by more than noise. Calls are told apart from chance at p < 0.001 (|z| >
// 3.29), and a difference of times must also be one that matters:
// * calls: two Poisson counts, z = (b - a) / sqrt(a + b)
// * errors: two shares of failed calls, pooled z test
// * times: Mann-Whitney's U over the histograms, corrected for ties, and Vargha-Delaney's A
//   (how often a call of B is slower than one of A) at least 0.06 away from a half
// * tail: the share of calls beyond the p99 of both together, pooled z test
// Fewer than eight calls on either side say nothing about times.
#pragma once
#include "formats/counts.h"

namespace sctrace {

struct Noise {
  double calls_z = 0, errors_z = 0, times_z = 0, tail_z = 0;
  double slower = 0.5;  // Vargha-Delaney's A: above a half, B is slower
  bool calls = false, errors = false, times = false, tail = false;  // more than noise
  bool any() const { return calls || errors || times || tail; }
};

inline constexpr double noise_z = 3.29, noise_effect = 0.06;
inline constexpr uint64_t noise_calls = 8;

Noise noise_between(const Count& a, const Count& b);

}  // namespace sctrace
