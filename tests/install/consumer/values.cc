// values TRACE TRACE-OF-CAT TRACE-WITH-STACKS: what <sctrace/reader.hpp> gives beside lines, as its
// comments say.
#include <cstring>
#include <iostream>
#include <sctrace/reader.hpp>
#include <set>

using namespace sctrace::reader;

static int failures = 0;
static void check(const char* sentence, bool truth) {
  if (truth) return;
  ++failures;
  std::cout << "FAILED: " << sentence << '\n';
}

static void opens_hostname(const Event& event) {
  check("an argument has its name", event.argument(1)->name == std::string_view("pathname"));
  check("a path is a string", event.argument(1)->kind == SCTRACE_READER_STRING);
  check("and lay in memory", event.argument(1)->address != 0);
  bool touched = false;
  for (uint32_t n = 0; n < event.path_count; ++n) touched |= event.path(n) == "/etc/hostname";
  check("it touched that file", touched && event.path(event.path_count).empty());
  check("flags are words", event.argument(2)->kind == SCTRACE_READER_WORDS ||
                               event.argument(2)->kind == SCTRACE_READER_WORD);
  check("as print shows them", event.argument(2).shown() == "O_RDONLY");
  check("there is no tenth argument", !event.argument(9));
  check("a result is a descriptor", event.value()->kind == SCTRACE_READER_DESCRIPTOR);
  check("the same as the number", event.value()->number == uint64_t(event.result));
  check("raw arguments are there", event.raw_count == 4 && event.raw[2] == 0);
  check("it took a time", event.flags & SCTRACE_READER_TIMED && event.duration > 0);
  check("text is the line",
        event.text().substr(0, 52) == "openat(AT_FDCWD, \"/etc/hostname\", O_RDONLY) = 3");
}

static void of_cat(const char* path) {
  Trace trace(path);
  trace.limit(5);
  bool opened = false, stated = false, gone = false;
  for (const Event& event : trace) {
    if (event.kind == SCTRACE_READER_GONE && event.flags & SCTRACE_READER_PROCESS)
      gone = event.flags & SCTRACE_READER_EXITED && event.number == 0;
    if (event.kind != SCTRACE_READER_CALL) continue;
    check("a call has its own time", event.time > 0 && event.pid == event.tid);
    if (event.name == std::string_view("openat") && event.argument(1).text() == "/etc/hostname")
      opens_hostname(event), opened = true;
    if (event.name == std::string_view("newfstatat") || event.name == std::string_view("fstat"))
      for (uint32_t n = 1; n < 3; ++n)
        if (const Value status = event.argument(n); status->kind == SCTRACE_READER_STRUCT)
          stated |= status.size() > 2 && status.field("st_mode");
    if (event.name == std::string_view("exit_group"))
      check("exit has no end", !event.ended() && !event.value() && !event.error);
  }
  check("the file was opened", opened);
  check("a struct has fields", stated);
  check("the process is gone at the end", gone);
  check("nothing was lost", trace.losses().calls == 0 && trace.losses().size >= 64);
  check("times have a date", trace.wall_offset() > 1'000'000'000'000'000'000);
}

// As many raw events, and the other trace between them.
static void in_turns(const char* path, const char* other) {
  Trace whole(path), raw(path, SCTRACE_READER_RAW), third(other);
  auto beside = third.begin();
  auto one = raw.begin();
  std::set<uint32_t> kinds;
  bool same = true, bare = true, failed = false;
  for (const Event& event : whole) {
    const Event twin = *one;
    kinds.insert(event.kind);
    same &= twin.kind == event.kind && twin.tid == event.tid && twin.time == event.time &&
            twin.result == event.result && twin.name == std::string_view(event.name);
    bare &= twin.text().empty() && !twin.argument(0);
    failed |= event.failed() && event.error == std::string_view("ENOENT") && event.result == -2;
    ++one;
    if (beside != third.end()) ++beside;
  }
  check("raw events are the same", same && one == raw.end());
  check("but for what they leave out", bare);
  check("an error has a name", failed);
  check("calls, births and ends are told", kinds.count(0) && kinds.count(2) && kinds.count(3));
}

static void knows_callers(const char* path) {
  Trace trace(path);
  bool found = false, broken = false, more = false;
  for (const Event& event : trace) {
    if (event.kind != SCTRACE_READER_CALL || !event.frame_count) continue;
    const auto* outermost = event.caller(event.frame_count - 1);
    for (uint32_t n = 0; n < event.frame_count; ++n) {
      const auto* frame = event.caller(n);
      found |= event.name == std::string_view("openat") && frame->address && frame->size >= 48 &&
               std::strstr(frame->object, "libc") && frame->offset <= frame->address;
    }
    broken |= event.stack & SCTRACE_READER_STACK_BROKEN;
    more |= event.caller(event.frame_count) != nullptr || !outermost;
  }
  check("callers are told", found);
  check("each stack is whole, and no frame is behind it", !broken && !more);
}

static void refuses() {
  char error[20];
  std::memset(error, 'x', sizeof error);
  check("no trace is opened where there is none",
        !sctrace_reader_open("/nowhere", 0, error, sizeof error));
  check("and why is cut to its room",
        std::strlen(error) == 19 && !std::strncmp(error, "/nowhere", 8));
  check("or left out", !sctrace_reader_open("/nowhere", 0, nullptr, 0));
  check("an unknown option too", !sctrace_reader_open(".", 64, error, sizeof error));
  sctrace_reader_close(nullptr);
}

int main(int, char** argv) {
  check("the header is the library's", sctrace_reader_abi() == SCTRACE_READER_ABI);
  of_cat(argv[2]);
  in_turns(argv[1], argv[2]);
  knows_callers(argv[3]);
  refuses();
  return failures != 0;
}
