#include "formats/reader/values.h"

namespace sctrace {

namespace {

uint32_t kind_of(Value::Kind kind) {
  switch (kind) {
    case Value::Kind::absent: return SCTRACE_READER_ABSENT;
    case Value::Kind::number: return SCTRACE_READER_NUMBER;
    case Value::Kind::text: return SCTRACE_READER_STRING;
    case Value::Kind::word: return SCTRACE_READER_WORD;
    case Value::Kind::words: return SCTRACE_READER_WORDS;
    case Value::Kind::address: return SCTRACE_READER_ADDRESS;
    case Value::Kind::descriptor: return SCTRACE_READER_DESCRIPTOR;
    case Value::Kind::structure: return SCTRACE_READER_STRUCT;
    case Value::Kind::list: return SCTRACE_READER_LIST;
    case Value::Kind::members: return SCTRACE_READER_SET;
    case Value::Kind::macro:
    case Value::Kind::change:
    case Value::Kind::wait_status:
    case Value::Kind::either:
    case Value::Kind::indexed:
    case Value::Kind::shifted: return SCTRACE_READER_OTHER;
  }
  return SCTRACE_READER_OTHER;
}

bool is_cut(const Value& v) {
  return v.cut || (v.kind == Value::Kind::text && v.whole > v.text.size()) ||
         (v.kind == Value::Kind::list && v.whole > v.items.size());
}

}  // namespace

const sctrace_reader_value* Values::made(const Value& v, const char* name) {
  std::vector<const sctrace_reader_value*> items;
  items.reserve(v.items.size());
  for (const Value& item : v.items) items.push_back(made(item));
  Node& node = nodes_.emplace_back(Node{{}, &v, std::move(items)});
  sctrace_reader_value& to = node.value;
  to.size = sizeof to;
  to.kind = kind_of(v.kind);
  to.name = v.name.empty() ? name : v.name.c_str();
  to.number = v.number;
  to.text = v.text.c_str(), to.length = v.text.size();
  to.whole = v.whole;
  to.address = v.address;
  to.cut = is_cut(v) && v.kind != Value::Kind::descriptor;  // there it says: deleted
  to.item_count = static_cast<uint32_t>(node.items.size());
  to.items = node.items.data();
  return &to;
}

const Value* Values::origin(const sctrace_reader_value* made) const {
  for (const Node& node : nodes_)
    if (&node.value == made) return node.origin;
  return nullptr;
}

void Values::clear() { nodes_.clear(); }

}  // namespace sctrace
