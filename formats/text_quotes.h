// Characters of a program as strace writes them between quotes and brackets. `hex`: of all bytes if
// 2, of a text that is not all printable if 1, in place of each octal number if 3.
#pragma once
#include <string>
#include <string_view>

namespace sctrace {

void append_quoted(std::string& out, std::string_view text, int hex);
// What stands between < and > behind a descriptor, and so holds neither.
std::string in_brackets(std::string_view text, int hex);
// Names and commands in tables of ours: as they are, but for what a terminal would obey.
std::string for_terminal(std::string_view text);

}  // namespace sctrace
