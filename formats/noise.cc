#include "formats/noise.h"

#include <algorithm>
#include <cmath>

namespace sctrace {

namespace {

double number(uint64_t n) { return static_cast<double>(n); }

double counts_z(uint64_t a, uint64_t b) {
  return a + b ? (number(b) - number(a)) / std::sqrt(number(a + b)) : 0;
}

// Of `a` in `all_a` and `b` in `all_b`.
double shares_z(uint64_t a, uint64_t all_a, uint64_t b, uint64_t all_b) {
  if (!all_a || !all_b) return 0;
  const double na = number(all_a), nb = number(all_b), pooled = number(a + b) / (na + nb);
  const double spread = std::sqrt(pooled * (1 - pooled) * (1 / na + 1 / nb));
  return spread > 0 ? (number(b) / nb - number(a) / na) / spread : 0;
}

uint64_t at(const std::vector<uint32_t>& steps, size_t step) {
  return step < steps.size() ? steps[step] : 0;
}

// U of B over A with the normal approximation; calls of one step are ties.
void rank(const Latencies& a, const Latencies& b, Noise& noise) {
  const std::vector<uint32_t> ours = a.steps(), theirs = b.steps();
  const size_t n = std::max(ours.size(), theirs.size());
  const double na = number(a.count()), nb = number(b.count()), all = na + nb;
  double below = 0, u = 0, ties = 0;
  for (size_t step = 0; step < n; ++step) {
    const double one = number(at(ours, step)), other = number(at(theirs, step));
    u += other * (below + one / 2);
    below += one;
    const double tied = one + other;
    ties += tied * tied * tied - tied;
  }
  const double variance = na * nb / 12 * (all + 1 - ties / (all * (all - 1)));
  noise.slower = u / (na * nb);
  noise.times_z = variance > 0 ? (u - na * nb / 2) / std::sqrt(variance) : 0;
}

void compare_tails(const Latencies& a, const Latencies& b, Noise& noise) {
  Latencies both = a;
  both.add(b);
  const uint64_t limit = both.quantile(0.99);
  const auto beyond = [&](const Latencies& of) {
    uint64_t n = 0;
    const std::vector<uint32_t> steps = of.steps();
    for (size_t step = 0; step < steps.size(); ++step)
      if (Latencies::step_end(step) > limit) n += steps[step];
    return n;
  };
  noise.tail_z = shares_z(beyond(a), a.count(), beyond(b), b.count());
}

}  // namespace

Noise noise_between(const Count& a, const Count& b) {
  Noise noise;
  noise.calls_z = counts_z(a.calls, b.calls);
  noise.errors_z = shares_z(a.errors, a.calls, b.errors, b.calls);
  if (std::min(a.calls, b.calls) >= noise_calls) {
    rank(a.latencies, b.latencies, noise);
    compare_tails(a.latencies, b.latencies, noise);
  }
  noise.calls = std::abs(noise.calls_z) > noise_z;
  noise.errors = std::abs(noise.errors_z) > noise_z;
  noise.times = std::abs(noise.times_z) > noise_z && std::abs(noise.slower - 0.5) >= noise_effect;
  noise.tail = std::abs(noise.tail_z) > noise_z;
  return noise;
}

}  // namespace sctrace
