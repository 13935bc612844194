#include "formats/read/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "formats/read/metadata.h"
#include "formats/read/trace_file.h"
#include "formats/wire/counters.h"
#include "formats/wire/metadata.h"

namespace sctrace::read {

namespace fs = std::filesystem;

BadTrace::BadTrace(std::string in, uint64_t at, std::string because)
    : std::runtime_error(at ? fmt::format("{}: offset {}: {}", in, at, because)
                            : fmt::format("{}: {}", in, because)),
      file(std::move(in)),
      offset(at),
      why(std::move(because)) {}

void Damages::add(const std::string& file, uint64_t offset, std::string why) {
  constexpr size_t enough = 1000;  // nobody reads more, and a hostile file could give millions
  if (++count <= enough) kept.push_back({file, offset, std::move(why)});
}

bool Image::is_live() const {
  return std::any_of(slots.begin(), slots.end(),
                     [](const Slot& slot) { return slot.state == wire::RingState::live; });
}

namespace {

std::string text(const char* bytes, size_t limit) { return {bytes, strnlen(bytes, limit)}; }

std::string readable() {
  if (wire::oldest_read == wire::version) return fmt::format("version {}", wire::version);
  return fmt::format("versions {} to {}", wire::oldest_read, wire::version);
}

// What both kinds of file begin with.
void check_start(const std::string& file, uint64_t magic, uint64_t expected, uint32_t version,
                 uint32_t order, const char* what) {
  if (magic == __builtin_bswap64(expected) ||
      (magic == expected && order == __builtin_bswap32(wire::byte_order)))
    throw BadTrace(file, 0, "written with the other byte order");
  if (magic != expected) throw BadTrace(file, 0, fmt::format("not {} of a sctrace trace", what));
  if (version < wire::oldest_read || version > wire::version)
    throw BadTrace(file, offsetof(wire::Session, version),
                   fmt::format("version {}, this sctrace reads {}", version, readable()));
  if (order != wire::byte_order)
    throw BadTrace(file, offsetof(wire::Session, order), "byte order mark makes no sense");
}

// PID-N.ring, both numbers decimal.
bool is_ring_name(const std::string& name) {
  const size_t dash = name.find('-'), dot = name.find(".ring");
  if (dash == std::string::npos || dot == std::string::npos || dot + 5 != name.size()) return false;
  const auto digits = [&](size_t from, size_t to) {
    return from < to && name.find_first_not_of("0123456789", from) >= to;
  };
  return digits(0, dash) && digits(dash + 1, dot);
}

bool is_unborn(const std::string& path) {
  const File file(path);
  uint64_t magic = 0;
  return file.read(0, &magic, sizeof magic) < sizeof magic || magic == 0;
}

}  // namespace

Trace::Trace(const std::string& directory, std::vector<BadTrace>* refused) : directory_(directory) {
  std::error_code error;
  const fs::file_status status = fs::status(directory, error);
  if (status.type() == fs::file_type::not_found) throw BadTrace(directory, 0, "no such trace");
  if (!fs::is_directory(status)) throw BadTrace(directory, 0, "not a trace: it is no directory");
  read_session();
  read_metadata();
  read_images(refused);
}

void Trace::read_session() {
  const std::string path = directory_ + "/" + wire::session_name;
  std::error_code error;
  if (!fs::exists(path, error))
    throw BadTrace(directory_, 0, "not a trace: it holds no file `session`");
  const File file(path);
  wire::Session session{};
  const size_t got = file.read(0, static_cast<void*>(&session), sizeof session);
  if (got == 0) throw BadTrace(path, 0, "empty: the traced program ended before its trace began");
  if (got < sizeof session) throw BadTrace(path, got, "truncated");
  check_start(path, session.magic, wire::session_magic, session.version, session.order,
              "the session");
  version_ = session.version;
  max_bytes_ = session.max_bytes;
  stopped_ = session.stopped != 0;
  host_ = text(session.host, sizeof session.host);
  kernel_ = text(session.kernel, sizeof session.kernel);
}

void Trace::read_metadata() {
  const std::string path = directory_ + "/" + wire::metadata_name;
  std::error_code error;
  try {
    if (fs::exists(path, error)) {
      const File file(path);
      std::string bytes(std::min<uint64_t>(file.size(), metadata_most), '\0');
      bytes.resize(file.read(0, bytes.data(), bytes.size()));
      table_ = bytes == built_in_text() ? built_in() : table_from(bytes, path, built_in());
    }
  } catch (const BadTrace& bad) {
    damages_.add(bad.file, bad.offset, bad.why);
  }
  use(table_);
}

std::vector<std::string> Trace::ring_files() const {
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory_, error))
    if (is_ring_name(entry.path().filename().string())) paths.push_back(entry.path().string());
  if (error) throw BadTrace(directory_, 0, error.message());
  std::sort(paths.begin(), paths.end());
  return paths;
}

void Trace::read_images(std::vector<BadTrace>* refused) {
  for (const std::string& path : ring_files()) {
    try {
      if (is_unborn(path))
        unborn_.push_back(path);
      else
        images_.push_back(open_image(path, damages_));
    } catch (const BadTrace& bad) {
      if (!refused) throw;
      refused->push_back(bad);
    }
  }
  std::stable_sort(images_.begin(), images_.end(),
                   [](const Image& a, const Image& b) { return a.first.tsc < b.first.tsc; });
  settle_clock({});
}

void Trace::settle_clock(const wire::Anchor& now) {
  std::vector<Clock::Pair> anchors;
  for (const Image& image : images_) anchors.push_back({image.first, image.last});
  if (now.tsc && !images_.empty()) anchors.push_back({images_.front().first, now});
  clock_ = Clock(anchors);
}

void Trace::grow(const wire::Anchor& now) {
  for (Image& image : images_) look_again(image, damages_);
  const auto is_known = [&](const std::string& path) {
    return std::any_of(images_.begin(), images_.end(),
                       [&](const Image& image) { return image.ring_file == path; });
  };
  unborn_.clear();
  for (const std::string& path : ring_files()) {
    if (is_known(path)) continue;
    if (is_unborn(path))
      unborn_.push_back(path);
    else
      images_.push_back(open_image(path, damages_));
  }
  settle_clock(now);
}

namespace {

constexpr uint64_t block_least = 256, blocks_most = 65536;
constexpr uint64_t ring_most = uint64_t{1} << 36;
constexpr uint32_t slots_most =
    1 << 17;  // 12 times the most threads we promise; bounds what a lie can cost

// A thread that found no ring left has counted itself in `slots_used` all the same.
uint32_t rings_of(const wire::Image& image) {
  return std::min<uint32_t>(image.slots_used, image.slots);
}

void check_geometry(const std::string& file, const wire::Image& image, uint64_t file_bytes) {
  const auto refuse = [&](size_t offset, const char* why) { throw BadTrace(file, offset, why); };
  if (image.header_bytes < sizeof(wire::Image) || image.header_bytes % 8 ||
      image.header_bytes > 1 << 24)
    refuse(offsetof(wire::Image, header_bytes), "size of the header makes no sense");
  if (image.block_bytes < block_least || image.block_bytes % 8 || image.block_bytes > ring_most)
    refuse(offsetof(wire::Image, block_bytes), "size of a block makes no sense");
  if (image.ring_bytes < image.block_bytes || image.ring_bytes > ring_most ||
      image.ring_bytes % image.block_bytes || image.ring_bytes / image.block_bytes > blocks_most)
    refuse(offsetof(wire::Image, ring_bytes), "size of a ring makes no sense");
  if (image.slot_bytes != wire::ring_header_bytes + image.ring_bytes)
    refuse(offsetof(wire::Image, slot_bytes), "size of a slot does not agree with that of a ring");
  if (static_cast<uint32_t>(image.mode) > static_cast<uint32_t>(wire::Mode::counts))
    refuse(offsetof(wire::Image, mode), "unknown mode");
  if (image.mode == wire::Mode::counts && image.ring_bytes < wire::counters_bytes)
    refuse(offsetof(wire::Image, ring_bytes), "no room for counters");
  const uint32_t used = rings_of(image);
  if (used > slots_most)
    refuse(offsetof(wire::Image, slots_used), "more rings than anybody has threads");
  if (image.site_count > wire::site_max)
    refuse(offsetof(wire::Image, site_count), "more sites than the table holds");
  if (bytes_of(image) > file_bytes)  // < 2^24 + 2^17 * 2^37: no overflow
    throw BadTrace(file, file_bytes,
                   fmt::format("truncated: {} rings need {} bytes", used, bytes_of(image)));
}

// Reads a ring's header until two readings agree: a 64-bit field copied by the kernel while its
// owner writes it could be torn. pairs with the release store of `head` in preload/ring_writer.
Slot read_slot(const File& file, uint64_t offset) {
  Slot slot;
  uint64_t before = ~uint64_t{0};
  for (int round = 0; round < 8; ++round) {
    wire::RingHeader ring{};
    if (file.read(offset, static_cast<void*>(&ring), sizeof ring) < sizeof ring)
      throw BadTrace(file.path(), offset, "truncated in a ring's header");
    slot = {.state = ring.state,
            .pid = ring.pid,
            .tid = ring.tid,
            .head = ring.head,
            .drained = ring.drained,
            .rotated = ring.rotated,
            .spent = ring.spent,
            .settled = ring.settled,
            .calls_stub = ring.calls_stub,
            .calls_trap = ring.calls_trap,
            .untraced = ring.untraced,
            .filtered = ring.filtered,
            .lost = ring.lost,
            .cut = ring.cut,
            .inexact = ring.inexact,
            .signals = ring.signals};
    if (slot.state != wire::RingState::live || slot.head == before) break;
    before = slot.head;
  }
  return slot;
}

// A ring's own claims, clipped to what can be so.
void clip(Slot& slot, const Image& image, uint64_t offset, Damages& damages) {
  const auto lie = [&](size_t field, const char* why) {
    damages.add(image.ring_file, offset + field, why);
  };
  if (static_cast<uint32_t>(slot.state) > static_cast<uint32_t>(wire::RingState::full)) {
    lie(offsetof(wire::RingHeader, state), "state of the ring makes no sense");
    slot.state = wire::RingState::done;
  }
  if (slot.head > uint64_t{1} << 60) {
    lie(offsetof(wire::RingHeader, head), "head of the ring makes no sense");
    slot.head = 0;
  }
  if (slot.rotated > slot.head || slot.rotated % image.block_bytes) {
    lie(offsetof(wire::RingHeader, rotated), "rotated part of the ring makes no sense");
    slot.rotated = 0;
  }
  if (image.mode == wire::Mode::overwrite) return;
  const uint64_t least = slot.head > image.ring_bytes ? slot.head - image.ring_bytes : 0;
  if (slot.drained > slot.head || slot.drained % image.block_bytes || slot.drained < least) {
    lie(offsetof(wire::RingHeader, drained),
        "drained part of the ring does not agree with its head");
    slot.drained = (least + image.block_bytes - 1) / image.block_bytes * image.block_bytes;
  }
}

void read_slots(const File& file, uint32_t used, Image& image, Damages& damages) {
  if (image.slots.size() < used) image.slots.resize(used);
  for (uint32_t n = 0; n < image.slots.size(); ++n) {
    image.slots[n] = read_slot(file, image.slot_offset(n));
    clip(image.slots[n], image, image.slot_offset(n), damages);
  }
}

// Those that follow the last which is not empty are room that was not needed.
std::vector<std::string> apart(const char* argv, size_t limit) {
  while (limit && !argv[limit - 1]) --limit;
  std::vector<std::string> all;
  for (size_t at = 0; at < limit; at += all.back().size() + 1)
    all.push_back(text(argv + at, limit - at));
  return all;
}

std::string joined(const std::vector<std::string>& arguments) {
  std::string all;
  for (const std::string& one : arguments) all += (all.empty() ? "" : " ") + one;
  return all;
}

std::unique_ptr<wire::Image> read_header(const File& file) {
  auto header = std::make_unique<wire::Image>();
  const size_t got = file.read(0, static_cast<void*>(header.get()), sizeof *header);
  if (got < sizeof(wire::Session))
    throw BadTrace(file.path(), got, "truncated in the image's header");
  check_start(file.path(), header->magic, wire::image_magic, header->version, header->order,
              "an image");
  if (got < sizeof *header) throw BadTrace(file.path(), got, "truncated in the image's header");
  return header;
}

}  // namespace

std::unique_ptr<wire::Image> header_of(const std::string& ring_file) {
  return read_header(File(ring_file));
}

uint64_t bytes_of(const wire::Image& header) {
  return header.header_bytes + rings_of(header) * header.slot_bytes;
}

Image open_image(const std::string& ring_file, Damages& damages) {
  const File file(ring_file);
  const std::unique_ptr<wire::Image> header = read_header(file);
  check_geometry(ring_file, *header, file.size());
  Image image;
  image.ring_file = ring_file;
  image.data_file = ring_file.substr(0, ring_file.size() - 4) + "data";
  image.pid = header->pid, image.ppid = header->ppid;
  image.mode = header->mode;
  image.header_bytes = header->header_bytes, image.slot_bytes = header->slot_bytes;
  image.ring_bytes = header->ring_bytes, image.block_bytes = header->block_bytes;
  image.first = header->first, image.last = header->last[header->last_turn & 1];
  image.sud = header->sud, image.site_count = header->site_count;
  image.sites_refused = header->sites_refused;
  image.program = text(header->program, sizeof header->program);
  const size_t behind = image.program.size() + 1;
  if (behind < sizeof header->program)
    image.executed = text(header->program + behind, sizeof header->program - behind);
  image.environment = header->environment, image.variables = header->variables;
  image.arguments = apart(header->command, sizeof header->command);
  image.command = joined(image.arguments);
  image.slots_most = std::min(header->slots, slots_most);
  read_slots(file, rings_of(*header), image, damages);
  return image;
}

void look_again(Image& image, Damages& damages) {
  const File file(image.ring_file);
  uint32_t used = 0, turn = 0;
  wire::Anchor last[2] = {};
  file.read(offsetof(wire::Image, slots_used), &used, sizeof used);
  file.read(offsetof(wire::Image, last_turn), &turn, sizeof turn);
  file.read(offsetof(wire::Image, last), last, sizeof last);
  image.last = last[turn & 1];
  read_slots(file, std::min(used, image.slots_most), image, damages);
}

}  // namespace sctrace::read
