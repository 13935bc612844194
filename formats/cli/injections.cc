#include "formats/cli/injections.h"

#include <fmt/format.h>

#include <cstring>
#include <stdexcept>

#include "formats/text_filter.h"
#include "formats/wire/inject.h"

namespace sctrace::cli {

namespace {

bool set_of_calls(const char* text, uint8_t* calls, bool& unknown) {
  try {
    const CallSet set = call_set(text);
    for (uint32_t nr = 0; nr < arch::number_limit; ++nr)
      if (set.test(nr)) calls[nr / 8] |= static_cast<uint8_t>(1u << nr % 8);
    unknown = set.test(arch::number_limit);
    return *text != '\0';
  } catch (const std::invalid_argument&) {
    return false;
  }
}

int error_named(const char* name) {
  for (const char* other : {"EWOULDBLOCK", "EDEADLOCK", "ENOTSUP", "ERESTARTSYS", "ERESTARTNOINTR",
                            "ERESTARTNOHAND", "ENOIOCTLCMD", "ERESTART_RESTARTBLOCK"})
    if (!std::strcmp(other, name)) return 1;  // which, the library knows
  for (int n = 1; n < 200; ++n)
    if (const char* known = strerrorname_np(n); known && !std::strcmp(known, name)) return n;
  return 0;
}

int signal_named(const char* name) {
  for (int n = 1; n < 32; ++n)
    if (const char* known = sigabbrev_np(n); known && !std::strcmp(known, name)) return n;
  return std::strcmp(name, "RTMIN") ? 0 : 32;
}

}  // namespace

std::string wrong_with_injection(const std::string& text) {
  constexpr wire::InjectionWords words{set_of_calls, error_named, signal_named};
  wire::Injection made;
  char bad[512];
  if (text.find_first_of(" \n") != std::string::npos) return "an injection holds no blanks";
  if (const char* expected = wire::parse_injection(text.c_str(), words, made, bad, sizeof bad))
    return fmt::format("'{}': expected {}", bad, expected);
  return {};
}

}  // namespace sctrace::cli
