#include "tests/support/scratch_trace.h"

#include <stdlib.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "arch/table.h"

namespace sctrace::test {

namespace {
template <class Record>
std::string_view bytes_of(const Record& record) {
  return {reinterpret_cast<const char*>(&record), sizeof record};
}

wire::Header header_of(uint64_t bytes, wire::Type type, uint8_t flags, uint32_t ticks) {
  return {static_cast<uint16_t>(bytes / 8), type, flags, ticks};
}
}  // namespace

std::string contents(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void overwrite(const std::string& file, std::string_view bytes) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!out.flush()) throw std::runtime_error("cannot write " + file);
}

ScratchRing::ScratchRing(ScratchTrace& trace, wire::Image& image, std::string& data, uint32_t slot)
    : trace_(trace), image_(image), data_(data), slot_(slot), bytes_(image.ring_bytes, '\0') {
  header_.state = wire::RingState::done;
}

void ScratchRing::begin_block() {
  const uint64_t sequence = header_.head / image_.block_bytes;
  base_ = trace_.now_;
  const wire::BlockHeader block{.magic = wire::block_magic,
                                .slot = slot_,
                                .sequence = sequence,
                                .tsc = base_,
                                .lost = header_.lost,
                                .pid = pid_,
                                .tid = tid_,
                                .used = 0,
                                .calls = 0};
  const uint64_t at = header_.head % image_.ring_bytes;
  if (image_.mode == wire::Mode::stream && header_.head - header_.drained == image_.ring_bytes) {
    const uint64_t oldest =
        header_.drained % image_.ring_bytes;  // to the data file, as its writer would
    data_ += bytes_.substr(oldest, image_.block_bytes);
    header_.drained += image_.block_bytes;
    ++image_.data_blocks;
  }
  bytes_.replace(at, sizeof block, bytes_of(block));
  header_.head += sizeof block;
  open_ = true;
}

void ScratchRing::end_block() {
  const uint64_t start =
      (header_.head - 1) / image_.block_bytes * image_.block_bytes;  // it may be full
  const auto used = static_cast<uint32_t>(header_.head - start);
  bytes_.replace(start % image_.ring_bytes + offsetof(wire::BlockHeader, used), sizeof used,
                 bytes_of(used));
  header_.head = start + image_.block_bytes;
  open_ = false;
}

uint8_t* ScratchRing::room(uint64_t bytes) {
  const uint64_t filled = (header_.head - 1) % image_.block_bytes + 1;
  if (open_ && filled + bytes > image_.block_bytes) end_block();
  if (!open_) begin_block();
  uint8_t* at = reinterpret_cast<uint8_t*>(bytes_.data()) + header_.head % image_.ring_bytes;
  std::memset(at, 0, bytes);
  header_.head += bytes;
  return at;
}

// Called after room(), which may have begun a block and so the base.
uint32_t ScratchRing::ticks() {
  trace_.now_ += 1000;
  return static_cast<uint32_t>(trace_.now_ - base_);
}

ScratchRing& ScratchRing::raw(std::string_view bytes) {
  std::memcpy(room(bytes.size()), bytes.data(), bytes.size());
  return *this;
}

ScratchRing& ScratchRing::live() {
  header_.state = wire::RingState::live;
  return *this;
}

ScratchRing& ScratchRing::file(wire::File file, std::string_view path, std::string_view name,
                               std::string_view peer) {
  const std::string told = std::string(path) + std::string(name) + std::string(peer);
  const uint64_t size = sizeof file + (told.size() + 7) / 8 * 8;
  uint8_t* at = room(size);
  file.header = header_of(size, wire::Type::file, file.header.flags, ticks());
  file.path_bytes = static_cast<uint16_t>(path.size());
  file.name_bytes = static_cast<uint8_t>(name.size());
  file.peer_bytes = static_cast<uint8_t>(peer.size());
  std::memcpy(at, static_cast<const void*>(&file), sizeof file);
  std::memcpy(at + sizeof file, told.data(), told.size());
  return *this;
}

ScratchRing& ScratchRing::skip_block() {
  if (open_) end_block();
  header_.head += image_.block_bytes;
  return *this;
}

ScratchRing& ScratchRing::thread(uint32_t pid, uint32_t tid, wire::Began began, uint32_t parent) {
  pid_ = pid, tid_ = tid;
  uint8_t* at = room(sizeof(wire::Thread));
  const wire::Thread record{header_of(sizeof record, wire::Type::thread, 0, ticks()), pid, tid,
                            began, parent};
  std::memcpy(at, &record, sizeof record);
  header_.pid = pid, header_.tid = tid;
  return *this;
}

ScratchRing& ScratchRing::make_entry(uint32_t nr, std::initializer_list<uint64_t> args,
                                     uint16_t site, uint8_t flags, uint64_t address) {
  const bool escaped = nr >= wire::nr_escape;
  const size_t argc = escaped ? 6 : arch::lookup(nr).arity;
  std::string body;
  if (flags & wire::entry_far) body += bytes_of(address);
  for (size_t n = 0; n < argc; ++n) {
    const uint64_t value = n < args.size() ? args.begin()[n] : 0;
    const auto narrow = static_cast<uint32_t>(value);
    if (value >> 32)
      flags = static_cast<uint8_t>(flags | 1u << n), body += bytes_of(value);
    else
      body += bytes_of(narrow);
  }
  if (escaped) body += bytes_of(nr);
  const uint64_t size = (sizeof(wire::Entry) + body.size() + 7) / 8 * 8;
  uint8_t* at = room(size);
  const wire::Entry record{
      header_of(size, wire::Type::entry, flags, ticks()),
      escaped ? wire::nr_escape : static_cast<uint16_t>(nr),
      static_cast<uint16_t>((site & wire::site_bits) | argc << wire::argc_shift)};
  std::memcpy(at, &record, sizeof record);
  std::memcpy(at + sizeof record, body.data(), body.size());
  ++(flags & wire::entry_trap ? header_.calls_trap : header_.calls_stub);
  return *this;
}

ScratchRing& ScratchRing::entry(uint32_t nr, std::initializer_list<uint64_t> args, uint16_t site,
                                bool trap) {
  return make_entry(nr, args, site, trap ? wire::entry_trap : 0, 0);
}

ScratchRing& ScratchRing::ending(uint32_t nr, uint64_t status) {
  return make_entry(nr, {status}, 0, wire::entry_ending, 0);
}

ScratchRing& ScratchRing::far_entry(uint32_t nr, std::initializer_list<uint64_t> args,
                                    uint64_t address) {
  return make_entry(nr, args, 0, wire::entry_far, address);
}

ScratchRing& ScratchRing::data(uint64_t address, std::string_view bytes, uint8_t flags,
                               uint32_t wanted) {
  const uint64_t size = sizeof(wire::Data) + (bytes.size() + 7) / 8 * 8;
  uint8_t* at = room(size);
  const wire::Data record{static_cast<uint16_t>(size / 8), wire::Type::data, flags,
                          wanted ? wanted : static_cast<uint32_t>(bytes.size()),
                          wire::data_where(address, bytes.size())};
  std::memcpy(at, &record, sizeof record);
  std::memcpy(at + sizeof record, bytes.data(), bytes.size());
  return *this;
}

ScratchRing& ScratchRing::in(uint64_t address, std::string_view bytes, uint8_t flags,
                             uint32_t wanted) {
  return data(address, bytes, flags, wanted);
}

ScratchRing& ScratchRing::out(uint64_t address, std::string_view bytes, uint8_t flags,
                              uint32_t wanted) {
  return data(address, bytes, flags | wire::data_out, wanted);
}

ScratchRing& ScratchRing::exit(int64_t result, uint8_t flags) {
  uint8_t* at = room(sizeof(wire::Exit));
  const wire::Exit record{header_of(sizeof record, wire::Type::exit, flags, ticks()), result};
  std::memcpy(at, &record, sizeof record);
  return *this;
}

ScratchRing& ScratchRing::call(uint32_t nr, std::initializer_list<uint64_t> args, int64_t result) {
  return entry(nr, args).exit(result);
}

ScratchRing& ScratchRing::signal(int32_t number, int32_t code, uint32_t from) {
  uint8_t* at = room(sizeof(wire::Signal));
  wire::Signal record{header_of(sizeof record, wire::Type::signal, 0, ticks()), 0x401000, {}};
  std::memcpy(record.siginfo, &number, sizeof number);
  std::memcpy(record.siginfo + 8, &code, sizeof code);
  std::memcpy(record.siginfo + 16, &from, sizeof from);
  std::memcpy(at, &record, sizeof record);
  ++header_.signals;
  return *this;
}

ScratchRing& ScratchRing::lost(uint64_t calls) {
  uint8_t* at = room(sizeof(wire::Lost));
  const wire::Lost record{header_of(sizeof record, wire::Type::lost, 0, ticks()), calls};
  std::memcpy(at, &record, sizeof record);
  header_.lost += calls;
  return *this;
}

ScratchRing& ScratchRing::time() {
  uint8_t* at = room(sizeof(wire::Time));
  base_ = trace_.now_;
  const wire::Time record{header_of(sizeof record, wire::Type::time, 0, 0), base_};
  std::memcpy(at, &record, sizeof record);
  return *this;
}

ScratchRing& ScratchImage::ring(uint32_t tid, wire::Began began, uint32_t parent) {
  return ring(header.pid, tid, began, parent);
}

ScratchRing& ScratchImage::ring(uint32_t pid, uint32_t tid, wire::Began began, uint32_t parent) {
  const uint32_t slot = header.slots_used++;
  if (slot >= header.slots) throw std::logic_error("scratch image: no more rings");
  return rings_.emplace_back(trace_, header, data, slot).thread(pid, tid, began, parent);
}

uint16_t ScratchImage::site(uint64_t address, uint8_t tactic, uint8_t refusal) {
  const auto index = static_cast<uint16_t>(header.site_count++);
  header.sites[index] = {address, tactic, refusal, 0, 0};
  return index;
}

std::string ScratchImage::file() const {
  std::string all(header.header_bytes + header.slots * header.slot_bytes, '\0');
  all.replace(0, sizeof header, bytes_of(header));
  for (const ScratchRing& ring : rings_) {
    const size_t at = header.header_bytes + ring.slot_ * header.slot_bytes;
    all.replace(at, sizeof ring.header_, bytes_of(ring.header_));
    all.replace(at + wire::ring_header_bytes, ring.bytes_.size(), ring.bytes_);
  }
  return all;
}

ScratchTrace::ScratchTrace() {
  std::string name = (std::filesystem::temp_directory_path() / "sctrace-scratch-XXXXXX").string();
  if (!mkdtemp(name.data())) throw std::runtime_error("cannot make " + name);
  path_ = name;
  session.magic = wire::session_magic;
  session.version = wire::version, session.order = wire::byte_order;
  std::strcpy(session.host, "scratch");
  std::strcpy(session.kernel, "6.1.0");
}

ScratchTrace::~ScratchTrace() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

ScratchImage& ScratchTrace::image(uint32_t pid, wire::Mode mode, uint64_t block_bytes,
                                  uint64_t blocks) {
  ScratchImage& made = images_.emplace_back(*this);
  made.name_ = std::to_string(pid) + "-" + std::to_string(session.images++);
  wire::Image& header = made.header;
  header.magic = wire::image_magic;
  header.version = wire::version, header.order = wire::byte_order;
  header.header_bytes = wire::image_header_bytes;
  header.slots = 4;
  header.ring_bytes = block_bytes * blocks, header.block_bytes = block_bytes;
  header.slot_bytes = wire::ring_header_bytes + header.ring_bytes;
  header.mode = mode;
  header.pid = pid, header.ppid = 1;
  header.first = {now_, 5'000'000'000 + now_, 1'700'000'000'000'000'000 + now_};
  header.sud = 1;
  header.capture_flags = 3, header.strsize = 256;
  std::strcpy(header.program, "/usr/bin/scratch");
  std::memcpy(header.command, "scratch\0-v", 11);
  std::strcpy(header.objects, "400000 /usr/bin/scratch\n");
  return made;
}

const std::string& ScratchTrace::write() {
  std::string first(wire::session_bytes, '\0');
  first.replace(0, sizeof session, bytes_of(session));
  overwrite(path_ + "/" + wire::session_name, first);
  now_ += 10'000'000;  // far enough for the clock to be certain
  for (size_t n = 0; n < images_.size(); ++n) {
    wire::Image& header = images_[n].header;
    header.last[0] = {now_, 5'000'000'000 + now_, 1'700'000'000'000'000'000 + now_};
    overwrite(ring_file(n), images_[n].file());
    if (!images_[n].data.empty()) overwrite(data_file(n), images_[n].data);
  }
  return path_;
}

}  // namespace sctrace::test
