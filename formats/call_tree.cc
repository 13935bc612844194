#include "formats/call_tree.h"

#include <fmt/format.h>

#include <algorithm>

#include "arch/table.h"
#include "formats/callers.h"
#include "formats/read/table.h"

namespace sctrace {

namespace {

std::string last_part(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string frame_name(const Frame& frame, bool alike) {
  const bool differs = frame.symbol.empty() && frame.object.empty();
  return alike && differs ? "[unknown]" : name_of(frame);
}

}  // namespace

uint64_t bytes_of(const Event& e) {
  const bool counts = e.ended && e.result > 0 && read::lookup(e.nr).result == arch::Result::count;
  return counts ? static_cast<uint64_t>(e.result) : 0;
}

CallTree::CallTree(bool alike) : alike_(alike) { nodes_.push_back({.name = word("all")}); }

uint32_t CallTree::word(std::string_view text) {
  const auto [at, is_new] = words_.try_emplace(std::string(text), names_.size());
  if (is_new) names_.emplace_back(text);
  return at->second;
}

uint32_t CallTree::child(uint32_t parent, uint32_t name, Kind kind, uint32_t pid, uint32_t tid) {
  const auto [at, is_new] =
      children_.try_emplace(uint64_t{parent} << 32 | name, static_cast<uint32_t>(nodes_.size()));
  if (is_new)
    nodes_.push_back({.parent = parent, .name = name, .kind = kind, .pid = pid, .tid = tid});
  return at->second;
}

void CallTree::birth(const Birth& birth) {
  if (birth.program) {
    programs_[birth.pid] = last_part(birth.program->path);
    for (auto& [tid, thread] : threads_)
      if (thread.node && nodes_[thread.node].pid == birth.pid) thread.node = 0;
  }
  threads_[birth.tid] = {0, birth.name};
}

void CallTree::name(const Naming& naming) { threads_[naming.tid] = {0, naming.name}; }

uint32_t CallTree::thread_node(uint32_t pid, uint32_t tid) {
  Thread& thread = threads_[tid];
  if (thread.node) return thread.node;
  const std::string& program = programs_[pid];
  std::string process_name = program.empty() ? "process" : program;
  std::string thread_name = thread.name.empty() ? "thread" : thread.name;
  if (!alike_) process_name += fmt::format(" ({})", pid), thread_name += fmt::format(" [{}]", tid);
  const uint32_t process = child(0, word(process_name), Kind::process, pid, 0);
  return thread.node = child(process, word(thread_name), Kind::thread, pid, tid);
}

uint32_t CallTree::caller_node(uint32_t thread, const Event& e) {
  if (e.stack.empty()) return thread;
  uint32_t& node =
      callers_.of(e.stack, [] { return std::unordered_map<uint32_t, uint32_t>(); })[thread];
  if (node) return node;
  node = thread;
  for (auto frame = e.stack.rbegin(); frame != e.stack.rend(); ++frame)
    node = child(node, word(frame_name(*frame, alike_)), Kind::frame, e.pid, e.tid);
  return node;
}

void CallTree::add(const Event& e) {
  if (!e.ended) return;
  uint32_t node = caller_node(thread_node(e.pid, e.tid), e);
  node = child(node, word(e.name), Kind::call, e.pid, e.tid);
  const Weight one{1, spent(e), bytes_of(e)};
  for (Weight* to : {&nodes_[node].self, &total_})
    to->calls += one.calls, to->ns += one.ns, to->bytes += one.bytes;
}

void CallTree::lost(const Loss& loss) {
  const uint32_t thread = thread_node(loss.pid, loss.tid);
  const char* what = loss.calls ? "[calls lost]" : "[gap: nobody knows how many calls]";
  nodes_[child(thread, word(what), Kind::loss, loss.pid, loss.tid)].self.calls += loss.calls;
}

std::vector<uint32_t> CallTree::path(uint32_t node) const {
  std::vector<uint32_t> all;
  for (; node; node = nodes_[node].parent) all.push_back(node);
  std::reverse(all.begin(), all.end());
  return all;
}

}  // namespace sctrace
