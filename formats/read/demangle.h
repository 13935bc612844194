// A linker's name as its programmer wrote it: C++ (Itanium), both of Rust's forms. Others, and
// those that make no sense, stay as they are.
#pragma once
#include <string>
#include <string_view>

namespace sctrace::read {

std::string demangled(const std::string& name);
std::string demangled_rust(std::string_view name);  // one that begins with _R

}  // namespace sctrace::read
