#include "formats/perf_header.h"

#include "formats/bytes.h"
#include "formats/tracepoints.h"

namespace sctrace::perf_header {

namespace {

constexpr uint64_t header_bytes = 104, attribute_bytes = 128;

enum SampleType : uint64_t {  // PERF_SAMPLE_*
  of_ip = 1,
  of_tid = 2,
  of_time = 4,
  of_chain = 1 << 5,
  of_cpu = 1 << 7,
  of_period = 1 << 8,
  of_raw = 1 << 10,
  of_identifier = 1 << 16,
};
// Bits of perf_event_attr: exclude_kernel, mmap, comm, task, sample_id_all, mmap2, comm_exec,
// use_clockid.
constexpr uint64_t flags =
    1u << 5 | 1u << 8 | 1u << 9 | 1u << 13 | 1u << 18 | 1u << 23 | 1u << 24 | 1u << 25;
constexpr uint32_t clock_monotonic = 1;

enum Feature : uint32_t {  // HEADER_* of tools/perf/util/header.h
  tracing_data = 1,
  build_id = 2,
  hostname = 3,
  os_release = 4,
  version = 5,
  arch = 6,
  cpu_count = 7,
  command_line = 11,
  sample_time = 21,
  clock_data = 29,
};

std::string attribute(const tracepoints::Tracepoint& of) {
  std::string to;
  put(to, uint32_t{2});  // PERF_TYPE_TRACEPOINT
  put(to, static_cast<uint32_t>(attribute_bytes));
  put(to, uint64_t{of.id});
  put(to, uint64_t{1});  // period
  put(to,
      uint64_t{of_ip | of_tid | of_time | of_chain | of_cpu | of_period | of_raw | of_identifier});
  put(to, uint64_t{0});  // read format
  put(to, flags);
  to.resize(92, '\0');
  put(to, clock_monotonic);
  to.resize(attribute_bytes, '\0');
  return to;
}

std::string string_feature(std::string_view text) {
  std::string padded, to;
  put_text(padded, text, 64);
  put(to, static_cast<uint32_t>(padded.size()));
  return to + padded;
}

std::string cpus(uint32_t count) {
  std::string to;
  put(to, count), put(to, count);
  return to;
}

}  // namespace

Header::Header(Output& to, const Session& session) : to_(to), session_(session) {
  std::string all(header_bytes, '\0');
  for (const uint64_t id : {sys_enter_id, sys_exit_id, signal_id}) put(all, id);
  uint64_t id_at = header_bytes;
  for (const tracepoints::Tracepoint* one : tracepoints::all()) {
    all += attribute(*one);
    put(all, id_at), put(all, uint64_t{sizeof id_at});  // its ids: where, and how many bytes
    id_at += sizeof id_at;
  }
  records_at_ = all.size();
  to_.write(all);
}

const read::ElfFacts& Header::object(const std::string& path) {
  const auto found = objects_.find(path);
  if (found != objects_.end()) return found->second;
  return objects_[path] = read::elf_facts(path);
}

std::string Header::build_ids() const {
  constexpr uint16_t user = 2, with_size = 1 << 15;
  std::string to;
  for (const auto& [path, facts] : objects_) {
    if (facts.build_id.empty()) continue;
    std::string name;
    put_text(name, path, 64);
    put(to, uint32_t{0});
    put(to, static_cast<uint16_t>(user | with_size));
    put(to, static_cast<uint16_t>(8 + 4 + 24 + name.size()));
    put(to, int32_t{-1});  // of any process
    std::string id = facts.build_id;
    id.resize(20, '\0');
    id += static_cast<char>(facts.build_id.size());
    id.resize(24, '\0');
    to += id + name;
  }
  return to;
}

std::string Header::features(uint64_t at, std::pair<uint64_t, uint64_t> span, uint32_t processors) {
  std::map<Feature, std::string> all;
  all[tracing_data] = tracepoints::header("0.6");
  put(all[tracing_data], uint32_t{0});  // kallsyms
  put(all[tracing_data], uint32_t{0});  // formats of printk
  put(all[tracing_data], uint64_t{0});  // names of tasks: records tell them
  if (const std::string ids = build_ids(); !ids.empty()) all[build_id] = ids;
  if (!session_.host.empty()) all[hostname] = string_feature(session_.host);
  if (!session_.kernel.empty()) all[os_release] = string_feature(session_.kernel);
  all[version] = string_feature("sctrace 0.1.0");
  all[arch] = string_feature("x86_64");
  all[cpu_count] = cpus(processors);
  if (!session_.programs.empty()) {
    const Program& first = session_.programs.front();
    put(all[command_line], static_cast<uint32_t>(first.arguments.size()));
    for (const std::string& one : first.arguments) all[command_line] += string_feature(one);
  }
  if (span.first <= span.second)
    put(all[sample_time], span.first), put(all[sample_time], span.second);
  put(all[clock_data], uint32_t{1});  // its version
  put(all[clock_data], clock_monotonic);
  put(all[clock_data], session_.began + static_cast<uint64_t>(session_.wall_offset));
  put(all[clock_data], session_.began);
  std::string table, bodies;
  const uint64_t bodies_at = at + all.size() * 16;
  uint64_t bits = 0;
  for (const auto& [feature, body] : all) {
    put(table, bodies_at + bodies.size()), put(table, uint64_t{body.size()});
    bodies += body;
    bits |= uint64_t{1} << feature;
  }
  std::string present;
  put(present, bits);
  to_.write_at(header_bytes - 32, present);  // of 256 bits the first 64
  return table + bodies;
}

void Header::finish(std::pair<uint64_t, uint64_t> span, uint32_t processors) {
  const uint64_t end = to_.position(), ids = header_bytes + 3 * sizeof(uint64_t);
  std::string head = "PERFILE2";
  put(head, header_bytes);
  put(head, attribute_bytes + 16);
  put(head, ids), put(head, records_at_ - ids);
  put(head, records_at_), put(head, end - records_at_);
  put(head, uint64_t{0}), put(head, uint64_t{0});  // event types: of an older version
  to_.write_at(0, head);
  to_.write(features(end, span, processors));
}

}  // namespace sctrace::perf_header
