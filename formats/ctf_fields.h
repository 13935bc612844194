// Which fields a CTF event of a call has, from the table; in LTTng's words where it has some, since
// its analyses look for them.
#pragma once
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "formats/format.h"

namespace sctrace::ctf {

enum class Type : uint8_t { i32, u32, x32, o32, i64, u64, x64, text, bytes, comm };

struct Field {
  Type type = Type::i64;
  std::string name;
  uint8_t argument = 0;
};

// Ids of the events that are no calls; those of a call follow them: 2 * number, and one more.
enum Id : uint32_t {
  sched_switch,
  process_state,
  process_fork,
  process_exec,
  process_exit,
  signal_deliver,
  lost,
  unknown_entry,
  unknown_exit,
  first_call = 16
};

// Classes of streams: those of the second tell with each event who called, as LTTng's context
// callstack-user does. A thread's stream is of the first until its first stack.
enum Class : uint32_t { plain, with_callers, class_count };

struct Shape {
  std::vector<Field> entry, exit;
  bool phrase = false;  // exit ends with the call as print shows it: its arguments hold more
};

class Shapes {
 public:
  const Shape& of(uint32_t nr);  // a number of the table
  // The whole metadata of that many classes, with the events of the calls that were asked for.
  std::string metadata(const Session& session, const Losses& losses, uint32_t classes) const;

 private:
  std::unordered_map<uint32_t, Shape> used_;
  void add_events(std::string& to, uint32_t of) const;
};

std::string uuid_of(const Session& session);  // 16 bytes

}  // namespace sctrace::ctf
