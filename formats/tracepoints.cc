#include "formats/tracepoints.h"

#include <fmt/format.h>

#include "formats/bytes.h"
#include "formats/callers.h"
#include "formats/phrase.h"
#include "formats/utf8.h"

namespace sctrace::tracepoints {

namespace {

constexpr std::string_view common =
    "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
    "\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
    "\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
    "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n";

constexpr std::string_view page =
    "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
    "\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
    "\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
    "\tfield: char data;\toffset:16;\tsize:4080;\tsigned:0;\n";

constexpr std::string_view event =
    "# compressed entry header\n"
    "\ttype_len    :    5 bits\n"
    "\ttime_delta  :   27 bits\n"
    "\tarray       :   32 bits\n\n"
    "\tpadding     : type == 29\n"
    "\ttime_extend : type == 30\n"
    "\ttime_stamp : type == 31\n"
    "\tdata max type_len  == 28\n";

void put_common(std::string& to, const Tracepoint& tracepoint, uint32_t tid) {
  put(to, tracepoint.id);
  put(to, uint16_t{0});  // flags, depth of preemption
  put(to, tid);
}

void put_section(std::string& to, std::string_view name, std::string_view text) {
  put_text(to, name);
  put(to, uint64_t{text.size()});
  to += text;
}

void put_description(std::string& to, const Tracepoint& tracepoint) {
  const std::string text = description(tracepoint);
  put(to, uint64_t{text.size()});
  to += text;
}

}  // namespace

const Tracepoint sys_enter{
    .system = "raw_syscalls",
    .name = "sys_enter",
    .id = 1001,
    .fields =
        "\tfield:long id;\toffset:8;\tsize:8;\tsigned:1;\n"
        "\tfield:unsigned long args[6];\toffset:16;\tsize:48;\tsigned:0;\n",
    .print =
        "\"NR %ld (%lx, %lx, %lx, %lx, %lx, %lx)\", REC->id, REC->args[0], REC->args[1], "
        "REC->args[2], REC->args[3], REC->args[4], REC->args[5]"};

const Tracepoint sys_exit{.system = "raw_syscalls",
                          .name = "sys_exit",
                          .id = 1002,
                          .fields =
                              "\tfield:long id;\toffset:8;\tsize:8;\tsigned:1;\n"
                              "\tfield:long ret;\toffset:16;\tsize:8;\tsigned:1;\n",
                          .print = "\"NR %ld = %ld\", REC->id, REC->ret"};

const Tracepoint signal_deliver{
    .system = "signal",
    .name = "signal_deliver",
    .id = 1003,
    .fields =
        "\tfield:int sig;\toffset:8;\tsize:4;\tsigned:1;\n"
        "\tfield:int errno;\toffset:12;\tsize:4;\tsigned:1;\n"
        "\tfield:int code;\toffset:16;\tsize:4;\tsigned:1;\n"
        "\tfield:unsigned long sa_handler;\toffset:24;\tsize:8;\tsigned:0;\n"
        "\tfield:unsigned long sa_flags;\toffset:32;\tsize:8;\tsigned:0;\n",
    .print =
        "\"sig=%d errno=%d code=%d sa_handler=%lx sa_flags=%lx\", REC->sig, REC->errno, "
        "REC->code, REC->sa_handler, REC->sa_flags"};

const Tracepoint user_stack{
    .system = "ftrace",
    .name = "user_stack",
    .id = 6,
    .fields =
        "\tfield:unsigned int tgid;\toffset:8;\tsize:4;\tsigned:0;\n"
        "\tfield:__data_loc char[] callers;\toffset:12;\tsize:4;\tsigned:0;\n"
        "\tfield:unsigned long caller[8];\toffset:16;\tsize:64;\tsigned:0;\n",
    .print = "\"%s\", __get_str(callers)"};

std::span<const Tracepoint* const> all() {
  static constexpr const Tracepoint* list[] = {&sys_enter, &sys_exit, &signal_deliver};
  return list;
}

std::string description(const Tracepoint& t) {
  return fmt::format("name: {}\nID: {}\nformat:\n{}{}\nprint fmt: {}\n", t.name, t.id, common,
                     t.fields, t.print);
}

std::string header(std::string_view version, std::span<const Tracepoint* const> of_ftrace) {
  std::string to = "\x17\x08\x44tracing";
  put_text(to, version);
  to += '\0';               // little-endian
  to += '\x08';             // bytes of a long
  put(to, uint32_t{4096});  // of a page
  put_section(to, "header_page", page);
  put_section(to, "header_event", event);
  put(to, static_cast<uint32_t>(of_ftrace.size()));
  for (const Tracepoint* t : of_ftrace) put_description(to, *t);
  put(to, uint32_t{2});  // systems
  std::string_view system;
  for (const Tracepoint* t : all()) {
    if (t->system != system) {
      system = t->system;
      put_text(to, system);
      put(to, uint32_t{system == "signal" ? 1u : 2u});
    }
    put_description(to, *t);
  }
  return to;
}

void put_enter(std::string& to, const Event& e) {
  put_common(to, sys_enter, e.tid);
  put(to, uint64_t{e.nr});
  for (const uint64_t raw : e.raw) put(to, raw);
}

void put_exit(std::string& to, const Event& e) {
  put_common(to, sys_exit, e.tid);
  put(to, uint64_t{e.nr});
  put(to, e.result);
}

void put_signal(std::string& to, const Arrival& a) {
  const auto field = [&](std::string_view name) -> int32_t {
    for (const Value& v : a.info.items)
      if (v.name == name) return static_cast<int32_t>(v.number);
    return 0;
  };
  put_common(to, signal_deliver, a.tid);
  put(to, a.number);
  put(to, field("si_errno"));
  put(to, field("si_code"));
  put(to, uint32_t{0});
  put(to, uint64_t{0});  // which handler runs, and how, is not in a signal's record
  put(to, uint64_t{0});
}

// Deeper stacks than the kernel's eight go on in the text alone, which may fill most of a page.
void put_stack(std::string& to, const Event& e) {
  constexpr size_t most = 8, text_most = 2048, name_most = 256;
  std::string text;
  uint64_t callers[most] = {};
  size_t count = 0;
  for (const Frame& frame : e.stack) {
    if (!frame.inlined && count < most) callers[count++] = frame.address;
    if (text.size() > text_most) {
      text += " ...";
      break;
    }
    (text += text.empty() ? "=> " : " => ") += utf8_of(on_a_line(name_of(frame), name_most));
  }
  put_common(to, user_stack, e.tid);
  put(to, e.pid);
  constexpr uint32_t at = 16 + sizeof callers;
  put(to, at | static_cast<uint32_t>(text.size() + 1) << 16);
  for (const uint64_t caller : callers) put(to, caller);
  put_text(to, text, 4);
}

}  // namespace sctrace::tracepoints
