#include "formats/cli/limits.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "formats/cli/switch.h"

namespace sctrace::cli {

namespace {

// No program that begins from here on is recorded, and whom nobody can reach (it may not be traced)
// only until its block is full.
void stop_session(const std::string& trace) {
  const uint32_t stopped = 1;
  const std::string session = trace + "/" + wire::session_name;
  const int fd = ::open(session.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return;
  if (::pwrite(fd, &stopped, sizeof stopped, offsetof(wire::Session, stopped)) < 0)
    fmt::print(stderr, "sctrace: {}: cannot be written\n", session);
  ::close(fd);
}

bool is_alive(uint32_t pid) {
  std::error_code error;
  return std::filesystem::exists(fmt::format("/proc/{}/exe", pid), error);
}

}  // namespace

uint64_t recorded(const read::Trace& trace) {
  uint64_t calls = 0;
  for (const read::Image& image : trace.images())
    for (const read::Slot& slot : image.slots) {
      const uint64_t seen = slot.calls_stub + slot.calls_trap, left_out = slot.filtered + slot.lost;
      calls += seen - std::min(seen, left_out);
    }
  return calls;
}

bool Limits::is_reached(const std::string& trace) {
  std::error_code error;
  if (!std::filesystem::exists(trace + "/" + wire::session_name, error)) return false;
  if (began_ == Clock::time_point{}) began_ = Clock::now();
  if (ns_ && Clock::now() - began_ >= std::chrono::nanoseconds(ns_)) return true;
  if (!calls_) return false;
  std::vector<read::BadTrace> being_made;
  return recorded(read::Trace(trace, &being_made)) >= calls_;
}

void Limits::turn_off(const std::string& trace) {
  wire::Wish wish{};
  wish.deed = wire::Deed::off;
  for (const Carrier& process : carriers_of(trace)) try {
      if (status_of(process).recording) carry_out(process, wish, false);
    } catch (const std::runtime_error& failed) {
      if (is_alive(process.pid)) fmt::print(stderr, "sctrace: {}\n", failed.what());
    }
}

void Limits::look(const std::string& trace) try {
  constexpr std::chrono::milliseconds often{20}, seldom{200};
  const auto now = Clock::now();
  if (now - looked_ < (reached_ ? seldom : often)) return;
  looked_ = now;
  if (!reached_ && !is_reached(trace)) return;
  if (!reached_) stop_session(trace);
  turn_off(trace);  // again and again: who was being born just then
  if (!reached_) fmt::print(stderr, "sctrace: the limit is reached, nothing more is recorded\n");
  reached_ = true;
} catch (const read::BadTrace&) {
  // being made just now
}

}  // namespace sctrace::cli
