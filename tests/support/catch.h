// Catch2, of whichever version this system has: 2 (Debian 12, Ubuntu 22.04) or 3.
#pragma once
#include <string>

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
namespace sctrace::test {
inline auto contains(const std::string& text) { return Catch::Matchers::ContainsSubstring(text); }
}  // namespace sctrace::test
#else
#include <catch2/catch.hpp>
namespace sctrace::test {
inline auto contains(const std::string& text) { return Catch::Matchers::Contains(text); }
}  // namespace sctrace::test
#endif
