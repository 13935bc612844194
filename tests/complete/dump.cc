// dump TRACE: every call of a trace as numbers, in the order in which each thread made them, for
// tests that compare with somebody else's record: pid tid nr ended how result argc args… [first
// captured byte…]
#include <cinttypes>
#include <cstdio>
#include <map>
#include <vector>
#include "formats/read/timeline.h"
#include "formats/read/trace.h"

using namespace sctrace;

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    const read::Trace trace(argv[1]);
    read::Timeline timeline(trace);
    std::vector<read::Call> calls;
    std::map<std::pair<uint32_t, uint32_t>, std::vector<size_t>> open;  // a handler's calls nest
    read::Item item;
    while (timeline.next(item)) {
      if (item.kind == read::Item::Kind::lost) std::printf("lost %" PRIu64 "\n", item.lost);
      if (item.kind == read::Item::Kind::signal)
        std::printf("signal %u %u\n", item.tid, item.signal->siginfo[0]);
      if (!item.call) continue;
      auto& stack = open[{item.pid, item.tid}];
      if (item.kind == read::Item::Kind::enter) {
        stack.push_back(calls.size());
        calls.push_back(*item.call);
      } else if (item.kind == read::Item::Kind::leave && !stack.empty()) {
        while (stack.size() > 1 && calls[stack.back()].nr != item.call->nr) stack.pop_back();
        calls[stack.back()] = *item.call;
        stack.pop_back();
      }
    }
    for (const read::Call& call : calls) {
      std::printf("call %u %u %u %d %u %" PRId64 " %u", call.pid, call.tid, call.nr, call.ended,
                  call.how, call.result, call.argc);
      for (int i = 0; i < call.argc; i++) std::printf(" %" PRIx64, call.args[i]);
      std::printf(" |");
      if (!call.memory.empty())
        for (size_t i = 0; i < call.memory[0].bytes.size() && i < 8; i++)
          std::printf(" %02x", call.memory[0].bytes[i]);
      std::printf("\n");
    }
  } catch (const read::BadTrace& bad) {
    std::fprintf(stderr, "dump: %s\n", bad.what());
    return 1;
  }
  return 0;
}
