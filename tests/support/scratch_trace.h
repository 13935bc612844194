// Makes trace directories out of a few lines of C++, as the library would have written them: rings
// fill block by block, full blocks are drained or overwritten, each record is 1 µs after the one
// before it. Nothing is on disk before write(); the directory goes away with the object.
#pragma once
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>
#include "formats/wire/ring.h"
#include "formats/wire/session.h"

namespace sctrace::test {

class ScratchTrace;

class ScratchRing {
 public:
  ScratchRing(ScratchTrace& trace, wire::Image& image, std::string& data, uint32_t slot);
  ScratchRing& thread(uint32_t pid, uint32_t tid, wire::Began began, uint32_t parent = 0);
  ScratchRing& entry(uint32_t nr, std::initializer_list<uint64_t> args = {}, uint16_t site = 0,
                     bool trap = false);
  ScratchRing& far_entry(uint32_t nr, std::initializer_list<uint64_t> args, uint64_t address);
  ScratchRing& ending(uint32_t nr, uint64_t status);  // an exit that no filter wanted
  ScratchRing& in(uint64_t address, std::string_view bytes, uint8_t flags = 0, uint32_t wanted = 0);
  ScratchRing& out(uint64_t address, std::string_view bytes, uint8_t flags = 0,
                   uint32_t wanted = 0);
  ScratchRing& exit(int64_t result, uint8_t flags = 0);
  ScratchRing& call(uint32_t nr, std::initializer_list<uint64_t> args,
                    int64_t result);  // entry and exit
  ScratchRing& signal(int32_t number, int32_t code = 0, uint32_t from = 0);
  ScratchRing& lost(uint64_t calls);
  ScratchRing& file(wire::File file, std::string_view path, std::string_view name = {},
                    std::string_view peer = {});
  ScratchRing& time();
  ScratchRing& raw(std::string_view bytes);  // as it stands; for records that make no sense
  ScratchRing& live();                       // as kill -9 leaves it, or a thread that goes on
  ScratchRing& skip_block();                 // the block to come is missing: its number is used up

  wire::RingHeader& header() { return header_; }
  uint64_t head() const { return header_.head; }

 private:
  friend class ScratchImage;
  friend class ScratchTrace;
  uint8_t* room(uint64_t bytes);
  void begin_block();
  void end_block();
  uint32_t ticks();
  ScratchRing& data(uint64_t address, std::string_view bytes, uint8_t flags, uint32_t wanted);
  ScratchRing& make_entry(uint32_t nr, std::initializer_list<uint64_t> args, uint16_t site,
                          uint8_t flags, uint64_t address);

  ScratchTrace& trace_;
  wire::Image& image_;
  std::string& data_;
  uint32_t slot_, pid_ = 0, tid_ = 0;
  uint64_t base_ = 0;
  bool open_ = false;  // a block is
  wire::RingHeader header_{};
  std::string bytes_;  // block_bytes by block_bytes
};

class ScratchImage {
 public:
  explicit ScratchImage(ScratchTrace& trace) : trace_(trace) {}
  // The ring of one more thread. The first record is the thread's.
  ScratchRing& ring(uint32_t tid, wire::Began began = wire::Began::clone, uint32_t parent = 0);
  ScratchRing& ring(uint32_t pid, uint32_t tid, wire::Began began, uint32_t parent);
  uint16_t site(uint64_t address, uint8_t tactic = 1, uint8_t refusal = 0);  // its index
  wire::Image header{};
  std::string data;  // the data file

 private:
  friend class ScratchTrace;
  std::string file() const;
  ScratchTrace& trace_;
  std::deque<ScratchRing> rings_;
  std::string name_;
};

class ScratchTrace {
 public:
  ScratchTrace();
  ~ScratchTrace();
  ScratchTrace(const ScratchTrace&) = delete;
  ScratchTrace& operator=(const ScratchTrace&) = delete;

  ScratchImage& image(uint32_t pid, wire::Mode mode = wire::Mode::stream,
                      uint64_t block_bytes = 4096, uint64_t blocks = 4);
  const std::string& write();  // → the directory
  const std::string& path() const { return path_; }
  std::string ring_file(size_t image = 0) const {
    return path_ + "/" + images_[image].name_ + ".ring";
  }
  std::string data_file(size_t image = 0) const {
    return path_ + "/" + images_[image].name_ + ".data";
  }
  ScratchTrace& wait(uint64_t ns) {
    now_ += ns;
    return *this;
  }

  wire::Session session{};

 private:
  friend class ScratchRing;
  std::string path_;
  uint64_t now_ = 1'000'000;  // ticks; one is a nanosecond
  std::deque<ScratchImage> images_;
};

std::string contents(const std::string& file);
void overwrite(const std::string& file, std::string_view bytes);

}  // namespace sctrace::test
