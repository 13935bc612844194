#include "formats/beginning.h"

#include <fmt/format.h>

#include <algorithm>

#include "formats/json.h"
#include "formats/read/beginning.h"
#include "formats/text.h"

namespace sctrace {
namespace {

using read::Beginning;

bool is_number(const std::string& text) {
  return !text.empty() && text.size() < 20 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string number_or_null(const std::string& text) { return is_number(text) ? text : "null"; }

// Real, effective, saved and of the file system.
std::string ids_json(const Beginning& began, const char* field) {
  const auto ids = began.words(field);
  const auto id = [&](size_t n) { return number_or_null(n < ids.size() ? ids[n] : ""); };
  return fmt::format(R"({{"real": {}, "effective": {}, "saved": {}, "filesystem": {}}})", id(0),
                     id(1), id(2), id(3));
}

std::string list_json(const std::vector<std::string>& all) {
  std::string text;
  for (const std::string& one : all) text += (text.empty() ? "" : ", ") + one;
  return '[' + text + ']';
}

std::vector<std::string> signal_names(const Beginning& began, const char* field) {
  std::vector<std::string> names;
  for (const uint32_t signal : began.signals(field)) names.push_back(signal_name(signal));
  return names;
}

std::string signals_json(const Beginning& began, const char* field) {
  std::vector<std::string> names = signal_names(began, field);
  for (std::string& name : names) name = json_text(name);
  return list_json(names);
}

std::string groups_json(const Beginning& began) {
  std::vector<std::string> groups = began.words("Groups");
  std::erase_if(groups, [](const std::string& one) { return !is_number(one); });
  return list_json(groups);
}

std::string capabilities_json(const Beginning& began) {
  static constexpr struct {
    const char *name, *field;
  } sets[] = {{"inheritable", "CapInh"},
              {"permitted", "CapPrm"},
              {"effective", "CapEff"},
              {"bounding", "CapBnd"},
              {"ambient", "CapAmb"}};
  std::string text;
  for (const auto& set : sets)
    text += fmt::format("{}\"{}\": {}", text.empty() ? "" : ", ", set.name,
                        json_text(began.field(set.field)));
  return '{' + text + '}';
}

std::string limits_json(const Beginning& began) {
  std::string text;
  for (const read::Limit& limit : began.limits)
    text += fmt::format(R"({}{}: {{"soft": {}, "hard": {}, "unit": {}}})", text.empty() ? "" : ", ",
                        json_text(limit.name), number_or_null(limit.soft),
                        number_or_null(limit.hard), json_text(limit.unit));
  return '{' + text + '}';
}

std::string joined(const std::vector<std::string>& all) {
  std::string text;
  for (const std::string& one : all) text += (text.empty() ? "" : " ") + one;
  return text.empty() ? "none" : text;
}

}  // namespace

std::string beginning_json(const read::Image& image) {
  const Beginning began = read::beginning_of(image);
  if (began.status.empty() && began.limits.empty()) return "null";
  return fmt::format(
      "{{\"user\": {}, \"group\": {}, \"groups\": {}, \"umask\": {}, \"no_new_privs\": {}, "
      "\"seccomp\": {}, \"capabilities\": {}, \"signals_blocked\": {}, \"signals_ignored\": {}, "
      "\"limits\": {}}}",
      ids_json(began, "Uid"), ids_json(began, "Gid"), groups_json(began),
      json_text(began.field("Umask")), number_or_null(began.field("NoNewPrivs")),
      number_or_null(began.field("Seccomp")), capabilities_json(began),
      signals_json(began, "SigBlk"), signals_json(began, "SigIgn"), limits_json(began));
}

std::string beginning_text(const read::Image& image) {
  const Beginning began = read::beginning_of(image);
  if (began.status.empty()) return {};
  const auto users = began.words("Uid"), groups = began.words("Gid");
  const auto effective = [](const std::vector<std::string>& ids) {
    return ids.size() > 1 ? ids[1] : std::string("?");
  };
  std::string text =
      fmt::format("began as user {}, group {}, umask {}, capabilities {}; blocked: {}; ignored: {}",
                  effective(users), effective(groups), began.field("Umask"), began.field("CapEff"),
                  joined(signal_names(began, "SigBlk")), joined(signal_names(began, "SigIgn")));
  for (const read::Limit& limit : began.limits)
    if (limit.name == "Max open files")
      text += fmt::format("; {} open files of {}", limit.soft, limit.hard);
  return text;
}

}  // namespace sctrace
