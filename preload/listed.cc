#include "preload/listed.h"

#include <asm/unistd.h>

#include <cerrno>

#include "arch/x86_64/frame.h"
#include "preload/global.h"

namespace sctrace::preload {
namespace {

// How far the list goes, and how many lines that is. Children that share the image add to it, too.
constinit uint64_t used = 0, lines = 0;

// An errno now, not a SIGBUS at the store.
bool have_room_for_ids() {
  static constinit bool asked = false, there = false;
  if (asked) return there;
  asked = true;
  const uint64_t begin = reinterpret_cast<uint64_t>(global.image->ids) & ~4095ull;
  const uint64_t end = reinterpret_cast<uint64_t>(global.image + 1);
  constexpr int populate_write = 23;  // MADV_POPULATE_WRITE
  const long done = arch::raw_syscall(__NR_madvise, begin, end - begin, populate_write);
  return there = done == 0 || done == -EINVAL;
}

// A library that comes and goes at one place is there once: in which line, or ~0.
uint64_t place_of(Line& line) {
  const char* all = global.image->objects;
  uint64_t number = 0;
  for (uint64_t at = 0; at + line.size() <= used; ++at, ++number) {
    if (!__builtin_memcmp(all + at, line.c_str(), line.size())) return number;
    while (all[at] != '\n' && at < used) ++at;
  }
  return ~0ull;
}

void tell_id(const Listed& object, uint64_t place) {
  if (place >= wire::object_ids || !have_room_for_ids()) return;
  wire::ObjectId& id = global.image->ids[place];
  const uint8_t size = object.build_id.size;
  const uint64_t kept = size < sizeof id.build_id ? size : sizeof id.build_id;
  __builtin_memcpy(id.build_id, object.build_id.bytes, kept);
  const uint64_t pages = (object.bytes + 4095) / 4096;
  id.pages = pages >> 32 ? 0 : static_cast<uint32_t>(pages);
}

}  // namespace

BuildId build_id_in(const rewriter::Bytes& notes) {
  constexpr uint32_t gnu_build_id = 3, name_bytes = 4;
  for (uint64_t at = notes.address;;) {
    const auto name = notes.read<uint32_t>(at), size = notes.read<uint32_t>(at + 4),
               type = notes.read<uint32_t>(at + 8), word = notes.read<uint32_t>(at + 12);
    if (!name || !size || !type || *name != name_bytes) return {};
    const auto bytes = notes.part(at + 16, *size);
    BuildId found{};
    if (*type == gnu_build_id && word == 0x00554e47u /* GNU */ && !bytes.empty() &&
        bytes.size() <= sizeof found.bytes) {
      __builtin_memcpy(found.bytes, bytes.data(), bytes.size());
      found.size = static_cast<uint8_t>(bytes.size());
      return found;
    }
    at += 16 + ((uint64_t{*size} + 3) & ~3ull);
  }
}

// Seen by a reader whole: the first byte of a line is stored last.
void list_object(const Listed& object) {
  char* to = global.image->objects;
  for (; used < wire::objects_bytes && to[used]; ++used) lines += to[used] == '\n';
  Line line;
  line.hex(object.base).text(" ").text(object.path, object.path_bytes).text("\n");
  if (used + line.size() >= wire::objects_bytes) return;
  const uint64_t place = object.again ? place_of(line) : ~0ull;
  const bool is_there = place != ~0ull;
  if (global.knows_frames || global.config.stack != Stacks::off)
    tell_id(object, is_there ? place : lines);
  if (is_there) return;
  for (size_t i = 1; i < line.size(); ++i) to[used + i] = line.c_str()[i];
  reinterpret_cast<std::atomic<char>*>(to + used)->store(*line.c_str(), std::memory_order_release);
}

}  // namespace sctrace::preload
