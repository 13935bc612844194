#include "formats/cli/report_page.h"

#include <fmt/format.h>

#include <map>
#include <string>

#include "formats/counts_table.h"
#include "formats/feed.h"
#include "formats/groups.h"
#include "formats/html/page.h"
#include "formats/json.h"
#include "formats/phrase.h"
#include "formats/report_data.h"
#include "rewriter/report.h"

namespace sctrace::cli {

namespace {

constexpr size_t paths_shown = 3000, peers_shown = 1000;

// The same figures that summary shows.
struct Tables {
  std::vector<Count> calls, paths, peers, errors;
  Count total;
  Run run;
};

Tables tables_of(const read::Trace& trace) {
  read::Timeline timeline(trace);
  Tables tables;
  Counts counts;
  Groups paths(GroupKey::path, trace), peers(GroupKey::peer, trace), errors(GroupKey::error, trace);
  for (read::Item item; timeline.next(item);) {
    tables.run.add(item);
    counts.add(item);
    for (Groups* groups : {&paths, &peers, &errors}) groups->add(item);
  }
  for (const read::Image& image : trace.images())
    read::each_counted(image, [&](const read::Counted& counted) {
      counts.add(counted, trace.clock());
      tables.run.add(image, counted, trace.clock());
    });
  for (const read::Image& image : trace.images()) tables.run.add(image);
  tables.calls = counts.rows();
  tables.total = sum_of(tables.calls);
  tables.paths = paths.rows(), tables.peers = peers.rows(), tables.errors = errors.rows();
  return tables;
}

std::string rows_json(const std::vector<Count>& rows, size_t most) {
  std::string all = "[";
  size_t n = 0;
  for (const Count& row : rows) {
    if (row.name == no_group) continue;
    if (n++ == most) break;
    all += (all.size() > 1 ? ",\n" : "") + row_json(row, false);
  }
  return all + "]";
}

std::string counted_json(const std::map<std::string, uint64_t>& counts) {
  std::string all = "{";
  for (const auto& [name, n] : counts)
    if (n) all += fmt::format("{}{}:{}", all.size() > 1 ? "," : "", json_text(name), n);
  return all + "}";
}

// How calls came in, and why some had to come in by a trap.
std::string doors_json(const read::Trace& trace) {
  std::map<std::string, uint64_t> sites, refusals;
  uint64_t stub = 0, trap = 0;
  for (const read::Image& image : trace.images()) {
    for (const read::Slot& slot : image.slots) stub += slot.calls_stub, trap += slot.calls_trap;
    const auto header = read::header_of(image.ring_file);
    for (uint32_t n = 0; n < std::min<uint32_t>(header->site_count, wire::site_max); ++n) {
      const auto tactic = static_cast<rewriter::Tactic>(header->sites[n].tactic);
      ++sites[rewriter::name_of(tactic)];
      if (tactic == rewriter::Tactic::trap)
        ++refusals[rewriter::name_of(static_cast<rewriter::Refusal>(header->sites[n].refusal))];
    }
  }
  return fmt::format("{{\"stub\":{},\"trap\":{},\"sites\":{},\"refusals\":{}}}", stub, trap,
                     counted_json(sites), counted_json(refusals));
}

std::string missing_json(const read::Losses& losses) {
  std::string all = "[";
  for (const Missing& one : missing(losses))
    all += fmt::format("{}[{},{},{}]", all.size() > 1 ? "," : "", json_text(one.name),
                       json_text(one.what), one.count);
  return all + "]";
}

std::string head_json(const read::Trace& trace, const Session& session, const Tables& tables) {
  std::string command;
  if (!session.programs.empty())
    for (const std::string& one : session.programs.front().arguments)
      command += (command.empty() ? "" : " ") + one;
  return fmt::format(
      "\"trace\":{},\"command\":{},\"host\":{},\"kernel\":{},\"ms_began\":{},\n\"run\":{},\n"
      "\"total\":{},\n",
      json_text(trace.directory()), json_text(command), json_text(session.host),
      json_text(session.kernel),
      (static_cast<int64_t>(tables.run.first) + session.wall_offset) / 1'000'000,
      run_json(tables.run, session.wall_offset), row_json(tables.total, false));
}

// In a script, nothing may look like its end.
std::string in_script(std::string json) {
  for (size_t at = 0; (at = json.find('<', at)) != std::string::npos; at += 6)
    json.replace(at, 1, "\\u003c");
  return json;
}

// The template with its places filled: {{styles}}, {{script}}, {{data}}, {{title}}.
void fill(Output& to, const std::map<std::string_view, std::string_view>& places) {
  std::string_view rest = html::page();
  for (size_t at; (at = rest.find("{{")) != rest.npos;) {
    to.write(rest.substr(0, at));
    const size_t end = rest.find("}}", at);
    const auto found = places.find(rest.substr(at + 2, end - at - 2));
    if (found != places.end()) to.write(found->second);
    rest.remove_prefix(end + 2);
  }
  to.write(rest);
}

}  // namespace

read::Losses write_report(const read::Trace& trace, Output& to, const std::string& stamp) {
  const Tables tables = tables_of(trace);
  Session session = session_of(trace);
  session.words.strsize = 64;
  ReportData data(session, tables.run.first, tables.run.last, tables.run.threads.size());
  const Losses losses = feed(trace, session, data, {.enter = Detail::none, .details = false});
  std::string json = "{" + head_json(trace, session, tables);
  if (!stamp.empty()) json += "\"stamp\":" + json_text(stamp) + ",\n";
  json += "\"syscalls\":" + rows_json(tables.calls, tables.calls.size()) +
          ",\n\"paths\":" + rows_json(tables.paths, paths_shown) +
          ",\n\"peers\":" + rows_json(tables.peers, peers_shown) +
          ",\n\"errors\":" + rows_json(tables.errors, tables.errors.size()) +
          fmt::format(",\n\"paths_all\":{},\"peers_all\":{},\n\"missing\":{},\n\"doors\":{},\n",
                      tables.paths.size(), tables.peers.size(), missing_json(losses),
                      doors_json(trace)) +
          data.json() + "}";
  const std::string safe = in_script(std::move(json));
  std::string script;
  for (const std::string_view part :
       {html::script(), html::timeline(), html::heat(), html::flame(), html::tables()})
    script += part;
  if (!stamp.empty()) script += html::live();
  const char* connect = stamp.empty() ? "" : "connect-src 'self'; ";
  fill(to, {{"styles", html::styles()}, {"script", script}, {"data", safe}, {"connect", connect}});
  return losses;
}

}  // namespace sctrace::cli
