// The other half of check.h: making a torn trace whole.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <optional>

#include "formats/read/beginning.h"
#include "formats/read/check.h"
#include "formats/read/check_file.h"
#include "formats/read/ring_reader.h"
#include "formats/wire/metadata.h"

namespace sctrace::read {

namespace fs = std::filesystem;

namespace {

// Writes the readable blocks of one ring anew, numbered without a hole. What is missing is replaced
// by a record that says so.
class RingCopy {
 public:
  RingCopy(const Image& image, uint32_t slot, NewFile& ring, std::optional<NewFile>& data,
           const std::string& data_file, uint64_t& places)
      : image_(image),
        slot_(slot),
        ring_(ring),
        data_(data),
        data_file_(data_file),
        places_(places) {}

  void copy(const std::shared_ptr<OpenImage>& from) {
    RingReader reader(from, slot_);
    for (Step step = reader.next(); step.kind != Step::Kind::end; step = reader.next()) {
      if (step.kind == Step::Kind::block) begin(reader.block());
      if (step.kind == Step::Kind::record)
        block_.insert(block_.end(), step.bytes.begin(), step.bytes.end());
      if (step.kind == Step::Kind::record) last_tsc_ = step.tsc;
      if (step.kind == Step::Kind::gap && !step.rolled) say_lost();
    }
    end();
  }

  uint64_t head() const { return head_; }

 private:
  bool is_flight_recorder() const { return image_.mode == wire::Mode::overwrite; }

  void begin(wire::BlockHeader header) {
    end();
    if (!sequence_) sequence_ = is_flight_recorder() ? header.sequence : 0;
    last_tsc_ = header.tsc;
    header_ = header;
    block_.resize(sizeof header);
  }

  // A record of no known number, in this block or in one for itself. Where the writer counted what
  // it lost its number is told by the ring's header already.
  void say_lost() {
    if (image_.slots[slot_].lost) return;
    if (block_.empty() || block_.size() + sizeof(wire::Lost) > image_.block_bytes) {
      wire::BlockHeader header = header_;
      header.magic = wire::block_magic, header.slot = slot_, header.tsc = last_tsc_;
      begin(header);
    }
    const wire::Lost record{{sizeof(wire::Lost) / 8, wire::Type::lost, 0, 0}, 0};
    const auto* bytes = reinterpret_cast<const uint8_t*>(&record);
    block_.insert(block_.end(), bytes, bytes + sizeof record);
  }

  void end() {
    if (block_.empty()) return;
    header_.sequence = *sequence_;
    header_.used = static_cast<uint32_t>(block_.size());
    std::memcpy(block_.data(), &header_, sizeof header_);
    if (is_flight_recorder()) {
      const uint64_t place = *sequence_ % image_.blocks() * image_.block_bytes;
      ring_.write(image_.slot_offset(slot_) + wire::ring_header_bytes + place, block_.data(),
                  block_.size());
      head_ = *sequence_ * image_.block_bytes + block_.size();
    } else {
      if (!data_) data_.emplace(data_file_);
      data_->write(places_++ * image_.block_bytes, block_.data(), block_.size());
      head_ = (*sequence_ + 1) * image_.block_bytes;
    }
    ++*sequence_;
    block_.clear();
  }

  const Image& image_;
  uint32_t slot_;
  NewFile& ring_;
  std::optional<NewFile>& data_;
  const std::string& data_file_;
  uint64_t& places_;
  std::optional<uint64_t> sequence_;
  wire::BlockHeader header_{};
  std::vector<uint8_t> block_;
  uint64_t head_ = 0, last_tsc_ = 0;
};

void copy_ring_header(const File& from, NewFile& to, uint64_t offset, uint64_t head, bool drained) {
  wire::RingHeader header{};
  from.read(offset, static_cast<void*>(&header), sizeof header);
  header.state = wire::RingState::done;
  header.head = head;
  header.drained = drained ? head : 0;
  to.write(offset, &header, sizeof header);
}

// The image once more under `to`, whole. `image` may be a longer copy of the original.
void rewrite(const Image& image, const std::string& to) {
  Damages known;  // check has told them
  const auto from = std::make_shared<OpenImage>(image, known);
  NewFile ring(to + "ring");
  std::optional<NewFile> data;
  const std::string data_file = to + "data";
  ring.resize(
      std::max(from->ring.size(), image.slot_offset(static_cast<uint32_t>(image.slots.size()))));
  std::vector<uint8_t> header(image.header_bytes);
  from->ring.read(0, header.data(), header.size());
  uint64_t places = 0;
  for (uint32_t slot = 0; slot < image.slots.size(); ++slot) {
    RingCopy copy(image, slot, ring, data, data_file, places);
    copy.copy(from);
    copy_ring_header(from->ring, ring, image.slot_offset(slot), copy.head(),
                     image.mode != wire::Mode::overwrite);
  }
  copy_beginning(from->ring, ring, image);
  std::memcpy(header.data() + offsetof(wire::Image, data_blocks), &places, sizeof places);
  ring.write(0, header.data(), header.size());
  ring.finish();
  if (data) data->finish();
}

// One repair: a directory beside the trace that becomes the trace.
class Repair {
 public:
  explicit Repair(const std::string& directory)
      : old_(fs::canonical(directory).string()), new_(old_ + ".repairing") {
    std::error_code error;
    if (!fs::create_directory(new_, error))
      throw BadTrace(new_, 0,
                     error ? error.message() : "is in the way: of a repair that was interrupted?");
    fs::permissions(new_, fs::perms::owner_all, error);
  }
  Repair(const Repair&) = delete;
  Repair& operator=(const Repair&) = delete;
  ~Repair() {
    std::error_code error;
    fs::remove_all(new_, error);  // after the exchange: the torn trace
  }

  void session() {
    NewFile file(new_ + "/" + wire::session_name);
    wire::Session session{};
    session.magic = wire::session_magic;
    session.version = wire::version, session.order = wire::byte_order;
    file.write(0, &session, sizeof session);
    file.resize(wire::session_bytes);
    file.finish();
  }

  // Every file of which nothing new was made comes along as it is.
  void keep_the_rest(const std::vector<std::string>& dropped) {
    for (const auto& entry : fs::directory_iterator(old_)) {
      const std::string name = entry.path().filename().string();
      const fs::path to = fs::path(new_) / name;
      if (fs::exists(to) || std::count(dropped.begin(), dropped.end(), name)) continue;
      bring(entry.path(), to);
    }
  }

  void set_aside(const std::string& file) {
    const fs::path from = fs::path(old_) / fs::path(file).filename();
    if (fs::exists(from)) bring(from, new_ + "/" + from.filename().string() + ".bad");
  }

  std::string path(const std::string& file) const {
    return new_ + "/" + fs::path(file).filename().string();
  }
  void finish() { swap_names(new_, old_); }

 private:
  // By a second name for the same file; where there are none, by a copy.
  static void bring(const fs::path& from, const fs::path& to) {
    std::error_code error;
    fs::create_hard_link(from, to, error);
    if (!error) return;
    if (fs::is_regular_file(from))
      copy_sparse(from.string(), to.string(), fs::file_size(from));
    else
      fs::copy(from, to, fs::copy_options::recursive);
  }

  std::string old_, new_;
};

// A ring file that ends too early is read from a copy that is long enough: what is missing reads as
// zero.
std::optional<Image> lengthened(const std::string& file, const std::string& copy) {
  try {
    const uint64_t needed = bytes_of(*header_of(file));
    const File from(file);
    if (from.size() >= needed) return std::nullopt;
    copy_sparse(file, copy, needed);
    Damages known;
    return open_image(copy, known);
  } catch (const BadTrace&) {
    return std::nullopt;
  } catch (const fs::filesystem_error&) {
    return std::nullopt;
  }
}

// A directory is only touched when it holds a trace beyond doubt.
bool holds_an_image(const std::string& directory) {
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() != ".ring") continue;
    try {
      header_of(entry.path().string());
      return true;
    } catch (const BadTrace&) {
      continue;
    }
  }
  return false;
}

bool is_whole(const Image& image, const Checked& checked) {
  if (image.is_live() || checked.problem_count > checked.problems.size()) return false;
  return std::none_of(checked.problems.begin(), checked.problems.end(), [&](const Damage& damage) {
    return damage.file == image.ring_file || damage.file == image.data_file;
  });
}

std::string stem(const std::string& ring_file) { return ring_file.substr(0, ring_file.size() - 4); }

// What must be done with each image of the trace; done into `to`.
void repair_images(const Trace& trace, const std::vector<BadTrace>& refused, const Checked& checked,
                   Repair& to, std::vector<std::string>& done, std::vector<std::string>& dropped) {
  const auto drop = [&](const std::string& file) {
    dropped.push_back(fs::path(file).filename().string());
  };
  for (const std::string& file : trace.unborn())
    drop(file), done.push_back(file + ": removed, it was empty");
  for (const Image& image : trace.images()) {
    if (is_whole(image, checked)) continue;
    rewrite(image, stem(to.path(image.ring_file)));
    drop(image.data_file);
    done.push_back(image.ring_file + ": rewritten");
  }
  for (const BadTrace& bad : refused) {
    const std::string copy = to.path(bad.file) + ".longer", data = stem(bad.file) + "data";
    if (auto image = lengthened(bad.file, copy)) {
      image->data_file = data;
      rewrite(*image, stem(to.path(bad.file)));
      done.push_back(bad.file + ": rewritten, it was truncated");
    } else {
      to.set_aside(bad.file);
      to.set_aside(data);
      done.push_back(bad.file + ": cannot be read, kept as *.bad");
    }
    std::error_code error;
    fs::remove(copy, error);
    drop(bad.file), drop(data);
  }
}

}  // namespace

namespace {

void repair_session(const std::string& directory, std::vector<std::string>& done) {
  try {
    std::vector<BadTrace> refused;
    const Trace trace(directory, &refused);
  } catch (const BadTrace& bad) {
    if (!fs::is_directory(directory) || !holds_an_image(directory)) throw;
    Repair to(directory);
    to.session();
    to.keep_the_rest({wire::session_name});
    to.finish();
    done.push_back(bad.file + ": written anew");
  }
}

}  // namespace

std::vector<std::string> repair(const std::string& directory) try {
  std::vector<std::string> done, dropped;
  repair_session(directory, done);
  std::vector<BadTrace> refused;
  const Trace trace(directory, &refused);
  for (const Image& image : trace.images())
    if (is_being_written(image))
      throw BadTrace(image.ring_file, 0, "still being written: nothing was changed");
  const Checked checked = check(directory);
  const bool whole = std::all_of(trace.images().begin(), trace.images().end(),
                                 [&](const Image& image) { return is_whole(image, checked); });
  const std::string table = directory + "/" + wire::metadata_name;
  const bool bad_table = !trace.table() && fs::exists(table);
  if (whole && refused.empty() && trace.unborn().empty() && !bad_table) return done;
  Repair to(directory);
  if (bad_table) {  // this sctrace's own serves in its place
    to.set_aside(table);
    dropped.emplace_back(wire::metadata_name);
    done.push_back(table + ": makes no sense, kept as *.bad");
  }
  repair_images(trace, refused, checked, to, done, dropped);
  to.keep_the_rest(dropped);
  to.finish();
  return done;
} catch (const fs::filesystem_error& error) {
  throw BadTrace(directory, 0, error.what());
}

}  // namespace sctrace::read
