#include "formats/read/table.h"

#include <algorithm>

#include "formats/read/metadata.h"

namespace sctrace::read {

namespace {

std::shared_ptr<const Table> kept;
const Table* current = nullptr;

template <class T>
Part<T> part(const std::vector<T>& all, const std::vector<Table::Range>& ranges, size_t number) {
  if (number >= ranges.size()) return {};
  return {all.data() + ranges[number].first, all.data() + ranges[number].end};
}

}  // namespace

std::shared_ptr<const Table> built_in() {
  static const std::shared_ptr<const Table> one = built_in_table();
  return one;
}

const Table& table() {
  if (!current) [[unlikely]]
    use(nullptr);
  return *current;
}

void use(std::shared_ptr<const Table> table) {
  kept = table ? std::move(table) : built_in();
  current = kept.get();
}

const arch::Row& lookup(uint32_t nr) {
  return nr < arch::number_limit ? table().rows[nr] : arch::unknown;
}

bool is_coded(uint32_t nr) { return nr < arch::number_limit && table().coded[nr]; }

const arch::Command* command_of(uint32_t nr, uint64_t command) {
  if (nr >= arch::number_limit) return nullptr;
  command = arch::command_key(nr, command);
  for (const arch::Command& c : part(table().commands, table().commands_of, nr))
    if (c.value == command) return &c;
  return nullptr;
}

const arch::Request* request_of(uint32_t number) {
  const auto& all = table().requests;
  const auto found =
      std::lower_bound(all.begin(), all.end(), number,
                       [](const arch::Request& request, uint32_t n) { return request.number < n; });
  return found != all.end() && found->number == number ? &*found : nullptr;
}

std::string ioctl_names(uint32_t number) {
  const auto& all = table().ioctls;
  std::string text;
  for (auto n = std::lower_bound(
           all.begin(), all.end(), number,
           [](const Table::Name&name, uint32_t wanted) { return name.number < wanted; });
       n != all.end() && n->number == number; ++n)
    text += (text.empty() ? "" : " or ") + std::string(n->text);
  return text;
}

Part<arch::fold::Word> words_of(arch::Set set) {
  static constexpr arch::fold::Word nothing{arch::fold::Role::set, arch::Set::none, 0, 0, ""};
  const Part<arch::fold::Word> found = part(table().words, table().sets, static_cast<size_t>(set));
  return found.empty() ? Part<arch::fold::Word>{&nothing, &nothing + 1} : found;
}

Part<arch::Member> members_of(arch::Layout layout) {
  return part(table().members, table().layouts, static_cast<size_t>(layout));
}

uint32_t bytes_of(arch::Layout layout) {
  const size_t number = static_cast<size_t>(layout);
  return number < table().layout_bytes.size() ? table().layout_bytes[number] : 1;
}

}  // namespace sctrace::read
