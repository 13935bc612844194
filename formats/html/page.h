// The page of the report, as it is built in: page.html with its styles and scripts.
#pragma once
#include <string_view>

namespace sctrace::html {

extern "C" const char sctrace_page_html[], sctrace_page_html_end[];
extern "C" const char sctrace_page_css[], sctrace_page_css_end[];
extern "C" const char sctrace_page_js[], sctrace_page_js_end[];
extern "C" const char sctrace_page_timeline[], sctrace_page_timeline_end[];
extern "C" const char sctrace_page_heat[], sctrace_page_heat_end[];
extern "C" const char sctrace_page_flame[], sctrace_page_flame_end[];
extern "C" const char sctrace_page_tables[], sctrace_page_tables_end[];
extern "C" const char sctrace_page_live[], sctrace_page_live_end[];

inline std::string_view page() { return {sctrace_page_html, sctrace_page_html_end}; }
inline std::string_view styles() { return {sctrace_page_css, sctrace_page_css_end}; }
inline std::string_view script() { return {sctrace_page_js, sctrace_page_js_end}; }
inline std::string_view timeline() { return {sctrace_page_timeline, sctrace_page_timeline_end}; }
inline std::string_view heat() { return {sctrace_page_heat, sctrace_page_heat_end}; }
inline std::string_view flame() { return {sctrace_page_flame, sctrace_page_flame_end}; }
inline std::string_view tables() { return {sctrace_page_tables, sctrace_page_tables_end}; }
inline std::string_view live() { return {sctrace_page_live, sctrace_page_live_end}; }

}  // namespace sctrace::html
