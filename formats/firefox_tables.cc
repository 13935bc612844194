#include "formats/firefox_tables.h"

#include <fmt/format.h>

#include "formats/callers.h"
#include "formats/json.h"

namespace sctrace::firefox {

namespace {

template <class Cell>
std::string column(std::string_view name, size_t rows, Cell cell) {
  std::string text = fmt::format("\"{}\":[", name);
  for (size_t n = 0; n < rows; ++n) {
    if (n) text += ',';
    text += cell(n);
  }
  return text + "],";
}

std::string same(std::string_view name, size_t rows, const char* value) {
  return column(name, rows, [&](size_t) { return value; });
}

}  // namespace

uint32_t Strings::id_of(std::string_view text) {
  const auto [found, is_new] =
      ids_.try_emplace(std::string(text), static_cast<uint32_t>(ids_.size()));
  if (is_new) all_.push_back(&found->first);
  return found->second;
}

std::string Strings::json() const {
  std::string text = "[";
  for (size_t n = 0; n < all_.size(); ++n) {
    if (n) text += ',';
    put_json(text, *all_[n]);
  }
  return text + ']';
}

uint32_t Tables::frame_of(uint32_t name) {
  const auto [found, is_new] = frame_of_.try_emplace(name, static_cast<uint32_t>(frames_.size()));
  if (is_new) frames_.push_back(name);
  return found->second;
}

uint32_t Tables::stack_over(int64_t prefix, uint32_t frame, int category) {
  const auto [found, is_new] =
      stack_of_.try_emplace({prefix, frame}, static_cast<uint32_t>(stacks_.size()));
  if (is_new) stacks_.push_back({prefix, frame, category});
  return found->second;
}

uint32_t Tables::stack_of(const Event& e, Strings& strings, int category) {
  int64_t prefix = -1;
  for (auto frame = e.stack.rbegin(); frame != e.stack.rend(); ++frame)
    prefix = stack_over(prefix, frame_of(strings.id_of(name_of(*frame))), 0);
  return stack_over(prefix, frame_of(strings.id_of(e.name)), category);
}

std::string Tables::json() const {
  const size_t s = stacks_.size(), f = frames_.size();
  const auto number = [](auto n) { return fmt::to_string(n); };
  std::string text = "\"stackTable\":{";
  text += column("frame", s, [&](size_t n) { return number(stacks_[n].frame); });
  text += column("prefix", s, [&](size_t n) {
    return stacks_[n].prefix < 0 ? "null" : number(stacks_[n].prefix);
  });
  text += column("category", s, [&](size_t n) { return number(stacks_[n].category); });
  text += same("subcategory", s, "0");
  text += fmt::format("\"length\":{}}},\n\"frameTable\":{{", s);
  text += same("address", f, "-1") + same("inlineDepth", f, "0") + same("category", f, "0");
  text += same("subcategory", f, "0") + column("func", f, number);
  text += same("nativeSymbol", f, "null") + same("innerWindowID", f, "0");
  text += same("line", f, "null") + same("column", f, "null");
  text += fmt::format("\"length\":{}}},\n\"funcTable\":{{", f);
  text += column("name", f, [&](size_t n) { return number(frames_[n]); });
  text += same("isJS", f, "false") + same("relevantForJS", f, "false") + same("resource", f, "-1");
  text += same("fileName", f, "null") + same("source", f, "null");
  text += same("lineNumber", f, "null") + same("columnNumber", f, "null");
  text += fmt::format("\"length\":{}}},\n", f);
  text += R"("resourceTable":{"lib":[],"name":[],"host":[],"type":[],"length":0},)";
  text += R"("nativeSymbols":{"libIndex":[],"address":[],"name":[],"functionSize":[],"length":0})";
  return text;
}

}  // namespace sctrace::firefox
