// The packed twin of the text protocol: the same words with the same meaning, as frames. A
// controller asks for it by the line `packed`; the hub answers by the line `packed 1`, and from
// then on both send frames only. All numbers are little-endian, each payload is filled up with
// zeroes to 8 bytes.
//
//   u32 bytes   of the frame, these 16 included      u16 kind
//   u16 n       an argument, from 1; else 0          u32 pid, tid
//
// From the hub (`pid`, `tid`: the thread):
//    1 call       u32 number, u32 pieces, u64 args[6]; of each piece of its memory
//                 u64 address, u64 wanted, u32 length, u32 cut (1: there is more), its bytes
//    2 result     i64; -4095..-1 is -errno
//    3 signal     u64 number, siginfo
//    4 fork       u64 pid        5 exec  path             6 exit  u64 status     7 lost  u64
//    8 withdrawn  9 late  10 gone
//   11 data       n; u64 length, bytes
//   12 error      n: the kind of the frame that made no sense; why, in words
// To the hub (`pid` 0: the oldest report without an answer):
//   65 trace      calls, as text          66 signals  u64 0 or 1        67 limit  u64 bytes
//   68 patience   u64 ns
//   69 cont       70 step       71 skip  i64 its result       72 result  i64 what is seen
//   73 set        n; u64 length, bytes     74 get  n; nothing, or u64 offset, u64 length
//   75 deliver    76 drop       77 signal  u64
//   78 call       u32 number, u32 blocks, u64 args[6]; of each block of new memory
//                 u32 length, u32 pointers, u32 n: which argument points there, 0 none, u32 0; its
//                 bytes; of each pointer in it u32 where, u32 at which block
//   79 text       back to lines
#pragma once
#include <string>
#include <string_view>

#include "formats/device/command.h"
#include "formats/device/report.h"

namespace sctrace::device {

inline constexpr size_t frame_head = 16, longest_frame = 16 << 20;

// How long the frame at the beginning of `bytes` is; 0: not yet known. npos: it is none.
size_t frame_length(std::string_view bytes);
std::string as_frame(const Report& report, uint64_t limit);
// Empty, or why the frame makes no sense.
std::string parse_frame(std::string_view frame, Command& made);
uint16_t kind_of(std::string_view frame);

}  // namespace sctrace::device
