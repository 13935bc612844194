// A linker's name as its programmer wrote it: C++ (Itanium), Rust's older form. Others, and those
// that make no sense, stay as they are.
#pragma once
#include <string>

namespace sctrace::read {

std::string demangled(const std::string& name);

}  // namespace sctrace::read
