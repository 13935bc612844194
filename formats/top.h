// What `sctrace top` shows: calls of the last interval by call, descriptor, file or thread. Fed
// with the items of a timeline; knows nothing of terminals.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "formats/counts.h"
#include "formats/read/decode.h"
#include "formats/wire/expression.h"

namespace sctrace {

enum class TopBy : uint8_t { call, fd, path, thread };
enum class TopKey : uint8_t { calls, errors, time, p99, bytes, name };

struct TopRow {
  std::string name;
  uint64_t calls = 0, errors = 0, bytes = 0;  // of the interval
  uint64_t ever = 0;                          // calls since we look
  Latencies latencies;
};

class Top {
 public:
  TopBy by = TopBy::call;
  TopKey key = TopKey::calls;
  uint32_t pid = 0;         // only this process; 0: all
  wire::Expression filter;  // and only calls of which this is so

  void add(const read::Item& item);  // every item, in order: what descriptors are is learnt
  // What a thread has counted by now: what is new of it.
  void add(const read::Counted& counted, const read::Clock& clock);
  void turn(uint64_t ns);  // ends an interval of this length
  void forget();           // rows of another kind are to come
  // `lines` of at most `width` characters: a line on all, one of titles, then the rows.
  std::string table(const std::string& subject, size_t width, size_t lines) const;
  uint64_t lost() const { return lost_; }

 private:
  std::vector<std::string> keys_of(const read::Call& call) const;
  void count(const read::Call& call);
  bool comes_first(const TopRow& a, const TopRow& b) const;

  read::Files files_;
  std::map<std::string, TopRow> rows_;
  std::map<std::pair<uint32_t, uint32_t>, read::Counted> counted_;  // by thread and call
  std::vector<TopRow> shown_;
  uint64_t interval_ = 0, lost_ = 0;
};

std::string short_number(uint64_t n);  // 999, 1.2k, 34k, 5.6M: at most 5 characters

}  // namespace sctrace
