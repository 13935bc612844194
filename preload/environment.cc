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

void remember_setting(const char* entry) {
  uint64_t n = 0, size = 0;
  while (environment.settings[n]) ++n;
  while (entry[size]) ++size;
  if (n + size + 2 >= sizeof environment.settings) return;
  for (uint64_t i = 0; i < size; ++i) environment.settings[n++] = entry[i];
  environment.settings[n++] = '\n';
  environment.settings[n] = 0;
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
    if (!has_name_of(list, setting)) remember_setting(setting);
  }
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
