// The sets behind -e: statuses, signals, descriptors, messages.
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <map>
#include <stdexcept>

#include "formats/cli/print_options.h"

namespace sctrace::cli {

namespace {

// -e status=successful,failed,… : only these.
void set_status(TextFilter& filter, std::string list) {
  const bool inverted = list.starts_with('!');
  if (inverted) list.erase(0, 1);
  bool ok = false, failed = false, other = false;
  for (size_t at = 0; at <= list.size();) {
    const size_t comma = std::min(list.find(',', at), list.size());
    const std::string one = list.substr(at, comma - at);
    if (one == "all")
      ok = failed = other = true;
    else if (one == "successful")
      ok = true;
    else if (one == "failed")
      failed = true;
    else if (one == "unfinished" || one == "unavailable" || one == "detached")
      other = true;
    else if (one != "none")
      throw std::invalid_argument("invalid status '" + one + "'");
    at = comma + 1;
  }
  filter.successful = ok != inverted, filter.failed = failed != inverted,
  filter.unfinished = other != inverted;
}

// -e signal=SIGINT,term,!…
void set_signals(Wish& w, std::string list) {
  w.signals.clear();
  w.other_signals = false;
  for (; list.starts_with('!'); list.erase(0, 1)) w.other_signals = !w.other_signals;
  for (size_t at = 0; at < list.size();) {
    const size_t comma = std::min(list.find(',', at), list.size());
    std::string one = list.substr(at, comma - at);
    at = comma + 1;
    if (one == "none") continue;
    if (one == "all") {
      w.other_signals = !w.other_signals;
      continue;
    }
    std::transform(one.begin(), one.end(), one.begin(),
                   [](unsigned char c) { return std::toupper(c); });
    if (one[0] >= '0' && one[0] <= '9') one = signal_name(std::strtoull(one.c_str(), nullptr, 10));
    w.signals.insert(one.starts_with("SIG") ? one.substr(3) : one);
  }
}

Descriptors descriptor_set(std::string list) {
  Descriptors set;
  for (; list.starts_with('!'); list.erase(0, 1)) set.others = !set.others;
  for (size_t at = 0; at < list.size();) {
    const size_t comma = std::min(list.find(',', at), list.size());
    const std::string one = list.substr(at, comma - at);
    if (one == "all")
      set.named.clear(), set.others = !set.others;
    else if (one != "none")
      set.named.insert(std::atoll(one.c_str()));
    at = comma + 1;
  }
  return set;
}

}  // namespace

void set_decode_fds(Wish& w, const std::string& what) {
  static const std::map<std::string, int> kinds{{"path", TextOptions::path},
                                                {"socket", TextOptions::socket},
                                                {"dev", TextOptions::device},
                                                {"pidfd", TextOptions::process},
                                                {"all", 15},
                                                {"none", 0}};
  w.text.paths = 0;
  for (size_t at = 0; at <= what.size();) {
    const size_t comma = std::min(what.find(',', at), what.size());
    const auto kind = kinds.find(what.substr(at, comma - at));
    if (kind == kinds.end())
      throw std::invalid_argument("invalid descriptor decoding '" + what.substr(at, comma - at) +
                                  "'");
    w.text.paths |= kind->second;
    at = comma + 1;
  }
}

void set_decode_pids(Wish& w, const std::string& what) {
  w.text.tasks = false;
  for (size_t at = 0; at <= what.size();) {
    const size_t comma = std::min(what.find(',', at), what.size());
    const std::string one = what.substr(at, comma - at);
    at = comma + 1;
    if (one == "pidns")
      throw std::invalid_argument("decode-pids=pidns: a trace has pids as its programs saw them");
    if (one != "comm" && one != "all" && one != "none")
      throw std::invalid_argument("invalid pid decoding '" + one + "'");
    w.text.tasks |= one != "none";
  }
}

// Only messages that a trace has: of exits, and of threads that an execve ended.
void set_quiet(Wish& w, const std::string& list) {
  static const std::set<std::string> others{"attach",       "attaching",   "path-resolution",
                                            "path-resolve", "personality", "none"};
  std::string rest = list;
  const bool inverted = rest.starts_with('!');
  if (inverted) rest.erase(0, 1);
  bool exits = false, supersedes = false;
  for (size_t at = 0; at <= rest.size();) {
    const size_t comma = std::min(rest.find(',', at), rest.size());
    const std::string one = rest.substr(at, comma - at);
    at = comma + 1;
    if (one == "exit" || one == "exits")
      exits = true;
    else if (one == "thread-execve" || one == "superseded")
      supersedes = true;
    else if (one == "all")
      exits = supersedes = true;
    else if (!others.contains(one))
      throw std::invalid_argument("invalid message to be quiet about '" + one + "'");
  }
  w.text.quiet_exits = exits != inverted, w.text.quiet_supersedes = supersedes != inverted;
}

// One -e: QUALIFIER=SET, or a SET of calls.
void express(Wish& w, const std::string& text) {
  const size_t equals = text.find('=');
  const std::string what = equals == text.npos ? "trace" : text.substr(0, equals);
  std::string set = equals == text.npos ? text : text.substr(equals + 1);
  if (what == "trace" || what == "t")
    w.filter.trace = call_set(set);
  else if (what == "status")
    set_status(w.filter, set);
  else if (what == "signal" || what == "signals" || what == "s")
    set_signals(w, set);
  else if (what == "decode-fds" || what == "decode-fd")
    set_decode_fds(w, set);
  else if (what == "decode-pids" || what == "decode-pid")
    set_decode_pids(w, set);
  else if (what == "verbose" || what == "v" || what == "abbrev" || what == "a") {
    (what[0] == 'a' ? w.text.brief : w.text.followed) = call_set(set);
  } else if (what == "raw" || what == "x")
    w.text.raw = call_set(set);
  else if (what == "quiet" || what == "silent" || what == "silence" || what == "q")
    set_quiet(w, set);
  else if (what == "read")
    w.read = descriptor_set(set);
  else if (what == "write")
    w.write = descriptor_set(set);
  // inject, fault and kvm ask for nothing that a trace could still do
}

}  // namespace sctrace::cli
