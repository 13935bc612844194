#include "formats/row.h"

#include <fmt/format.h>

#include "arch/table.h"
#include "formats/callers.h"
#include "formats/read/table.h"
#include "formats/text.h"

namespace sctrace {

void Who::birth(const Birth& birth) {
  if (birth.program) programs_[birth.pid] = birth.program->path;
  threads_[birth.tid] = birth.name;
}

std::optional<int32_t> descriptor_of(const Event& e) {
  const arch::Row& row = read::lookup(e.nr);
  if (!row.arity || row.args[0].kind != arch::Kind::fd || !e.argc) return std::nullopt;
  return static_cast<int32_t>(e.raw[0]);
}

std::string path_of(const Event& e) {
  const arch::Row& row = read::lookup(e.nr);
  std::string from;  // the folder that a relative name begins in
  for (size_t i = 0; i < e.args.size(); ++i) {
    const Value& v = e.args[i];
    const bool folder = i < row.arity && row.args[i].kind == arch::Kind::dirfd;
    if (v.kind == Value::Kind::descriptor && folder) from = v.text;
    if (v.kind == Value::Kind::descriptor && !folder && !v.text.empty()) return v.text;
    if (v.kind != Value::Kind::text || !v.path) continue;
    if (v.text.empty()) return from;  // AT_EMPTY_PATH
    return v.text.starts_with('/') || from.empty() ? v.text : from + '/' + v.text;
  }
  return {};
}

std::string stack_of(const Event& e) { return callers_of(e.stack); }

std::string error_of(const Event& e) {
  if (!e.error()) return {};
  const std::string name = errno_name(e.error());
  return name.empty() ? fmt::format("{}", e.error()) : name;
}

}  // namespace sctrace
