#include "formats/cli/processes.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>

#include "formats/cli/verbs.h"
#include "formats/read/trace.h"
#include "formats/text_quotes.h"

namespace sctrace::cli {

namespace fs = std::filesystem;

namespace {

std::string first_line(const std::string& file) {
  std::string line;
  std::ifstream in(file);
  std::getline(in, line);
  return line;
}

bool is_number(const std::string& text) {
  return !text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == text.npos;
}

// Where the process sees the file, we may not: it lives in a root of its own, perhaps.
std::string seen_from_here(const std::string& path, const std::string& process) {
  std::error_code error;
  if (fs::exists(path, error)) return path;
  const std::string inside = process + "/root" + path;
  return fs::exists(inside, error) ? inside : path;
}

bool is_ring(const std::string& path) {
  std::error_code error;
  return path.ends_with(".ring") &&
         fs::exists(fs::path(path).parent_path() / wire::session_name, error);
}

std::optional<Carrier> carrier_at(const std::string& process, uint32_t pid) {
  Carrier one;
  one.pid = pid;
  bool carries = false;
  std::ifstream maps(process + "/maps");
  for (std::string line; std::getline(maps, line);) {
    const size_t at = line.find('/');
    if (at == line.npos) continue;
    const std::string path = line.substr(at);
    carries = carries || path.ends_with("/libsctrace.so");
    if (one.ring_file.empty() && path.ends_with(".ring"))
      if (const std::string here = seen_from_here(path, process); is_ring(here))
        one.ring_file = here;
  }
  if (!carries) return std::nullopt;
  one.name = first_line(process + "/comm");
  return one;
}

bool is_same(const std::string& a, const std::string& b) {
  struct stat one {
  }, other{};
  return ::stat(a.c_str(), &one) == 0 && ::stat(b.c_str(), &other) == 0 &&
         one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

}  // namespace

std::string Carrier::trace() const {
  return ring_file.empty() ? std::string() : fs::path(ring_file).parent_path().string();
}

std::optional<Carrier> carrier(uint32_t pid) {
  return carrier_at(fmt::format("/proc/{}", pid), pid);
}

std::vector<Carrier> carriers() {
  std::vector<Carrier> all;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename().string();
    if (!is_number(name)) continue;
    if (auto one = carrier_at(entry.path().string(), static_cast<uint32_t>(std::stoul(name))))
      all.push_back(std::move(*one));
  }
  std::sort(all.begin(), all.end(),
            [](const Carrier& a, const Carrier& b) { return a.pid < b.pid; });
  return all;
}

std::vector<Carrier> carriers_of(const std::string& trace) {
  std::vector<Carrier> all = carriers();
  std::erase_if(all, [&](const Carrier& one) {
    return one.ring_file.empty() || !is_same(one.trace(), trace);
  });
  return all;
}

std::string Carrier::shown_name() const { return for_terminal(name); }

bool writes_into(uint32_t pid, const std::string& trace) {
  const auto one = carrier_at(fmt::format("/proc/{}", pid), pid);
  return one && !one->ring_file.empty() && is_same(one->trace(), trace);
}

Meant trace_meant(const std::string& given) {
  std::error_code error;
  if (given.empty() || fs::is_directory(given, error)) return {trace_named(given), 0};
  std::vector<Carrier> all = carriers();
  std::erase_if(all, [&](const Carrier& one) {
    return is_number(given) ? one.pid != std::stoul(given) : one.name != given;
  });
  const bool several = std::any_of(all.begin(), all.end(), [&](const Carrier& one) {
    return one.trace() != all.front().trace();
  });
  if (all.empty())
    throw read::BadTrace(given, 0, "neither a trace nor a process that carries libsctrace.so");
  if (several) throw read::BadTrace(given, 0, "several processes have that name; name a pid");
  if (all.front().ring_file.empty())
    throw read::BadTrace(given, 0, "the process carries libsctrace.so but records nothing");
  return {all.front().trace(), all.size() == 1 ? all.front().pid : 0};
}

}  // namespace sctrace::cli
