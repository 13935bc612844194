// Injections as the command is given them, looked at before a program is started with them.
#pragma once
#include <string>

namespace sctrace::cli {

// What is wrong with one injection ("inject=" or "fault=" in front or not), or nothing.
std::string wrong_with_injection(const std::string& text);

}  // namespace sctrace::cli
