// decode(): a recorded call and the table make an Event. The rows say what each argument is; what a
// call does beyond its row is in decode_calls.cc, what a struct holds in structs*.cc.
#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "arch/table.h"
#include "formats/event.h"
#include "formats/read/decode_memory.h"
#include "formats/read/files.h"
#include "formats/read/table.h"
#include "formats/read/timeline.h"

namespace sctrace::read {

// Which descriptors are netlink sockets: what goes over them is decoded, whatever is asked for.
class NetlinkSockets {
 public:
  void learn(const Call& call);                  // once it has ended
  int protocol(uint32_t pid, int64_t fd) const;  // -1: it is none
  int carried(const Call& call) const;           // by a call that sends or receives
 private:
  std::unordered_map<uint32_t, std::unordered_map<int64_t, int>> of_;
};

// How much of what a call points at is asked for.
enum class Depth : uint8_t {
  whole,
  brief  // what is shown by -v only may be left out, where there is much of it
};

struct Scene {
  const Call& call;
  const arch::Row& row;
  const arch::Command* command;
  const Files* files;
  Memory memory;
  int netlink = -1;  // the protocol, if what goes over the descriptor is of netlink
  Depth depth = Depth::whole;
  bool coded() const { return is_coded(call.nr); }  // its row is what our code was written for
  bool ok() const { return call.ended && call.result >= 0 && !(call.how & wire::exit_restarted); }
  std::string path_of(int64_t fd) const {
    return files ? files->path(call.pid, fd) : std::string();
  }
};

Event decode(const Call& call, const Files* files = nullptr,
             const NetlinkSockets* sockets = nullptr, Depth depth = Depth::whole);
// The same without any values: numbers and the name only.
Event plain(const Call& call);

// decode_words.cc
Value word(arch::Set set, uint64_t value, bool wide = false);
Value words(arch::Set set, uint64_t value, bool wide = false);
const char* word_text(arch::Set set, uint64_t value);  // or null
Value signal_value(uint64_t number);
Value interface_value(uint32_t index);
Value user_value(uint32_t id);
Value task_value(const Scene& s, int64_t tid);  // with what it is called, if that is followed
Value ticks_value(uint64_t ticks);              // with the seconds that they are
Value mode_value(uint32_t mode);                // 0644
Value file_mode_value(uint32_t mode);           // S_IFREG|0644
Value device_value(uint64_t dev);
Value descriptor(const Scene& s, int32_t fd);
Value descriptor(const Scene& s, int32_t fd, uint32_t pid);  // one of another process
Value directory_descriptor(const Scene& s, int32_t fd);
Value scalar(const Scene& s, arch::Kind kind, arch::Set set, uint64_t raw, bool wide = false);
Value signal_set(const uint8_t* bytes, size_t n);
std::string moment(int64_t seconds, uint32_t nanoseconds = 0,
                   int digits = 0);  // for remarks; empty for 0

// decode.cc: arguments
arch::Arg effective(const Scene& s, uint8_t index);
Value argument(const Scene& s, uint8_t index);
Value text_at(const Scene& s, uint64_t at, uint64_t n, bool out);
Value payload_at(const Scene& s, uint64_t at, uint64_t n,
                 bool out);  // netlink.cc: what a socket carries
Value string_at(const Scene& s, uint64_t at, bool path, bool out = false);
Value elements(const Scene& s, arch::Layout layout, uint64_t at, uint64_t count, bool out);
Value vectors(const Scene& s, uint64_t at, uint64_t count, bool out, uint64_t filled);

// decode_calls.cc: what a call shows beyond its row
void adapt(const Scene& s, Event& event);
void adapt_prctl(const Scene& s, Event& event);
void shorten(Value& name, size_t most);          // to what the kernel reads of it; decode_odd.cc
void adapt_futex(const Scene& s, Event& event);  // decode_futex.cc
void adapt_key(const Scene& s, Event& event);    // decode_keys.cc
void adapt_ring(const Scene& s, Event& event);   // decode_rings.cc
void adapt_odd(const Scene& s, Event& event);    // decode_odd.cc: where strace has its own ways
void adapt_trace(const Scene& s, Event& event);  // decode_ptrace.cc
void adapt_security_context(const Scene& s, Event& event);  // structs_attributes.cc
void adapt_security_size(const Scene& s, Event& event, size_t index);
void adapt_option(const Scene& s, Event& event);  // decode_options.cc: getsockopt, setsockopt
// decode_result.cc
Value io_priority(uint32_t value);
Value personality_value(uint32_t value);
Value vector_length(uint64_t v, arch::Set set);  // of SVE or SME: flags and a length
Value tagged_addresses(uint64_t v);
void add_result(const Scene& s, Event& event);

}  // namespace sctrace::read
