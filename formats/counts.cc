#include "formats/counts.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "formats/read/table.h"

namespace sctrace {

namespace {

constexpr unsigned fine = 7;  // bits of a step's mantissa: 1/128

size_t step_of(uint64_t ns) {
  if (ns < 1u << fine) return static_cast<size_t>(ns);
  const auto above = static_cast<unsigned>(std::bit_width(ns)) - 1 - fine;
  return (static_cast<size_t>(above) << fine) + static_cast<size_t>(ns >> above);
}

}  // namespace

std::string name_of_call(uint32_t nr) {
  const char* name = read::lookup(nr).name;
  return name ? name : fmt::format("syscall_{:#x}", nr);
}

// The largest duration of a step.
uint64_t Latencies::step_end(size_t step) {
  if (step < 2u << fine) return step;
  const auto above = static_cast<unsigned>(step >> fine) - 1;
  return (((step & ((1u << fine) - 1)) + (1u << fine) + 1) << above) - 1;
}

inline uint32_t& Latencies::at(size_t step) {
  const size_t octave = step >> fine;
  if (octaves_.size() <= octave) octaves_.resize(octave + 1);
  std::vector<uint32_t>& steps = octaves_[octave];
  if (steps.empty()) steps.resize(1u << fine);
  return steps[step & ((1u << fine) - 1)];
}

inline void Latencies::count(size_t step, uint64_t calls) {
  constexpr size_t most = 64;  // that is half an octave's room at most
  if (octaves_.empty()) {
    if (few_.size() + calls <= most) {
      few_.insert(few_.end(), static_cast<size_t>(calls), static_cast<uint16_t>(step));
      return;
    }
    for (const uint16_t one : std::exchange(few_, {})) ++at(one);
  }
  uint32_t& there = at(step);
  there = static_cast<uint32_t>(std::min<uint64_t>(there + calls, UINT32_MAX));
}

std::vector<uint32_t> Latencies::steps() const {
  std::vector<uint32_t> all(octaves_.size() << fine);
  for (size_t octave = 0; octave < octaves_.size(); ++octave)
    std::copy(octaves_[octave].begin(), octaves_[octave].end(),
              all.begin() + static_cast<ptrdiff_t>(octave << fine));
  for (const uint16_t step : few_) {
    if (all.size() <= step) all.resize(step + size_t{1});
    ++all[step];
  }
  while (!all.empty() && !all.back()) all.pop_back();
  return all;
}

void Latencies::add(uint64_t ns) {
  count(step_of(ns), 1);
  ++count_;
  total_ += ns;
  min_ = std::min(min_, ns);
  max_ = std::max(max_, ns);
}

void Latencies::add(const Latencies& other) {
  for (const uint16_t step : other.few_) count(step, 1);
  for (size_t octave = 0; octave < other.octaves_.size(); ++octave)
    for (size_t n = 0; n < other.octaves_[octave].size(); ++n)
      if (const uint32_t calls = other.octaves_[octave][n]) count((octave << fine) + n, calls);
  count_ += other.count_;
  total_ += other.total_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

void Latencies::add(const std::vector<Step>& steps, uint64_t total, uint64_t min, uint64_t max) {
  for (const Step& one : steps) {
    if (!one.calls) continue;
    count(step_of(std::min(one.ns, max)), one.calls);
    count_ += one.calls;
  }
  total_ += total;
  min_ = std::min(min_, min);
  max_ = std::max(max_, max);
}

uint64_t Latencies::quantile(double q) const {
  const auto wanted = static_cast<uint64_t>(std::ceil(q * static_cast<double>(count_)));
  std::vector<uint16_t> few = few_;
  std::sort(few.begin(), few.end());
  if (!few.empty())
    return std::min(step_end(few[std::clamp<uint64_t>(wanted, 1, few.size()) - 1]), max_);
  uint64_t seen = 0;
  for (size_t octave = 0; octave < octaves_.size(); ++octave)
    for (size_t n = 0; n < octaves_[octave].size(); ++n)
      if ((seen += octaves_[octave][n]) >= wanted && seen)
        return std::min(step_end((octave << fine) + n), max_);
  return max_;
}

void Count::add(uint32_t nr, int64_t result, uint64_t ns) {
  ++calls;
  latencies.add(ns);
  if (result < 0 && result >= -4095)
    ++errors, ++errors_by[static_cast<uint32_t>(-result)];
  else if (result > 0 && read::lookup(nr).result == arch::Result::count)
    bytes += static_cast<uint64_t>(result);
}

void Count::add(const Count& other) {
  calls += other.calls;
  errors += other.errors;
  unfinished += other.unfinished;
  bytes += other.bytes;
  latencies.add(other.latencies);
  for (const auto& [error, n] : other.errors_by) errors_by[error] += n;
}

void Count::add(const read::Counted& counted, const read::Clock& clock) {
  const auto ns = [&](uint64_t ticks) {
    const double at = static_cast<double>(ticks) / clock.ticks_per_ns();
    return at < 9e18 ? static_cast<uint64_t>(at) : uint64_t{9'000'000'000'000'000'000};
  };
  std::vector<Latencies::Step> steps;
  for (uint32_t step = 0; step < wire::counter_steps; ++step) {
    const bool is_last = step == wire::counter_steps - 1;
    const uint64_t end = is_last ? counted.longest : wire::counter_step_end(step);
    if (counted.steps[step]) steps.push_back({ns(end), counted.steps[step]});
  }
  calls += counted.calls;
  errors += counted.errors;
  latencies.add(steps, ns(counted.ticks), ns(counted.shortest), ns(counted.longest));
}

void Counts::add(const read::Counted& counted, const read::Clock& clock) {
  of(counted.nr).add(counted, clock);
}

void Counts::add(const read::Item& item) {
  if (item.kind != read::Item::Kind::enter && item.kind != read::Item::Kind::leave) return;
  const read::Call& call = *item.call;
  if (item.kind == read::Item::Kind::enter) return entered(call.nr);
  const uint64_t ns = call.finished - std::min(call.began, call.finished);
  left(call.nr, call.result, ns);
}

void Counts::add(const Counts& other) {
  for (const auto& [nr, count] : other.by_number_) of(nr).add(count);
}

void Counts::came_back(const read::Call& call, uint64_t overhead) {
  const uint64_t ns = call.finished - std::min(call.began, call.finished);
  of(call.nr).add(call.nr, call.result, ns - std::min(overhead, ns));
}

std::vector<Count> Counts::by_number() const {
  std::vector<Count> all;
  for (const auto& [nr, count] : by_number_) {
    all.push_back(count);
    all.back().name = name_of_call(nr);
  }
  return all;
}

std::vector<Count> Counts::rows() const {
  std::vector<Count> all = by_number();
  std::stable_sort(all.begin(), all.end(), [](const Count& a, const Count& b) {
    return a.latencies.total() > b.latencies.total();
  });
  return all;
}

}  // namespace sctrace
