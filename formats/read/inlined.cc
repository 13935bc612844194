#include "formats/read/inlined.h"

#if SCTRACE_HAS_LIBDW

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>

namespace sctrace::read {

namespace {

constexpr int deepest = 64;  // blocks in blocks, classes in namespaces: what nests deeper is a lie
constexpr size_t most_functions = 1 << 22;

struct Range {
  uint64_t begin, end;
  Dwarf_Off die;  // what is there
};

void add_ranges(Dwarf_Die& die, std::vector<Range>& to) {
  Dwarf_Addr base, begin, end;
  for (ptrdiff_t at = 0; (at = dwarf_ranges(&die, at, &base, &begin, &end)) > 0;)
    if (begin < end && to.size() < most_functions)
      to.push_back({begin, end, dwarf_dieoffset(&die)});
}

void sort(std::vector<Range>& ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const Range& a, const Range& b) { return a.begin < b.begin; });
}

const Range* find(const std::vector<Range>& ranges, uint64_t address) {
  const auto behind =
      std::upper_bound(ranges.begin(), ranges.end(), address,
                       [](uint64_t wanted, const Range& range) { return wanted < range.begin; });
  if (behind == ranges.begin() || address >= std::prev(behind)->end) return nullptr;
  return &*std::prev(behind);
}

std::string name_of(Dwarf_Die& die) {
  Dwarf_Attribute attribute;
  const char* name = dwarf_formstring(dwarf_attr_integrate(&die, DW_AT_linkage_name, &attribute));
  if (!name) name = dwarf_diename(&die);
  return name ? name : "";
}

}  // namespace

struct Inlined::Information {
  explicit Information(int from) : file(from), dwarf(dwarf_begin(from, DWARF_C_READ)) {
    if (!dwarf) return;
    Dwarf_CU* unit = nullptr;
    Dwarf_Die die;
    while (dwarf_get_units(dwarf, unit, &unit, nullptr, nullptr, &die, nullptr) == 0)
      add_ranges(die, units);
    sort(units);
  }
  ~Information() {
    dwarf_end(dwarf);
    ::close(file);
  }
  Information(const Information&) = delete;
  Information& operator=(const Information&) = delete;

  // A unit is gone through once, when something in it is asked for.
  const std::vector<Range>& functions_of(Dwarf_Off unit) {
    const auto [at, is_new] = functions.try_emplace(unit);
    Dwarf_Die die;
    if (is_new && dwarf_offdie(dwarf, unit, &die)) {
      add_functions(die, at->second, 0);
      sort(at->second);
    }
    return at->second;
  }

  void add_functions(Dwarf_Die& in, std::vector<Range>& to, int deep) {
    Dwarf_Die die;
    if (deep == deepest || dwarf_child(&in, &die) != 0) return;
    do {
      switch (dwarf_tag(&die)) {
        case DW_TAG_subprogram: add_ranges(die, to); break;
        case DW_TAG_namespace:
        case DW_TAG_module:
        case DW_TAG_class_type:
        case DW_TAG_structure_type: add_functions(die, to, deep + 1); break;
        default: break;
      }
    } while (goes_on(die));
  }

  // From the function inwards.
  void add_names(Dwarf_Die& in, uint64_t address, std::vector<std::string>& names, int deep) {
    Dwarf_Die die;
    if (deep == deepest || dwarf_child(&in, &die) != 0) return;
    do {
      const int tag = dwarf_tag(&die);
      if ((tag != DW_TAG_inlined_subroutine && tag != DW_TAG_lexical_block) ||
          dwarf_haspc(&die, address) != 1)
        continue;
      if (tag == DW_TAG_inlined_subroutine) names.push_back(name_of(die));
      return add_names(die, address, names, deep + 1);
    } while (goes_on(die));
  }

  // To the next beside it. A file in which that leads back to itself has an end, too.
  bool goes_on(Dwarf_Die& die) {
    constexpr uint64_t most = 1 << 28;
    return ++steps < most && dwarf_siblingof(&die, &die) == 0;
  }

  int file;
  uint64_t steps = 0;
  Dwarf* dwarf;
  std::vector<Range> units;
  std::map<Dwarf_Off, std::vector<Range>> functions;
};

Inlined::Inlined(const std::vector<std::string>& files) {
  for (const std::string& path : files) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat is {};
    if (file < 0) continue;
    if (fstat(file, &is) != 0 || !S_ISREG(is.st_mode)) {
      ::close(file);
      continue;
    }
    has_ = std::make_unique<Information>(file);
    if (!has_->units.empty()) return;
    has_.reset();
  }
}

Inlined::~Inlined() = default;

std::vector<std::string> Inlined::at(uint64_t address) {
  std::vector<std::string> names;
  if (!has_) return names;
  const Range* unit = find(has_->units, address);
  const Range* function = unit ? find(has_->functions_of(unit->die), address) : nullptr;
  Dwarf_Die die;
  if (!function || !dwarf_offdie(has_->dwarf, function->die, &die)) return names;
  has_->add_names(die, address, names, 0);
  std::reverse(names.begin(), names.end());
  return names;
}

}  // namespace sctrace::read

#else

namespace sctrace::read {

struct Inlined::Information {};
Inlined::Inlined(const std::vector<std::string>&) {}
Inlined::~Inlined() = default;
std::vector<std::string> Inlined::at(uint64_t) { return {}; }

}  // namespace sctrace::read

#endif
