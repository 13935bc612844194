#include "formats/cli/object_doors.h"

#include <fmt/format.h>

#include <cstring>
#include <sstream>

#include "formats/cli/json.h"

namespace sctrace::cli {
namespace {

// By base address, from "base path\n" lines that a program wrote: nonsense is left out.
std::map<uint64_t, std::string> listed(const wire::Image& image) {
  std::map<uint64_t, std::string> objects;
  std::istringstream lines(
      std::string(image.objects, strnlen(image.objects, sizeof image.objects)));
  for (std::string line; std::getline(lines, line);) {
    char* behind = nullptr;
    const uint64_t base = std::strtoull(line.c_str(), &behind, 16);
    if (behind && *behind == ' ') objects[base] = behind + 1;
  }
  return objects;
}

}  // namespace

SitePaths::SitePaths(const wire::Image& image) : objects_(listed(image)) {
  for (uint32_t n = 0; n < std::min<uint32_t>(image.site_count, wire::site_max); ++n)
    sites_.insert(image.sites[n].address);
}

std::string SitePaths::of(uint64_t site) const {
  const auto above = objects_.upper_bound(site);
  if (!sites_.count(site) || above == objects_.begin()) return "(elsewhere)";
  return std::prev(above)->second;
}

void ObjectDoors::add(rewriter::Tactic tactic, rewriter::Refusal refusal) {
  ++sites[rewriter::name_of(tactic)];
  if (tactic == rewriter::Tactic::trap) ++refusals[rewriter::name_of(refusal)];
}

std::vector<ObjectDoors> object_doors(const read::Trace& trace) {
  std::map<std::string, ObjectDoors> all;
  for (const read::Image& image : trace.images()) {
    const auto header = read::header_of(image.ring_file);
    const SitePaths paths(*header);
    for (uint32_t n = 0; n < std::min<uint32_t>(header->site_count, wire::site_max); ++n) {
      const wire::Site& site = header->sites[n];
      const std::string path = paths.of(site.address);
      all[path].path = path;
      all[path].add(static_cast<rewriter::Tactic>(site.tactic),
                    static_cast<rewriter::Refusal>(site.refusal));
    }
  }
  std::vector<ObjectDoors> doors;
  for (auto& [path, object] : all) doors.push_back(std::move(object));
  return doors;
}

std::string text_of(const std::map<std::string, uint64_t>& counts) {
  std::string text;
  for (const auto& [name, count] : counts)
    if (count) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, count);
  return text.empty() ? "none" : text;
}

std::string json_of(const std::map<std::string, uint64_t>& counts) {
  std::string text;
  for (const auto& [name, count] : counts)
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", json_quoted(name), count);
  return "{" + text + "}";
}

std::string text_of(const ObjectDoors& object) {
  uint64_t all = 0;
  for (const auto& [tactic, count] : object.sites) all += count;
  return fmt::format("{}: {} {}: {}{}", object.path, all, all == 1 ? "site" : "sites",
                     text_of(object.sites),
                     object.refusals.empty() ? "" : "; refused: " + text_of(object.refusals)) +
         (object.calls.empty() ? "" : "; calls: " + text_of(object.calls));
}

std::string json_of(const std::vector<ObjectDoors>& objects) {
  std::string text;
  for (const ObjectDoors& object : objects)
    text += fmt::format("{}{{\"path\": {}, \"sites\": {}, \"refusals\": {}{}}}",
                        text.empty() ? "" : ", ", json_quoted(object.path), json_of(object.sites),
                        json_of(object.refusals),
                        object.calls.empty() ? "" : ", \"calls\": " + json_of(object.calls));
  return "[" + text + "]";
}

}  // namespace sctrace::cli
