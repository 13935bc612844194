// The vocabulary of the table (syscalls.def): what an argument is, which way its memory goes and
// what measures it. Capture (preload), text and every format read the same rows; a row is data,
// never code.
#pragma once
#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace sctrace::arch {

// How a value reads. The kinds from `path` on point at memory of the app.
enum class Kind : uint8_t {
  none,
  number,
  unsigned_number,
  hexadecimal,
  octal,  // plain integers of 32 bits
  long_number,
  long_unsigned,
  long_hexadecimal,  // the same over all 64 bits
  fd,
  dirfd,
  pid,
  uid,
  gid,
  signal_number,
  count,
  offset,
  mode,
  device,
  file_mode,  // a mode with the type of the file in it (mknod, st_mode)
  flags,
  choice,  // words of Arg::set, or'ed or one of; 64 bits with Arg::wide
  key,
  code,     // choice that is a plain number when it has no word: signed, hexadecimal
  address,  // a pointer that nobody follows
  time,
  clock_ticks,
  limit,
  fsid,
  epoll_data,  // seconds since 1970, ticks of times(), RLIM_INFINITY, … (in structs)
  interface,   // the index of a network interface
  // clang-format off
  // of the network's byte order, as htons() or htonl() makes it; addresses, bare bytes (in structs)
  network, network_hexadecimal, network_choice, hardware, raw_bytes, inet4, inet6,
  // clang-format on
  padding,          // hexadecimal, shown only where it is not zero (in structs)
  socket_identity,  // what sock_diag calls a socket by; its family is the struct's first byte
  command,          // selects what the `variant` arguments are
  path,
  string,     // ended by a nul; in
  buffer,     // plain bytes; bounded by SCTRACE_STRSIZE
  structure,  // one struct of Arg::layout, whole
  array,      // elements of Arg::layout, whole
  iovec,
  msghdr,
  mmsghdr,
  strings,  // nested: iovec[n], struct msghdr, struct mmsghdr[n], char*[] up to NULL
  variant,  // what it is depends on the `command` argument (commands.def)
};

enum class Way : uint8_t { none = 0, in = 1, out = 2, both = 3 };

// Where a length comes from: `which` is the index of an argument; in elements of `element` bytes.
enum class Measure : uint8_t {
  none,      // one element
  argument,  // the value of argument `which`
  result,    // what the call returned (out only)
  pointed,   // the uint32_t that argument `which` points at (before the call for in; after it, but
             // no more than before, for out)
  nul,       // ends with a zero byte
  bits,      // argument `which`, 32 bits signed, counts bits, kept in whole words of 8 bytes
  pages,  // one byte for each 4 KiB page that argument `which` bytes reach into: (n + 4095) / 4096
};

// What the return value is.
enum class Result : uint8_t {
  number,
  count,
  fd,
  offset,
  address,
  hexadecimal,
  pid,
  uid,
  gid,
  octal,
  never,
  ticks
};

// Named words for flags and choices (names.def) and kernel structs (structs.def).
enum class Set : uint16_t {
  none,
#define SET(name, ...) name,
#define WORD(...)
#define PART(...)
#define SHIFTED(...)
#define OCTAL(...)
#define DECIMAL(...)
#define SIGNAL(...)
#define END_SET
#include "arch/names.def"
#undef SET
#undef WORD
#undef PART
#undef SHIFTED
#undef OCTAL
#undef DECIMAL
#undef SIGNAL
#undef END_SET
};

enum class Layout : uint16_t {
  none,
#define STRUCT(name, bytes) name,
#include "arch/structs.def"
#undef STRUCT
};

inline constexpr uint32_t layout_bytes[] = {
    1,
#define STRUCT(name, bytes) bytes,
#include "arch/structs.def"
#undef STRUCT
};

struct Arg {
  const char* name = nullptr;
  Kind kind = Kind::none;
  Way way = Way::none;
  Measure measure = Measure::none;
  uint8_t which =
      0;  // argument index for Measure::argument and ::pointed, and of a variant's command
  Set set = Set::none;
  Layout layout = Layout::none;
  uint8_t given_by =
      0;  // index of the argument whose bits `given` say whether this one is there at all
  bool wide = false;     // flags, choice: all 64 bits count
  uint8_t head = 0;      // bytes in front of the measured ones (the type of a msgbuf)
  uint32_t element = 1;  // bytes an element
  uint32_t given = 0;    // 0: always there
  const char* given_name = nullptr;
  const char* measured_by =
      nullptr;  // as written in the row; resolved into measure/which at compile time
};

// strace's classes, as in -e trace=%name; a call may be in several.
enum Class : uint32_t {
  file = 1,
  descriptor = 2,
  process = 4,
  network = 8,
  memory = 16,
  signal = 32,
  ipc = 64,
  creds = 128,
  clock = 256,
  stat_like = 512,
  lstat_like = 1024,
  fstat_like = 2048,
  statfs_like = 4096,
  fstatfs_like = 8192,
  pure = 16384,
};

struct Row {
  const char* name = nullptr;
  Result result = Result::number;
  uint8_t arity = 6;
  bool whole = false;  // false: no row in syscalls.def; six hexadecimal arguments
  uint32_t classes = 0;
  Arg args[6] = {};
};

// What a command of fcntl, ioctl, prctl, … makes of its `variant` arguments (commands.def), in
// their order. Variants beyond `count` are not passed at all.
struct Command {
  uint16_t nr = 0;  // syscall
  uint8_t count = 0;
  uint64_t value = 0;  // the command
  Arg args[5] = {};
};

// A pointer inside a struct: behind it lies one `to`, or as many as the number at `length_at` says
// (`length_bytes` 0: one). `inside`: no pointer, they follow there. Capture goes on so; links.def.
inline constexpr uint8_t until_nul = 0xff;    // as length_bytes: there is a string
inline constexpr uint8_t by_argument = 0xfe;  // as length_bytes: argument `length_at` counts them
struct Link {
  Layout from, to;
  uint16_t pointer_at, length_at;
  uint8_t length_bytes;
  bool inside = false;
  uint32_t when = 0;                  // only where the struct has this word at `when_at`; 0: always
  uint16_t when_at = 0, least = 0;    // and is at least so long
  bool filled = false, data = false;  // by the kernel: nothing to take before the call · a buffer
  uint8_t argument = 0;               // which is the pointer; 0: it is in the struct
};

}  // namespace sctrace::arch
