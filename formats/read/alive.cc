#include "formats/read/alive.h"

namespace sctrace::read {

void Alive::begin(const Thread& thread) {
  std::set<uint32_t>& threads = threads_[thread.pid];
  switch (thread.began) {
    case wire::Began::image:
    case wire::Began::exec:
    case wire::Began::fork:
    case wire::Began::vfork: threads.clear(); break;
    case wire::Began::clone:
    case wire::Began::back:
    case wire::Began::adopted: break;
  }
  threads.insert(thread.tid);
}

bool Alive::ends_alone(uint32_t pid, uint32_t tid) {
  const auto found = threads_.find(pid);
  if (found == threads_.end() || tid == pid || found->second.size() < 2) return false;
  return found->second.erase(tid) != 0;
}

std::vector<uint32_t> Alive::end_others(uint32_t pid, uint32_t but) {
  const auto found = threads_.find(pid);
  if (found == threads_.end()) return {};
  std::vector<uint32_t> ended;
  for (const uint32_t tid : found->second)
    if (tid != pid && tid != but) ended.push_back(tid);
  for (const uint32_t tid : ended) found->second.erase(tid);
  return ended;
}

uint32_t Alive::end_process(uint32_t pid, uint32_t tid) {
  const auto found = threads_.find(pid);
  if (found == threads_.end()) return tid;
  const bool knows_first = found->second.contains(pid);
  threads_.erase(found);
  return knows_first ? pid : tid;
}

}  // namespace sctrace::read
