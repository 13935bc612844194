#include "preload/texts.h"

#include <asm/unistd.h>
#include <fcntl.h>
#include <sys/auxv.h>

#include "preload/frame_rules.h"
#include "preload/global.h"
#include "preload/mappings.h"
#include "preload/say.h"

namespace sctrace::preload {
namespace {

using arch::raw_syscall;

// A line of /proc/self/maps that is executable and of a file.
struct Mapping {
  uint64_t begin, end, offset, file;  // file: device and inode as one
  char path[512];
};

// What a known text was mapped from: 0 where that is not known.
struct Identity {
  uint64_t file, offset;
};
Identity identities[rewriter::banks_max];

// One character at a time, refilled as needed.
class Maps {
 public:
  Maps() : fd_(raw_syscall(__NR_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC)) {}
  ~Maps() {
    if (fd_ >= 0) raw_syscall(__NR_close, fd_);
  }
  Maps(const Maps&) = delete;
  Maps& operator=(const Maps&) = delete;

  // False: there are no more.
  bool next(Mapping& one) {
    while (peek()) {
      one.begin = hex(), skip(1), one.end = hex(), skip(1);
      char rights[4];
      for (char& right : rights) right = peek(), skip(1);
      skip(1);
      one.offset = hex(), skip(1);
      const uint64_t major = hex();
      skip(1);
      const uint64_t minor = hex();
      skip(1);
      const uint64_t inode = number();
      one.file = inode ^ major << 56 ^ minor << 44;
      while (peek() == ' ') skip(1);
      uint64_t n = 0;
      for (; peek() && peek() != '\n'; skip(1))
        if (n + 1 < sizeof one.path) one.path[n++] = peek();
      one.path[n] = 0;
      skip(1);
      if (rights[2] == 'x' && rights[1] != 'w' && inode && *one.path == '/') return true;
    }
    return false;
  }

 private:
  char peek() {
    if (at_ == size_) {
      const long n = fd_ < 0 ? 0 : raw_syscall(__NR_read, fd_, some_, sizeof some_);
      at_ = 0, size_ = n > 0 ? n : 0;
    }
    return at_ < size_ ? some_[at_] : '\0';
  }
  void skip(int n) {
    while (n-- && peek()) ++at_;
  }
  uint64_t hex() {
    uint64_t value = 0;
    for (;; ++at_) {
      const char c = peek();
      if (c >= '0' && c <= '9')
        value = value << 4 | static_cast<uint64_t>(c - '0');
      else if (c >= 'a' && c <= 'f')
        value = value << 4 | static_cast<uint64_t>(c - 'a' + 10);
      else
        return value;
    }
  }
  uint64_t number() {
    uint64_t value = 0;
    for (; peek() >= '0' && peek() <= '9'; ++at_)
      value = value * 10 + static_cast<uint64_t>(peek() - '0');
    return value;
  }
  long fd_, at_ = 0, size_ = 0;
  char some_[4096];
};

bool holds(const Mapping& mapping, const rewriter::Bank& bank) {
  return bank.text_end && bank.text_begin >= mapping.begin && bank.text_end <= mapping.end;
}

template <typename Act>
void each_bank(Act act) {
  const auto all = rewriter::banks();
  for (uint32_t i = 0; i < all.size(); ++i) act(all[i], identities[i]);
}

Identity identity(const Mapping& mapping, const rewriter::Bank& bank) {
  return {mapping.file, mapping.offset + bank.text_begin - mapping.begin};
}

bool is_known(const Mapping& mapping) { return rewriter::has_text_in(mapping.begin, mapping.end); }

rewriter::Object vdso;  // no text: there is none

bool is_ours(const Mapping& mapping) {
  return global.guest_begin < mapping.end && global.guest_end > mapping.begin;
}

}  // namespace

void remember_texts() {
  for (Identity& one : identities) one = {};
  Maps maps;
  for (Mapping mapping; maps.next(mapping);)
    each_bank([&](const rewriter::Bank& bank, Identity& known) {
      if (holds(mapping, bank)) known = identity(mapping, bank);
    });
}

void look_at_texts(ThreadState& self) {
  static bool same[rewriter::banks_max];
  for (bool& one : same) one = false;
  {
    Maps maps;
    for (Mapping mapping; maps.next(mapping);)
      each_bank([&](const rewriter::Bank& bank, Identity& known) {
        const Identity now = identity(mapping, bank);
        if (holds(mapping, bank) && known.file == now.file && known.offset == now.offset)
          same[&known - identities] = true;
      });
  }
  each_bank([](const rewriter::Bank& bank, const Identity& known) {
    if (bank.text_end && known.file && !same[&known - identities])
      rewriter::forget(bank.text_begin, bank.text_end);
  });
  Maps maps;
  for (Mapping mapping; maps.next(mapping);)
    if (!is_known(mapping) && !is_ours(mapping))
      know_text(self, mapping.begin, mapping.end - mapping.begin, mapping.offset, mapping.path);
}

void remember_vdso(const Objects& objects) {
  const uint64_t begin = getauxval(AT_SYSINFO_EHDR);
  constexpr uint64_t most = 1 << 20;
  for (uint32_t i = 0; begin && i < objects.count; ++i)
    if (objects.all[i].text.address - begin < most) vdso = objects.all[i];
}

void know_all_frames(const Objects& objects) {
  global.knows_frames = true;
  for (uint32_t i = 0; i < objects.count; ++i) know_frames(objects.all[i]);
}

void know_all_frames() {
  global.knows_frames = true;
  forget_frames(0, ~0ull);
  if (!vdso.text.bytes.empty()) know_frames(vdso);
  Maps maps;
  for (Mapping mapping; maps.next(mapping);)
    if (!is_ours(mapping))
      know_frames_of(mapping.begin, mapping.end - mapping.begin, mapping.offset, mapping.path);
}

}  // namespace sctrace::preload
