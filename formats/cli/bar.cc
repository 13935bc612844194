#include "formats/cli/bar.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace sctrace::cli {

Bar::Bar() : wanted_(isatty(STDERR_FILENO)), began_(std::chrono::steady_clock::now()) {}

Bar::~Bar() {
  if (shown_) fmt::print(stderr, "\r\033[K");
}

void Bar::operator()(double part) {
  using namespace std::chrono_literals;
  constexpr double width = 40;
  if (!wanted_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - began_ < 1s || now - last_ < 100ms) return;
  last_ = now, shown_ = true;
  part = std::clamp(part, 0.0, 1.0);
  const auto filled = static_cast<size_t>(std::floor(part * width));
  std::string line(filled, '=');
  line.resize(static_cast<size_t>(width), ' ');
  fmt::print(stderr, "\rsctrace: [{}] {:3.0f} %", line, std::floor(part * 100));
}

Way::Way(const read::Trace& trace, std::function<void(double)> tell) : tell_(std::move(tell)) {
  if (!tell_ || trace.images().empty()) return;
  first_ = trace.clock().ns(trace.images().front().first.tsc);
  for (const read::Image& image : trace.images())
    if (image.last.tsc) last_ = std::max(last_, trace.clock().ns(image.last.tsc));
}

void Way::tell(uint64_t when) const {
  if (last_ <= first_) return;
  tell_(static_cast<double>(when - std::min(when, first_)) / static_cast<double>(last_ - first_));
}

}  // namespace sctrace::cli
