// The calls of each object by door: read from the records, so a filtered or lost call is not among
// them.
#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "formats/cli/object_doors.h"
#include "formats/read/ring_reader.h"

namespace sctrace::cli {
namespace {

struct Calls {
  uint64_t stub = 0, trap = 0;
};
using Counts = std::unordered_map<uint64_t, Calls>;  // by site; 0: the table does not have it

void count(const read::OpenImage& open, const read::Step& step, Counts& counts) {
  wire::Entry entry;
  if (step.kind != read::Step::Kind::record || step.bytes.size() < sizeof entry) return;
  std::memcpy(&entry, step.bytes.data(), sizeof entry);
  if (entry.header.type != wire::Type::entry) return;
  uint64_t site = open.site(entry.site & wire::site_bits);
  if (entry.header.flags & wire::entry_far)
    std::memcpy(&site, step.bytes.data() + sizeof entry, sizeof site);
  Calls& calls = counts[site];
  ++(entry.header.flags & wire::entry_trap ? calls.trap : calls.stub);
}

Counts counts_of(const read::Image& image) {
  Counts counts;
  read::Damages damages;
  const auto open = std::make_shared<read::OpenImage>(image, damages);
  for (uint32_t slot = 0; slot < image.slots.size(); ++slot) {
    read::RingReader reader(open, slot);
    for (read::Step step = reader.next(); step.kind != read::Step::Kind::end; step = reader.next())
      count(*open, step, counts);
  }
  return counts;
}

ObjectDoors& named(const std::string& path, std::vector<ObjectDoors>& doors) {
  const auto is_it = [&](const ObjectDoors& object) { return object.path == path; };
  const auto found = std::find_if(doors.begin(), doors.end(), is_it);
  if (found != doors.end()) return *found;
  doors.emplace_back().path = path;
  return doors.back();
}

}  // namespace

void add_calls(const read::Trace& trace, std::vector<ObjectDoors>& doors) {
  for (const read::Image& image : trace.images()) {
    const SitePaths paths(*read::header_of(image.ring_file));
    for (const auto& [site, calls] : counts_of(image)) {
      ObjectDoors& object = named(paths.of(site), doors);
      object.calls["stub"] += calls.stub;
      object.calls["trap"] += calls.trap;
    }
  }
}

}  // namespace sctrace::cli
