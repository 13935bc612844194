// The only way in which we speak in somebody's process: one line, "sctrace: …", by one raw write.
// Text is put together in place, without libc: no locale, no buffer of the app's stdio, no
// allocation.
#pragma once
#include <cstdint>

namespace sctrace::preload {

enum class Level : uint8_t { off, error, warn, info, debug };

void say_set(Level level, int fd);  // what is said at all, and where (2 = stderr)

// A line under construction; what does not fit is cut.
class Line {
 public:
  Line& text(const char* s);
  Line& text(const char* s, uint64_t n);
  Line& number(int64_t value);
  Line& hex(uint64_t value);
  const char* c_str();
  uint64_t size() const { return used_; }

 private:
  char bytes_[1400];
  uint64_t used_ = 0;
};

void say(Level level, Line& line);
void say(Level level, const char* a, const char* b = "", const char* c = "", const char* d = "",
         const char* e = "");
const char* error_name(
    long result);  // -ENOENT → "No such file or directory", for the few that we meet

}  // namespace sctrace::preload
