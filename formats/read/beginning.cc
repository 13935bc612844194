#include "formats/read/beginning.h"

#include <charconv>
#include <cstring>
#include <string_view>

#include "formats/read/check_file.h"
#include "formats/wire/ring.h"

namespace sctrace::read {
namespace {

constexpr std::string_view blanks = " \t";

std::string trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(blanks);
  if (first == text.npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(blanks) + 1 - first));
}

// Whole lines only: the last may have been cut anywhere.
template <class Use>
void each_line(std::string_view text, Use use) {
  for (size_t end; (end = text.find('\n')) != text.npos; text.remove_prefix(end + 1))
    use(text.substr(0, end));
}

// The kernel writes them in columns of these widths.
Limit limit_of(std::string_view line) {
  constexpr size_t widths[] = {26, 21, 21};
  Limit limit;
  std::string* const parts[] = {&limit.name, &limit.soft, &limit.hard};
  for (size_t i = 0; i < std::size(widths); ++i) {
    *parts[i] = trimmed(line.substr(0, widths[i]));
    line.remove_prefix(std::min(widths[i], line.size()));
  }
  limit.unit = trimmed(line);
  return limit;
}

uint64_t place_of(const Image& image) { return image.slot_offset(0) + sizeof(wire::RingHeader); }

}  // namespace

Beginning beginning_of(const Image& image) {
  auto raw = std::make_unique<wire::Beginning>();
  const File file(image.ring_file);
  Beginning all;
  if (image.slots.empty() || file.read(place_of(image), raw.get(), sizeof *raw) < sizeof *raw)
    return all;
  const std::string_view status(raw->status, strnlen(raw->status, sizeof raw->status));
  const std::string_view limits(raw->limits, strnlen(raw->limits, sizeof raw->limits));
  each_line(status, [&](std::string_view line) {
    const size_t colon = line.find(':');
    if (colon != line.npos)
      all.status.emplace_back(trimmed(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
  });
  each_line(limits, [&](std::string_view line) {
    if (!line.starts_with("Limit ")) all.limits.push_back(limit_of(line));
  });
  return all;
}

void copy_beginning(const File& from, NewFile& to, const Image& image) {
  auto raw = std::make_unique<wire::Beginning>();
  if (image.slots.empty()) return;
  const size_t got = from.read(place_of(image), raw.get(), sizeof *raw);
  if (got) to.write(place_of(image), raw.get(), got);  // the file may end here
}

std::string Beginning::field(const std::string& name) const {
  for (const auto& [key, value] : status)
    if (key == name) return value;
  return {};
}

std::vector<std::string> Beginning::words(const std::string& name) const {
  const std::string all = field(name);
  std::vector<std::string> words;
  for (size_t at = 0; (at = all.find_first_not_of(blanks, at)) != all.npos;) {
    const size_t end = std::min(all.find_first_of(blanks, at), all.size());
    words.push_back(all.substr(at, end - at));
    at = end;
  }
  return words;
}

std::vector<uint32_t> Beginning::signals(const std::string& name) const {
  const std::string mask = field(name);
  uint64_t bits = 0;
  std::from_chars(mask.data(), mask.data() + mask.size(), bits, 16);
  std::vector<uint32_t> all;
  for (uint32_t signal = 1; signal <= 64; ++signal)
    if (bits >> (signal - 1) & 1) all.push_back(signal);
  return all;
}

}  // namespace sctrace::read
