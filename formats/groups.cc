#include "formats/groups.h"

#include <fmt/format.h>

#include <algorithm>

#include "arch/table.h"
#include "formats/callers.h"
#include "formats/read/decode.h"
#include "formats/read/peers.h"
#include "formats/read/table.h"
#include "formats/text.h"

namespace sctrace {

namespace {

using read::Item;

std::string last_part(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// The first descriptor of a call; -1: it has none.
int32_t descriptor_of(const read::Call& call) {
  const arch::Row& row = read::lookup(call.nr);
  for (uint8_t i = 0; i < row.arity && i < call.argc; ++i)
    if (row.args[i].kind == arch::Kind::fd) return static_cast<int32_t>(call.args[i]);
  return -1;
}

}  // namespace

std::string process_name(const read::Trace& trace, uint32_t pid) {
  const read::Image* found = nullptr;
  for (const read::Image& image : trace.images())
    if (image.pid == pid) found = &image;  // the last program that it became
  if (found) return fmt::format("{} {}", pid, last_part(found->program));
  for (const read::Image& image : trace.images())
    for (const read::Slot& slot : image.slots)
      if (slot.pid == pid) return fmt::format("{} {}", pid, last_part(image.program));
  return fmt::format("{}", pid);
}

std::vector<std::string> paths_of(const read::Call& call, const read::Files& files) {
  const arch::Row& row = read::lookup(call.nr);
  std::vector<std::string> all;
  const auto add = [&](std::string path) {
    if (!path.empty() && std::find(all.begin(), all.end(), path) == all.end())
      all.push_back(std::move(path));
  };
  int64_t from = wire::file_directory;
  bool relative = false;
  for (uint8_t i = 0; i < row.arity && i < call.argc; ++i) {
    const arch::Kind kind = row.args[i].kind;
    const auto fd = static_cast<int32_t>(call.args[i]);
    if (kind == arch::Kind::dirfd) from = fd, relative = true;
    if (kind == arch::Kind::fd) add(files.path(call.pid, fd));
    if (kind != arch::Kind::path) continue;
    const std::string name = read::string_of(call, i);
    if (!name.empty())
      add(files.resolved(call.pid, from, name));
    else if (relative && call.args[i])
      add(files.path(call.pid, from));  // AT_EMPTY_PATH
    from = wire::file_directory;
    relative = false;
  }
  return all;
}

const std::string& Groups::process(uint32_t pid) {
  std::string& name = processes_[pid];
  if (name.empty()) name = process_name(trace_, pid);
  return name;
}

void Groups::names_of(const read::Call& call, std::vector<std::string>& names) {
  switch (key_) {
    case GroupKey::syscall: names.push_back(name_of_call(call.nr)); break;
    case GroupKey::thread:
      names.push_back(fmt::format("{}/{}", process(call.pid), call.tid));
      break;
    case GroupKey::process: names.push_back(process(call.pid)); break;
    case GroupKey::path: names = paths_of(call, files_); break;
    case GroupKey::peer:
      if (std::string peer = read::peer_of(call, files_); !peer.empty()) names.push_back(peer);
      break;
    case GroupKey::fd:
      if (const int32_t fd = descriptor_of(call); fd >= 0)
        names.push_back(fmt::format("{}:{} {}", call.pid, fd, files_.path(call.pid, fd)));
      break;
    case GroupKey::stack:
      if (const Stack stack = symbols_.stack_of(call); !stack.empty())
        names.push_back(callers_of(stack) + ';' + name_of_call(call.nr));
      break;
    case GroupKey::depth:
      if (const read::Stack* stack = call.stack.get())
        names.push_back(fmt::format("{} frames{}", stack->addresses.size(),
                                    stack->flags & wire::stack_cut ? " and more" : ""));
      break;
    case GroupKey::error: break;  // only known at the end
  }
  if (names.empty()) names.emplace_back(no_group);
}

void Groups::add(const read::Counted& counted) {
  std::string name(no_group);
  if (key_ == GroupKey::syscall) name = name_of_call(counted.nr);
  if (key_ == GroupKey::process) name = process(counted.pid);
  if (key_ == GroupKey::thread) name = fmt::format("{}/{}", process(counted.pid), counted.tid);
  rows_[name].add(counted, trace_.clock());
  total_.add(counted, trace_.clock());
}

void Groups::made(const read::Call& call) {
  constexpr size_t deepest = 64;
  std::vector<Open>& open = open_[call.tid];
  if (open.size() == deepest) open.erase(open.begin());
  Open& one = open.emplace_back(Open{&call, {}});
  names_of(call, one.names);
  ++total_.unfinished;
  for (const std::string& name : one.names) ++rows_[name].unfinished;
}

// The names that it was made under.
std::vector<std::string> Groups::left(const read::Call& call) {
  std::vector<Open>& open = open_[call.tid];
  const auto one = std::find_if(open.rbegin(), open.rend(),
                                [&](const Open& other) { return other.call == &call; });
  std::vector<std::string> names;
  if (one == open.rend()) return {std::string(no_group)};
  names = std::move(one->names);
  open.erase(std::next(one).base());
  --total_.unfinished;
  for (const std::string& name : names) --rows_[name].unfinished;
  return names;
}

void Groups::came_back(const read::Call& call) {
  std::vector<std::string> names = left(call);
  if (key_ == GroupKey::error) {
    const bool failed = call.result < 0 && call.result >= -4095;
    const std::string word = failed ? errno_name(-call.result) : std::string(no_group);
    names = {word.empty() ? fmt::format("{}", -call.result) : word};
  } else if (key_ == GroupKey::peer || names.front() == no_group) {
    std::vector<std::string> known;  // accept, recvfrom: who it is shows at the end
    names_of(call, known);
    if (known.front() != no_group) names = known;
  }
  const uint64_t ns = call.finished - std::min(call.began, call.finished);
  total_.add(call.nr, call.result, ns);
  for (const std::string& name : names)
    if (times_)
      rows_[name].add(call.nr, call.result, ns);
    else
      ++rows_[name].calls;
}

void Groups::add(const Item& item) {
  switch (item.kind) {
    case Item::Kind::thread: files_.begin(*item.thread); break;
    case Item::Kind::enter:
      files_.enter(*item.call);
      made(*item.call);
      break;
    case Item::Kind::leave:
      files_.learn(*item.call);
      came_back(*item.call);
      files_.forget(*item.call);
      break;
    default: break;
  }
}

std::vector<Count> Groups::rows() const {
  std::vector<Count> all;
  for (const auto& [name, count] : rows_) {
    all.push_back(count);
    all.back().name = name;
  }
  std::sort(all.begin(), all.end(), [](const Count& a, const Count& b) {
    const uint64_t one = a.latencies.total(), other = b.latencies.total();
    return one != other ? one > other : a.name < b.name;
  });
  return all;
}

Count Groups::total() const { return total_; }

void Groups::clear() {
  const auto empty = [](Count& count) {
    const uint64_t open = count.unfinished;
    count = {};
    count.unfinished = open;
    return open == 0;
  };
  empty(total_);
  for (auto row = rows_.begin(); row != rows_.end();)
    row = empty(row->second) ? rows_.erase(row) : std::next(row);
}

}  // namespace sctrace
