// What is known of a trace before anything of it is told.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "formats/feed.h"

namespace sctrace {

Session session_of(const read::Trace& trace) {
  Session session;
  session.host = trace.host(), session.kernel = trace.kernel();
  session.wall_offset = trace.clock().realtime_offset();
  session.clock_uncertain = trace.clock().is_uncertain();
  for (const read::Image& image : trace.images()) {
    Program program;
    program.pid = image.pid, program.ppid = image.ppid;
    program.began = trace.clock().ns(image.first.tsc);
    program.path = image.program, program.arguments = image.arguments;
    program.image = image.ring_file;
    session.began =
        session.programs.empty() ? program.began : std::min(session.began, program.began);
    session.programs.push_back(std::move(program));
  }
  return session;
}

std::vector<Object> objects_of(const Program& program) {
  const std::unique_ptr<wire::Image> header = read::header_of(program.image);
  std::string_view text(header->objects, strnlen(header->objects, sizeof header->objects));
  std::vector<Object> objects;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    char* path = nullptr;
    const uint64_t base = std::strtoull(line.c_str(), &path, 16);
    if (*path == ' ') objects.push_back({base, path + 1});
  }
  return objects;
}

}  // namespace sctrace
