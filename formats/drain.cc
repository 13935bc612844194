#include "formats/drain.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <ctime>
#include <filesystem>

#include "arch/x86_64/clock.h"
#include "formats/wire/ring.h"

namespace sctrace {

namespace fs = std::filesystem;

namespace {

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags)
      : fd_(::open(path.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, 0600)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  uint64_t bytes() const {
    struct stat status;
    return ::fstat(fd_, &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
  }

 private:
  int fd_;
};

void* map_shared(const Descriptor& file, uint64_t bytes) {
  void* at =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file.get(), 0);
  return at == MAP_FAILED ? nullptr : at;
}

bool write_all(int fd, const uint8_t* bytes, uint64_t n, uint64_t offset) {
  while (n) {
    const ssize_t done = ::pwrite(fd, bytes, n, static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    bytes += done, n -= static_cast<uint64_t>(done), offset += static_cast<uint64_t>(done);
  }
  return true;
}

}  // namespace

// The rings of one image, mapped whole: of a sparse file that costs addresses only.
class Drainer::Rings {
 public:
  Rings(const std::string& ring_file, wire::Session& session, Moving& moving)
      : session_(session), moving_(moving), ring_file_(ring_file), file_(ring_file, O_RDWR) {
    const uint64_t bytes = file_.bytes();
    void* at = bytes < sizeof(wire::Image) ? nullptr : map_shared(file_, bytes);
    if (!at) return;
    bytes_ = bytes;
    image_ = static_cast<wire::Image*>(at);
    if (!makes_sense()) return;
    data_file_ = ring_file.substr(0, ring_file.size() - 4) + "data";
    block_.resize(image_->block_bytes);
    slot_bytes_ = image_->slot_bytes, ring_bytes_ = image_->ring_bytes;
    header_bytes_ = image_->header_bytes;
  }
  ~Rings() {
    if (image_) ::munmap(static_cast<void*>(image_), bytes_);
  }
  Rings(const Rings&) = delete;
  Rings& operator=(const Rings&) = delete;

  bool is_well() const { return ok_; }

  uint64_t look() {
    if (!ok_ || block_.empty()) return 0;  // empty: not one that is drained
    const uint64_t room = (bytes_ - header_bytes_) / slot_bytes_;
    const uint64_t used = std::min<uint64_t>(image_->slots_used.load(), room);
    uint64_t taken = 0;
    for (uint64_t slot = 0; slot < used && ok_; ++slot) taken += take_from(slot);
    return taken;
  }

  void finish() {
    if (block_.empty() || moving_.slot >= (bytes_ - header_bytes_) / slot_bytes_) return;
    wire::RingHeader& header = ring(moving_.slot);
    const uint64_t from = moving_.from;
    if (header.drained.load(std::memory_order_acquire) == from) {
      if (copy(header, from)) move(header, from, moving_.place);
    } else if (moving_.state == Moving::State::writing || is_given_up(header, from)) {
      empty(Descriptor(data_file_, O_WRONLY), moving_.place);
    }
  }

 private:
  bool makes_sense() const {
    const uint64_t block = image_->block_bytes, ring = image_->ring_bytes;
    return image_->magic == wire::image_magic && image_->version == wire::version &&
           image_->mode != wire::Mode::overwrite && image_->mode != wire::Mode::counts &&
           block >= 4096 && block <= 1 << 30 && ring >= block && ring % block == 0 &&
           ring <= uint64_t{1} << 36 && image_->slot_bytes == ring + wire::ring_header_bytes &&
           image_->header_bytes < bytes_;
  }

  wire::RingHeader& ring(uint64_t slot) {
    uint8_t* at = reinterpret_cast<uint8_t*>(image_) + header_bytes_ + slot * slot_bytes_;
    return *reinterpret_cast<wire::RingHeader*>(at);
  }

  uint64_t take_from(uint64_t slot) {
    wire::RingHeader& header = ring(slot);
    uint64_t taken = 0, from = header.drained.load(std::memory_order_relaxed);
    // acquire: pairs with publish() in preload/ring_writer.h; a closed block no longer changes
    while (header.head.load(std::memory_order_acquire) > from + block_.size() &&
           from % block_.size() == 0) {
      if (!take(header, from)) break;
      from = header.drained.load(std::memory_order_relaxed);
      ++taken;
    }
    return taken;
  }

  // False: somebody was faster, or there is no room for it; the thread will see what to do.
  bool take(wire::RingHeader& header, uint64_t from) {
    if (!copy(header, from)) return false;
    const uint64_t place = place_for(head_.used);
    return place != none && move(header, from, place);
  }

  bool copy(wire::RingHeader& header, uint64_t from) {
    const uint8_t* block =
        reinterpret_cast<const uint8_t*>(&header) + wire::ring_header_bytes + from % ring_bytes_;
    std::memcpy(block_.data(), block, block_.size());
    std::atomic_thread_fence(std::memory_order_acquire);  // the copy comes before this look:
    if (header.drained.load(std::memory_order_relaxed) != from) return false;
    std::memcpy(&head_, block_.data(), sizeof head_);
    return head_.used >= sizeof head_ && head_.used <= block_.size();
  }

  bool move(wire::RingHeader& header, uint64_t from, uint64_t place) {
    say_moving(header, from, place);
    // By name for each block, as threads do: it may have been moved (rotation.h).
    const Descriptor data(data_file_, O_WRONLY | O_CREAT);
    ok_ = data.get() >= 0 && write_all(data.get(), block_.data(), head_.used, place);
    moving_.state = ok_ ? Moving::State::written : Moving::State::none;
    if (!ok_) return false;
    uint64_t is = from;
    // release: who sees it may look for the block in the data file
    const bool taken =
        header.drained.compare_exchange_strong(is, from + block_.size(), std::memory_order_release);
    if (!taken) empty(data, place);  // it is in there twice, or counted as lost
    moving_.state = Moving::State::none;
    if (taken && image_->mode == wire::Mode::block)
      ::syscall(SYS_futex, &header.drained, FUTEX_WAKE, 1, nullptr, nullptr, 0);
    return taken;
  }

  void say_moving(const wire::RingHeader& header, uint64_t from, uint64_t place) {
    std::strncpy(moving_.ring_file, ring_file_.c_str(), sizeof moving_.ring_file - 1);
    const auto* start = reinterpret_cast<const uint8_t*>(image_) + header_bytes_;
    const auto slot = (reinterpret_cast<const uint8_t*>(&header) - start) / slot_bytes_;
    moving_.slot = static_cast<uint32_t>(slot), moving_.from = from, moving_.place = place;
    moving_.state = Moving::State::writing;
  }

  static void empty(const Descriptor& data, uint64_t place) {
    const uint64_t nothing = 0;
    write_all(data.get(), reinterpret_cast<const uint8_t*>(&nothing), sizeof nothing, place);
  }

  bool is_given_up(const wire::RingHeader& header, uint64_t from) const {
    const uint64_t run = header.given_up.load(std::memory_order_relaxed);
    const auto first = static_cast<uint32_t>(run), end = static_cast<uint32_t>(run >> 32);
    return static_cast<uint32_t>(from / block_.size()) - first < end - first;
  }

  static constexpr uint64_t none = ~uint64_t{0};
  uint64_t place_for(uint64_t used) {
    if (session_.max_bytes && session_.bytes.load() + used > session_.max_bytes) {
      session_.stopped = 1;
      return none;
    }
    session_.bytes.fetch_add(used);
    return image_->data_blocks.fetch_add(1) * block_.size();
  }

  wire::Session& session_;
  Moving& moving_;
  std::string ring_file_;
  Descriptor file_;
  std::string data_file_;
  wire::Image* image_ = nullptr;
  uint64_t bytes_ = 0, slot_bytes_ = 0, ring_bytes_ = 0, header_bytes_ = 0;
  std::vector<uint8_t> block_;
  wire::BlockHeader head_{};
  bool ok_ = true;
};

Drainer::Drainer(std::string directory, Moving& moving)
    : directory_(std::move(directory)), moving_(moving) {}

Drainer::~Drainer() {
  images_.clear();
  if (!session_) return;
  session_->reader = 0;
  ::munmap(static_cast<void*>(session_), wire::session_bytes);
}

bool Drainer::look_for_session() {
  if (session_) return true;
  const Descriptor file(directory_ + "/" + wire::session_name, O_RDWR);
  if (file.get() < 0 || file.bytes() < wire::session_bytes) return false;
  auto* session = static_cast<wire::Session*>(map_shared(file, wire::session_bytes));
  if (!session) return false;
  if (session->magic == wire::session_magic && session->version == wire::version)
    session_ = session;
  else
    ::munmap(static_cast<void*>(session), wire::session_bytes);
  return session_ != nullptr;
}

void Drainer::look_for_images() {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory_, error)) {
    const std::string path = entry.path().string();
    if (entry.path().extension() != ".ring" ||
        std::find(known_.begin(), known_.end(), path) != known_.end())
      continue;
    uint64_t magic = 0;  // it is written last
    const Descriptor file(path, O_RDONLY);
    if (::pread(file.get(), &magic, sizeof magic, 0) < 8 || magic != wire::image_magic) continue;
    known_.push_back(path);
    images_.push_back(std::make_unique<Rings>(path, *session_, moving_));
  }
}

uint64_t Drainer::look() {
  constexpr unsigned seldom = 32;  // a folder is read much slower than a ring's head
  if (!look_for_session()) return 0;
  if (rounds_++ % seldom == 0) look_for_images();
  uint64_t taken = 0;
  bool all_well = true;
  for (const auto& image : images_) {
    taken += image->look();
    all_well = all_well && image->is_well();
  }
  // Who cannot write (a full disk) must not be waited for.
  session_->reader.store(all_well ? arch::ticks() : 0, std::memory_order_relaxed);
  return taken;
}

void Drainer::finish() {
  if (look_for_session()) Rings(moving_.ring_file, *session_, moving_).finish();
}

bool needs_reader(const read::Trace& trace) {
  return std::any_of(trace.images().begin(), trace.images().end(), [](const read::Image& image) {
    return image.mode == wire::Mode::discard || image.mode == wire::Mode::block;
  });
}

namespace {

// Cuts where it is time, and now and then looks for what came late. What it cannot do is said once.
class Cutter {
 public:
  explicit Cutter(Rotation* rotation) : rotation_(rotation) {}
  void look() {
    constexpr unsigned seldom = 16;
    if (!rotation_) return;
    attempt([&] {
      rotation_->look();
      if (++rounds_ % seldom == 0) rotation_->settle();
    });
  }
  void end() {
    if (rotation_) attempt([&] { rotation_->settle(); });
  }

 private:
  template <typename Work>
  void attempt(Work&& work) try {
    work();
  } catch (const std::exception& failed) {
    fmt::print(stderr, "sctrace: no more parts: {}\n", failed.what());
    rotation_ = nullptr;
  }
  Rotation* rotation_;
  unsigned rounds_ = 0;
};

void drain_until(int end, const std::string& directory, Moving& moving, Rotation* rotation) {
  Drainer drainer(directory, moving);
  Cutter cutter(rotation);
  pollfd over{end, POLLIN, 0};
  constexpr int longest = 8;  // ms; what comes faster than that its thread drains itself
  for (int pause = 1; ::poll(&over, 1, pause) == 0;) {
    pause = drainer.look() ? 0 : std::min(longest, pause * 2 + 1);
    cutter.look();
  }
  cutter.end();
}

void end_soon(pid_t child) {
  constexpr timespec pause{0, 2'000'000};
  for (int tries = 0; tries < 500; ++tries) {
    if (::waitpid(child, nullptr, WNOHANG) != 0) return;
    ::nanosleep(&pause, nullptr);
  }
  ::kill(child, SIGKILL);  // somebody has stopped it
  ::waitpid(child, nullptr, 0);
}

Moving* shared_moving() {
  void* at =
      ::mmap(nullptr, sizeof(Moving), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return at == MAP_FAILED ? nullptr : new (at) Moving{};
}

}  // namespace

DrainingChild::DrainingChild(const std::string& directory, Rotation* rotation)
    : directory_(directory), moving_(shared_moving()) {
  int end[2];
  if (!moving_ || ::pipe2(end, O_CLOEXEC) != 0) return;
  child_ = ::fork();
  if (child_ == 0) {
    ::close(end[1]);
    for (const int number : {SIGINT, SIGQUIT, SIGTERM, SIGHUP}) std::signal(number, SIG_IGN);
    drain_until(end[0], directory, *moving_, rotation);
    ::_exit(0);
  }
  ::close(end[0]);
  end_ = end[1];
}

DrainingChild::~DrainingChild() {
  if (end_ >= 0) ::close(end_);
  if (child_ > 0) end_soon(child_);
  if (!moving_) return;
  if (moving_->state != Moving::State::none) finish();
  ::munmap(static_cast<void*>(moving_), sizeof(Moving));
}

// In a process of its own, as all that maps what others can cut off.
void DrainingChild::finish() {
  const pid_t child = ::fork();
  if (child == 0) {
    Drainer(directory_, *moving_).finish();
    ::_exit(0);
  }
  if (child > 0) end_soon(child);
}

}  // namespace sctrace
