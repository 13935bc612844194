#include "preload/environment.h"

namespace sctrace::preload {

constinit Environment environment{};

namespace {

bool had_preload;
char preload_was[4200];

bool begins(const char* s, const char* prefix) {
  while (*prefix)
    if (*s++ != *prefix++) return false;
  return true;
}

const char* copy_until(const char* from, char stop, char* to, uint64_t bytes) {
  uint64_t n = 0;
  for (; *from && *from != stop; ++from)
    if (n + 1 < bytes) to[n++] = *from;
  to[n] = 0;
  return *from ? from + 1 : from;
}

bool names_us(const char* s, uint64_t n) {
  static constexpr char name[] = "libsctrace.so";
  constexpr uint64_t length = sizeof name - 1;
  if (n < length || (n > length && s[n - length - 1] != '/')) return false;
  for (uint64_t i = 0; i < length; ++i)
    if (s[n - length + i] != name[i]) return false;
  return true;
}

template <uint64_t most>
void add_line(char (&to)[most], const char* mark, const char* entry) {
  uint64_t n = 0;
  while (to[n]) ++n;
  const uint64_t begin = n;
  for (const char* part : {mark, entry, "\n"})
    for (; *part && n + 1 < most; ++part) to[n++] = *part;
  to[n + 1 < most ? n : begin] = 0;  // what has no room is left out
}

void remember_setting(const char* entry) { add_line(environment.settings, "", entry); }

// Of two settings: are they of one name?
bool are_of_one_name(const char* a, const char* b) {
  for (; *a == *b; ++a, ++b)
    if (!*a || *a == '=') return *a == '=';
  return false;
}

bool has_name_of(const char* const* list, const char* setting) {
  for (; *list; ++list) {
    uint64_t n = 0;
    while (setting[n] != '=' && setting[n] && setting[n] == (*list)[n]) ++n;
    if (setting[n] == '=' && (*list)[n] == '=') return true;
  }
  return false;
}

}  // namespace

const char* variable(const char* const* list, const char* name) {
  for (; *list; ++list) {
    const char *a = *list, *b = name;
    while (*b && *a == *b) ++a, ++b;
    if (!*b && *a == '=') return a + 1;
  }
  return nullptr;
}

const char* without_us(char* preload) {
  char* out = preload;
  for (const char* in = preload; *in;) {
    const char* start = in;
    while (*in && *in != ':' && *in != ' ') ++in;
    const auto n = static_cast<uint64_t>(in - start);
    if (n && !names_us(start, n)) {
      if (out != preload) *out++ = ':';
      for (uint64_t i = 0; i < n; ++i) *out++ = start[i];
    }
    if (*in) ++in;
  }
  *out = 0;
  return out == preload ? nullptr : preload;
}

void read_environment(const char* const* list) {
  const char* inherit = nullptr;
  for (const char* const* entry = list; *entry; ++entry) {
    if (begins(*entry, "SCTRACE_INHERIT="))
      inherit = *entry + 16;
    else if (begins(*entry, "SCTRACE_"))
      remember_setting(*entry);
  }
  if (!inherit) return;
  environment.inherited = true;
  had_preload = *inherit == '+';
  constexpr char name[] = "LD_PRELOAD=";
  constexpr uint64_t length = sizeof name - 1;
  for (uint64_t i = 0; i < length; ++i) preload_was[i] = name[i];
  environment.left = inherit[1] == '-';
  environment.starts = inherit[1] && inherit[2] == '+';
  const char* rest = copy_until(inherit + (inherit[1] && inherit[2] ? 3 : 2), '\n',
                                preload_was + length, sizeof preload_was - length);
  rest = copy_until(rest, '\n', environment.directory, sizeof environment.directory);
  while (*rest) {  // what the exec did not hand on holds as it did in the program before
    char setting[1200];
    rest = copy_until(rest, '\n', setting, sizeof setting);
    if (*setting == '!') {
      add_line(environment.told[0], "", setting);
      continue;
    }
    if (!has_name_of(list, setting)) remember_setting(setting);
  }
}

void tell_later_programs(const char* lines) {
  const uint32_t at = environment.told_at.load(std::memory_order_relaxed) & 1;
  char(&to)[sizeof environment.told[0]] = environment.told[!at];
  char setting[1200];
  *to = 0;
  for (const char* rest = environment.told[at]; *rest;) {
    rest = copy_until(rest, '\n', setting, sizeof setting);
    bool stays = true;
    for (const char* line = lines; *line; line += *line == '\n') {
      stays &= !are_of_one_name(setting + 1, line);
      while (*line && *line != '\n') ++line;
    }
    if (stays) add_line(to, "", setting);
  }
  for (const char* rest = lines; *rest;) {
    rest = copy_until(rest, '\n', setting, sizeof setting);
    add_line(to, "!", setting);
  }
  // release: pairs with the acquire where an exec hands them on
  environment.told_at.store(!at, std::memory_order_release);
}

void restore_environment(char** list) {
  if (!environment.inherited) return;
  char** out = list;
  for (char** in = list; *in; ++in) {
    if (begins(*in, "SCTRACE_INHERIT=")) continue;
    if (!begins(*in, "LD_PRELOAD="))
      *out++ = *in;
    else if (had_preload)
      *out++ = preload_was;
  }
  *out = nullptr;
}

}  // namespace sctrace::preload
