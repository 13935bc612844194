// `sctrace info`: what a trace holds: programs, doors, losses. Counts the calls of each object in
// the records; with --headers it reads none, and is quick on any trace.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstring>
#include <iterator>
#include <map>
#include <set>

#include "formats/beginning.h"
#include "formats/cli/json.h"
#include "formats/cli/object_doors.h"
#include "formats/cli/sums.h"
#include "formats/cli/verbs.h"
#include "formats/read/trace.h"
#include "formats/text_quotes.h"
#include "rewriter/report.h"

namespace sctrace::cli {

namespace {

struct Totals {
  uint64_t stub = 0, trap = 0, lost = 0, cut = 0, untraced = 0, filtered = 0, signals = 0,
           refused = 0;
  std::map<std::string, uint64_t> sites, refusals;  // over all images, by name
  std::set<uint32_t> processes;
  uint64_t rings = 0;
};

void add_sites(const read::Image& image, Totals& all) {
  const auto header = read::header_of(image.ring_file);
  const uint32_t count = std::min<uint32_t>(header->site_count, wire::site_max);
  for (uint32_t n = 0; n < count; ++n) {
    const auto tactic = static_cast<rewriter::Tactic>(header->sites[n].tactic);
    ++all.sites[rewriter::name_of(tactic)];
    if (tactic == rewriter::Tactic::trap)
      ++all.refusals[rewriter::name_of(static_cast<rewriter::Refusal>(header->sites[n].refusal))];
  }
  all.refused += image.sites_refused;
}

Totals totals(const read::Trace& trace) {
  Totals all;
  for (unsigned n = 0; n < rewriter::tactic_count; ++n)
    all.sites[rewriter::name_of(static_cast<rewriter::Tactic>(n))] = 0;
  for (const read::Image& image : trace.images()) {
    all.processes.insert(image.pid);
    all.rings += image.slots.size();
    for (const read::Slot& slot : image.slots) {
      all.stub += slot.calls_stub, all.trap += slot.calls_trap;
      all.lost += slot.lost, all.cut += slot.cut;
      all.untraced += slot.untraced, all.filtered += slot.filtered;
      all.signals += slot.signals;
      if (slot.pid) all.processes.insert(slot.pid);
    }
    add_sites(image, all);
  }
  return all;
}

const char* name_of(wire::Mode mode) {
  constexpr const char* names[] = {"stream", "overwrite", "discard", "block", "counts"};
  return names[static_cast<uint32_t>(mode)];  // opening the image has checked the range
}

std::string sud(uint32_t state) {
  if (state == 1) return "armed";
  return state == 0 ? "not asked for"
                    : fmt::format("refused: {}", std::strerror(static_cast<int>(state)));
}

using Objects = std::vector<ObjectDoors>;

std::string whole_json(const read::Trace& trace, const Totals& all, const Objects& objects) {
  std::string text;
  const auto add = [&]<class... Parts>(fmt::format_string<Parts...> form, Parts&&... parts) {
    fmt::format_to(std::back_inserter(text), form, std::forward<Parts>(parts)...);
  };
  add("{{\"trace\": {}, \"version\": {}, \"host\": {}, \"kernel\": {}, \"stopped\": {},\n",
      json_quoted(trace.directory()), trace.version(), json_quoted(trace.host()),
      json_quoted(trace.kernel()), trace.stopped());
  add(" \"clock\": {{\"ticks_per_ns\": {:.6f}, \"realtime_offset_ns\": {}, \"uncertain\": {}}},\n",
      trace.clock().ticks_per_ns(), trace.clock().realtime_offset(), trace.clock().is_uncertain());
  add(" \"calls\": {{\"stub\": {}, \"trap\": {}}}, \"lost\": {}, \"cut\": {}, \"untraced\": {}, "
      "\"filtered\": {},\n",
      all.stub, all.trap, all.lost, all.cut, all.untraced, all.filtered);
  add(" \"signals\": {}, \"sites\": {}, \"refusals\": {}, \"sites_unlisted\": {},\n", all.signals,
      json_of(all.sites), json_of(all.refusals), all.refused);
  add(" \"objects\": {},\n", json_of(objects));
  add(" \"processes\": {}, \"rings\": {}, \"damaged\": {}, \"unborn\": {},\n \"images\": [",
      all.processes.size(), all.rings, trace.damages().count, trace.unborn().size());
  const char* comma = "\n";
  for (const read::Image& image : trace.images()) {
    add("{}  {{\"pid\": {}, \"ppid\": {}, \"program\": {}, \"command\": {}, \"mode\": \"{}\", "
        "\"rings\": {}, "
        "\"ring_bytes\": {}, \"sud\": {},\n   \"beginning\": {}}}",
        comma, image.pid, image.ppid, json_quoted(image.program), json_quoted(image.command),
        name_of(image.mode), image.slots.size(), image.ring_bytes, json_quoted(sud(image.sud)),
        beginning_json(image));
    comma = ",\n";
  }
  add("]}}\n");
  return text;
}

void print_text(const read::Trace& trace, const Totals& all, const Objects& objects) {
  fmt::print("trace      {}, version {}, on {} ({})\n", trace.directory(), trace.version(),
             trace.host(), trace.kernel());
  if (trace.clock().is_uncertain())
    fmt::print("clock      uncertain: durations are a guess\n");
  else
    fmt::print("clock      {:.3f} ticks a nanosecond\n", trace.clock().ticks_per_ns());
  fmt::print("calls      {} by stub, {} by trap\n", all.stub, all.trap);
  fmt::print("missing    {} lost, {} buffers cut, {} untraced, {} filtered{}\n", all.lost, all.cut,
             all.untraced, all.filtered, trace.stopped() ? "; recording stopped at its limit" : "");
  fmt::print("sites      {}\n", text_of(all.sites));
  fmt::print("refused    {}\n", text_of(all.refusals));
  if (all.refused) fmt::print("           {} more sites were not listed\n", all.refused);
  if (trace.damages().count)
    fmt::print("damaged    {} places; see `sctrace check`\n", trace.damages().count);
  for (const ObjectDoors& object : objects) fmt::print("  {}\n", text_of(object));
  fmt::print("processes  {}, in {} images with {} rings\n", all.processes.size(),
             trace.images().size(), all.rings);
  for (const read::Image& image : trace.images()) {
    fmt::print("  {} of {}: {} ({}, rings of {} KiB, dispatch {})\n", image.pid, image.ppid,
               for_terminal(image.command.empty() ? image.program : image.command),
               name_of(image.mode), image.ring_bytes / 1024, sud(image.sud));
    if (const std::string began = beginning_text(image); !began.empty())
      fmt::print("    {}\n", began);
  }
}

}  // namespace

std::string info_json(const read::Trace& trace, bool calls) {
  Objects objects = object_doors(trace);
  if (calls) add_calls(trace, objects);
  return whole_json(trace, totals(trace), objects);
}

int verb_info(int argc, char** argv) {
  CLI::App app("What a trace holds: programs, how their calls came in, what is missing.");
  std::string name;
  bool json = false, headers = false;
  app.add_option("TRACE", name, "trace directory (default: the newest sctrace-* here)");
  app.add_flag("--json", json,
               "one JSON object: calls.stub, calls.trap, lost, cut, untraced, sites, refusals, "
               "objects, images …");
  app.add_flag("--headers", headers, "read no records: quick on any trace, but no calls by object");
  if (const auto status = parse(app, argc, argv)) return *status;
  const read::Trace trace(trace_named(name));
  if (json) return fmt::print("{}", info_json(trace, !headers)), 0;
  Objects objects = object_doors(trace);
  if (!headers) add_calls(trace, objects);
  print_text(trace, totals(trace), objects);
  return 0;
}

}  // namespace sctrace::cli
