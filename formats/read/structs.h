// One struct of the app's memory as a Value: plain ones by members.def, the others by a function
// here.
#pragma once
#include "formats/read/decode.h"

namespace sctrace::read {

// The struct at `at`; its bare address where it could not be read. `bytes`: how long the caller
// says it is.
Value structure(const Scene& s, arch::Layout layout, uint64_t at, uint64_t bytes, bool out);
// By members.def: what lies within the bytes that are known. `place`: where the bytes lie, for what
// follows them or what they point at.
struct Place {
  uint64_t at = 0;
  bool out = false;
};
Value plain(const Scene& s, arch::Layout layout, const uint8_t* bytes, const Place& place = {},
            size_t known = SIZE_MAX);
// netlink_members.cc: fields in the network's byte order and addresses. `family`: of the struct.
Value network_member(arch::Kind kind, arch::Set set, const uint8_t* at, size_t bytes,
                     uint8_t family);
Value bare_bytes(const uint8_t* at, size_t n);           // in hex in every style
Value inet6_anonymous(const uint8_t* at);                // inet_pton(AF_INET6, "::1")
Value at_place(arch::Set set, uint64_t index, Value v);  // an element by the name of its place
bool is_scalar(arch::Layout layout);
// A name in a field of so many bytes, never shortened for brevity; one without its nul lost its
// end.
Value name_in(const uint8_t* at, size_t bytes);

template <class T>
T peek(const uint8_t* at) {
  T value;
  __builtin_memcpy(&value, at, sizeof value);
  return value;
}

// Fields in their order: Builder().add("x", …).add("y", …).done().
class Builder {
 public:
  Builder& add(const char* name, Value v, bool detail = false) {
    v_.items.push_back(named(name, std::move(v)));
    v_.items.back().detail = detail;
    return *this;
  }
  Value done() { return v_; }

 private:
  Value v_ = value_of(Value::Kind::structure);
};

// Those with a function; each gets the whole struct as read.
using Bytes = std::string;  // of the struct
Value stat_value(const Scene&, const uint8_t*);
Value statx_value(const Scene&, const uint8_t*);
Value sigaction_value(const Scene&, const uint8_t*, bool out);
Value siginfo_value(const uint8_t*, size_t bytes);
Value sigevent_value(const Scene&, const uint8_t*);
Value sockaddr_value(const Scene&, const uint8_t*, size_t bytes);
bool add_rare_family(Value& v, const uint8_t* bytes, size_t n, uint16_t family);
bool add_rarest_family(const Scene&, Value& v, const uint8_t* bytes, size_t n, uint16_t family);
Value sized_value(const Scene& s, arch::Layout layout, uint64_t at, uint64_t bytes, bool out);
Value message_value(const Scene& s, uint64_t at, bool out, uint64_t filled, bool contents);
Value messages_value(const Scene& s, uint64_t at, uint64_t count, bool out);
Value directory_entries(const Scene& s, uint64_t at, uint64_t bytes, bool wide);
Value other_value(const Scene& s, arch::Layout layout, const uint8_t* bytes, uint64_t at, bool out);
Value fd_set_value(const Scene& s, const uint8_t* bytes, uint64_t count);
Value filter_program(const Scene& s, const uint8_t* bytes, bool out);
Value inet4_value(const uint8_t* at);
Value inet6_value(const uint8_t* at, const char* where);
Value hardware_address(const uint8_t* at, size_t n);
Value filter_step(const uint8_t* bytes, bool seccomp);
// Words of 32 bits in reserve: shown only where one is set.
void add_reserved(Builder& to, const char* name, const uint8_t* b, size_t count);
void add_behind(const Scene& s, Value& v, uint64_t at, uint64_t known, uint64_t bytes, bool out);
Value shared_memory(const uint8_t*,
                    bool out);  // out: as the kernel gave it; else as IPC_SET takes it
Value message_queue(const uint8_t*, bool out);
Value semaphores(const uint8_t*, bool out);
Value block_control(const Scene&, const uint8_t*);
Value clone_arguments(const Scene&, const uint8_t*, uint64_t bytes);
Value ring_parameters(const Scene&, const uint8_t*);
Value thread_area(const uint8_t*);
Value scheduling(const uint8_t*, bool kept);
// decode_rings.cc
Value ring_struct(const Scene&, arch::Layout, const uint8_t*);
Value ring_resources(const Scene& s, arch::Layout layout, uint64_t at, uint64_t bytes);
Value ring_operations(const Scene& s, uint64_t at, uint64_t count, bool out);
Value key_derivation(const Scene&, const uint8_t*);  // decode_keys.cc
// structs_mount.cc, structs_attributes.cc
Value mount_question(const Scene& s, arch::Layout layout, uint64_t at);
Value statmount_value(const Scene& s, uint64_t at, uint64_t room);
Value extended_attribute(const Scene& s, uint64_t at, uint64_t bytes);
Value file_attributes(const Scene& s, uint64_t at, uint64_t bytes, bool out);
Value security_contexts(const Scene& s, uint64_t at, uint64_t bytes, bool out);
Value stop_information(const Scene& s, uint64_t at, uint64_t bytes);  // decode_ptrace.cc
Value seccomp_metadata(const Scene& s, uint64_t at, uint64_t bytes);
Value performance_attributes(const Scene& s, uint64_t at);
// bpf.cc
Value bpf_attributes(const Scene& s, uint64_t at, uint64_t bytes, bool out);
Value instruction_value(const uint8_t* bytes);
Value option_value(const Scene& s, uint64_t at, int64_t length, bool out);

}  // namespace sctrace::read
