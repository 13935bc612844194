// The calls of each object by door: read from the records, so a filtered or lost call is not among
// them.
#include <algorithm>
#include <cstring>
#include <map>
#include <unordered_map>

#include "formats/cli/object_doors.h"
#include "formats/read/call_scan.h"
#include "formats/read/each_ring.h"

namespace sctrace::cli {
namespace {

struct Calls {
  uint64_t stub = 0, trap = 0;
};

// Those of an image, by site: the number in its table, or the address where it is not there; 0:
// nobody says.
struct Counts {
  std::vector<Calls> listed;
  std::unordered_map<uint64_t, Calls> far;

  void count(const wire::Header& header, const uint8_t* bytes) {
    if (header.type != wire::Type::entry) return;
    wire::Entry entry;
    std::memcpy(&entry, bytes, sizeof entry);
    const size_t number = entry.site & wire::site_bits;
    uint64_t site = 0;
    const bool is_far = header.flags & wire::entry_far;
    if (is_far) std::memcpy(&site, bytes + sizeof entry, sizeof site);
    Calls& calls = !is_far && number < listed.size() ? listed[number] : far[site];
    ++(header.flags & wire::entry_trap ? calls.trap : calls.stub);
  }
};

void read_ring(const std::shared_ptr<read::OpenImage>& image, uint32_t slot, Counts& counts) {
  counts.listed.resize(image->sites.size());
  read::RingReader reader(image, slot);
  reader.read_ahead(read::scan_window);
  for (;;) {
    reader.walk([&](const wire::Header& header, const uint8_t* bytes, uint64_t) {
      counts.count(header, bytes);
    });
    const read::Step step = reader.next();
    if (step.kind == read::Step::Kind::end) return;
    if (step.kind != read::Step::Kind::record) continue;
    wire::Header header;
    std::memcpy(&header, step.bytes.data(), sizeof header);
    counts.count(header, step.bytes.data());
  }
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
  const size_t images = trace.images().size();
  std::vector<std::map<uint32_t, Counts>> counts(read::ring_workers(trace));  // by image
  const auto tasks = read::each_ring(trace, [&](unsigned worker, size_t, const read::RingTask& task,
                                                const std::shared_ptr<read::OpenImage>& image) {
    read_ring(image, task.slot, counts[worker][task.image]);
  });
  for (const read::RingTask& task : tasks)
    if (task.failed) std::rethrow_exception(task.failed);
  for (uint32_t number = 0; number < images; ++number) {
    const read::Image& image = trace.images()[number];
    const auto header = read::header_of(image.ring_file);
    const SitePaths paths(*header);
    const auto add = [&](uint64_t site, const Calls& calls) {
      ObjectDoors& object = named(paths.of(site), doors);
      object.calls["stub"] += calls.stub;
      object.calls["trap"] += calls.trap;
    };
    for (auto& one : counts) {
      const auto found = one.find(number);
      if (found == one.end()) continue;
      const auto& listed = found->second.listed;
      for (size_t n = 0; n < listed.size(); ++n)
        if (listed[n].stub || listed[n].trap) add(header->sites[n].address, listed[n]);
      for (const auto& [site, calls] : found->second.far) add(site, calls);
    }
  }
}

}  // namespace sctrace::cli
