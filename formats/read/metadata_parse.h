// The inside of metadata.cc: text → Table, one kind of line a function.
#pragma once
#include <string_view>
#include <unordered_map>
#include <vector>

#include "formats/read/metadata.h"
#include "formats/read/trace.h"

namespace sctrace::read {

class MetadataParser {
 public:
  MetadataParser(Table& table, const std::string& file) : t_(table), file_(file) {}
  void parse();  // t_.text; which it cuts into strings

 private:
  using Names = std::unordered_map<std::string_view, uint16_t>;
  [[noreturn]] void refuse(const std::string& why) const;
  const char* token(const char* what);  // the next word of the line
  const char* rest();                   // what the line has left, may be empty
  const char* or_empty(const char* what);
  uint64_t number(const char* what, uint64_t most, int base = 10);
  uint64_t number_in(std::string_view text, const char* what, uint64_t most, int base);
  template <class E>
  E spelt(const char* what, E if_unknown);
  uint16_t id(const Names& names, std::string_view name, const char* what) const;
  arch::Set set_named(std::string_view n) const {
    return static_cast<arch::Set>(id(sets_, n, "set"));
  }
  arch::Layout layout_named(std::string_view n) const {
    return static_cast<arch::Layout>(id(layouts_, n, "struct"));
  }

  void begin();
  void learn_names();
  bool next_line();
  void line(std::string_view word);
  bool word_line(std::string_view word);
  bool member_line(std::string_view word);
  void add_set();
  void add_word(arch::fold::Role role, bool number_only);
  void add_struct();
  void add_member(arch::Member::Role role);
  void add_call();
  void add_command();
  void add_argument();
  void set_property(arch::Arg& a, std::string_view key, char* value);
  void add_request();
  void add_ioctl();

  Table& t_;
  const std::string& file_;
  char *at_ = nullptr, *end_ = nullptr, *line_ = nullptr;
  Names sets_, layouts_;
  uint32_t set_ = 0, layout_ = 0;  // the one that lines add to; 0: none
  arch::Row* row_ = nullptr;
  arch::Command* command_ = nullptr;
  uint32_t nr_ = 0;
  bool ended_ = false;
};

// metadata_check.cc: what must hold before anything is decoded by a table; which calls and structs
// are just those that our code was written for. Throws BadTrace.
void check_table(Table& table, const std::string& file);
// What our code asks for and the table does not have, from `base`.
void complete(Table& table, const std::shared_ptr<const Table>& base);

}  // namespace sctrace::read
