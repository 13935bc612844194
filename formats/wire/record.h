// The record: what one thread writes into its ring and every reader reads back. Little-endian,
// every record a multiple of 8 bytes, no pointer into the writer's process is ever followed by a
// reader. This header is the contract between preload (writes) and formats/read (distrusts); it
// knows nobody.
//
//   block    ┌ BlockHeader ┬ record ┬ record ┬ … ┬ (rest of the block unused) ┐   one sub-buffer of
//   a ring record   ┌ units:16 │ type:8 │ flags:8 │ ticks:32 ┬ body … ┐ entry    ┌ header │ nr:16
//   site:13 argc:3 │ [site:64] │ args: 4 or 8 bytes each │ [nr:32] │ pad ┐ exit     ┌ header │
//   result:64 ┐ data     ┌ header with wanted:32 in place of ticks │ addr:48 kept:16 │ bytes,
//   padded to 8 ┐ file     ┌ header │ fd:32 mode:32 device inode special … lengths │ path │ name │
//   peer, padded to 8 ┐
#pragma once
#include <cstdint>

namespace sctrace::wire {

inline constexpr uint32_t version = 5;  // 4: no entry_ending
                                        // 3: no stacks, no build-ids
                                        // 2: no altered records, no exit_filtered, nothing settled
                                        // 1: other ring counters, no file records
inline constexpr uint32_t oldest_read = 2;  // what readers of this version still understand

// What a record is. Values are on disk: append, never renumber.
enum class Type : uint8_t {
  pad = 0,     // never written; zeroed memory must not read as a record
  entry = 1,   // a call was made: number, arguments, site. Visible before the call can block
  exit = 2,    // it came back: result as in rax, so -4095..-1 are errors
  data = 3,    // bytes at an address of the app, belonging to the entry before it
  thread = 4,  // who writes from here on: pid, tid, how it began
  signal = 5,  // a handler of the app was about to run: the first bytes of its siginfo
  lost = 6,    // so many calls were not recorded here (full, no space, rolled over)
  time = 7,    // new base for `ticks` of the records that follow
  file = 8,    // what is behind a descriptor: of the entry before it, or known when a program began
  stack = 9,   // where the entry or signal before it comes from: return addresses
  altered = 11,  // what engines made of the entry before it; data records that follow are of that
};

struct Header {
  uint16_t units;  // size of the whole record in units of 8 bytes, 1..8191
  Type type;
  uint8_t flags;   // by type, below
  uint32_t ticks;  // TSC ticks since the block's base (BlockHeader::tsc or the last `time`)
};
static_assert(sizeof(Header) == 8);

// Entry. An argument whose value fits in 32 bits takes 4 bytes, else 8; flags bit i says argument i
// is wide. How many there are is in the record: a reader needs no table to walk it.
struct Entry {
  Header header;  // flags: bits 0..5 wide arguments (or entry_ending), entry_trap, entry_far
  uint16_t nr;    // syscall number; nr_escape: the true 32-bit number follows the arguments
  uint16_t site;  // bits 0..12 index in the image's site table (with entry_far a 64-bit address
                  // follows instead), bits 13..15 how many arguments
};
static_assert(sizeof(Entry) == 12);
inline constexpr uint8_t entry_trap = 0x40;  // came in by SIGSYS, not by a stub
inline constexpr uint8_t entry_far = 0x80;   // the site's address is in the record
// Of a call with less than six arguments: a filter did not want it, and it is here only because it
// ends its thread or process. Not to be shown, nor counted (BlockHeader::calls).
inline constexpr uint8_t entry_ending = 0x20;
inline constexpr uint16_t nr_escape = 0xffff;
inline constexpr uint16_t site_bits = 0x1fff;  // all ones: no index
inline constexpr int argc_shift = 13;

struct Exit {
  Header header;  // flags: exit_*
  int64_t result;
};
static_assert(sizeof(Exit) == 16);
inline constexpr uint8_t exit_cancelled =
    1;  // a signal came before the kernel did: the call was never made
inline constexpr uint8_t exit_restarted =
    2;  // interrupted, to be made again after the handler; result is moot
inline constexpr uint8_t exit_skipped = 4;  // answered by us or by an engine, not by the kernel
inline constexpr uint8_t exit_emulated =
    8;  // made on the app's behalf in another form (virtualised)
inline constexpr uint8_t exit_filtered = 16;  // a filter did not want it: as if it were not here

// Bytes of the app's memory. `wanted` is the length that the call was about (saturates at 2^32-1);
// longer pieces come as several records in a row with data_more on all but the last.
struct Data {
  uint16_t units;
  Type type;
  uint8_t flags;  // data_*
  uint32_t wanted;
  uint64_t where;  // address in bits 0..47, bytes kept in this record in bits 48..63
};
static_assert(sizeof(Data) == 16);
inline constexpr uint8_t data_out = 1;    // COPY_TO_USER: taken after the call; else COPY_FROM_USER
inline constexpr uint8_t data_cut = 2;    // fewer bytes kept than wanted, by a setting
inline constexpr uint8_t data_fault = 4;  // memory could not be read from here on
inline constexpr uint8_t data_more = 8;   // the next data record goes on where this one ends
inline constexpr uint8_t data_redacted = 16;    // length kept, bytes dropped on purpose
inline constexpr uint8_t data_exact = 32;       // the kernel used these very bytes (exact mode)
inline constexpr uint32_t data_piece = 0x8000;  // most bytes in one data record
constexpr uint64_t data_where(uint64_t address, uint64_t kept) {
  return (address & 0xffff'ffff'ffffull) | kept << 48;
}

enum class Began : uint32_t {
  image = 0,
  clone = 1,
  fork = 2,
  vfork = 3,
  back = 4,
  adopted = 5,
  exec = 6
};
struct Thread {
  Header header;
  uint32_t pid;  // thread group id as the process itself sees it
  uint32_t tid;
  Began began;      // image/exec: first thread of a new program; back: the vfork parent goes on
  uint32_t parent;  // tid of the creator, 0 if unknown
};
static_assert(sizeof(Thread) == 24);

struct Signal {
  Header header;
  uint64_t address;     // pc at which the handler interrupted the app
  uint8_t siginfo[48];  // the head of the kernel's siginfo_t
};
static_assert(sizeof(Signal) == 64);

struct Lost {
  Header header;
  uint64_t calls;
};
static_assert(sizeof(Lost) == 16);

struct Time {
  Header header;  // ticks is 0
  uint64_t tsc;   // the new base
};
static_assert(sizeof(Time) == 16);

// What an engine made of a call, behind the memory of the entry that says what the program asked;
// or, with altered_result, right before its exit, which says what the program was shown.
struct Altered {
  Header header;  // flags: altered_*
  uint32_t nr;    // what the kernel was given: number, and
  uint32_t reserved;
  int64_t result;  // with altered_result: what the kernel answered
  uint64_t args[6];
};
static_assert(sizeof(Altered) == 72);
inline constexpr uint8_t altered_number = 1;
inline constexpr uint8_t altered_arguments = 2;
inline constexpr uint8_t altered_memory =
    4;  // what arguments point at; data records show it as made
inline constexpr uint8_t altered_result = 8;
inline constexpr uint8_t altered_delayed = 16;

// A descriptor as /proc/self/fd, fstat and the socket itself describe it: behind the thread record
// of a new program for each that it found open and for its directory; behind an entry for those
// that the call made or named and of which its arguments do not tell enough.
struct File {
  Header header;                   // flags: file_*
  int32_t fd;                      // file_directory for the working directory
  uint32_t mode;                   // st_mode: type and permissions
  uint64_t device, inode;          // st_dev, st_ino
  uint64_t special;                // st_rdev; file_left_out: how many descriptors were not told
  uint16_t path_bytes;             // of the link in /proc/self/fd, without a nul; 0: not asked for
  uint8_t name_bytes, peer_bytes;  // of the sockaddrs that follow it
  uint16_t kind, protocol;         // SO_TYPE, SO_PROTOCOL
};
static_assert(sizeof(File) == 48);
inline constexpr int32_t file_directory = -100;  // AT_FDCWD
inline constexpr uint8_t file_first = 1;         // nothing said before about descriptors holds
inline constexpr uint8_t file_left_out = 2;      // says how many there was no room for

// Where a call was made from, behind its entry: addresses of 8 bytes follow, innermost first. The
// first is behind the site, the others are where callers go on; a handler's caller is the restorer,
// and behind it comes the place that it interrupted. Behind a signal, the first is that place.
// `place` names the stack as long as its block lasts: a record with stack_again has no addresses
// but means those that went by that name.
struct Stack {
  uint16_t units;
  Type type;
  uint8_t flags;  // stack_*
  uint32_t place;
};
static_assert(sizeof(Stack) == 8);
inline constexpr uint8_t stack_again = 1;
inline constexpr uint8_t stack_cut = 2;      // goes on: as deep as was asked for
inline constexpr uint8_t stack_broken = 4;   // goes on, but nobody knows where
inline constexpr uint8_t stack_guessed = 8;  // frame pointers were believed: callers may be missing

}  // namespace sctrace::wire
