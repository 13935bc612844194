#include "formats/read/elf_symbols.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "formats/read/trace.h"
#include "formats/read/trace_file.h"

namespace sctrace::read {

namespace {

constexpr uint64_t table_most = uint64_t{1} << 30;  // bytes of symbols or names that are read

// Of names for one place: as programs use it, for everybody rather than within the file, shorter.
int rank_of(const Elf64_Sym& symbol, std::string_view name) {
  int rank = name.starts_with('_') && !name.starts_with("_Z") && !name.starts_with("_R") ? 0 : 4;
  const unsigned bind = ELF64_ST_BIND(symbol.st_info);
  rank += bind == STB_GLOBAL ? 2 : bind == STB_WEAK ? 1 : 0;
  return rank;
}

bool is_function(const Elf64_Sym& symbol) {
  const unsigned type = ELF64_ST_TYPE(symbol.st_info);
  return (type == STT_FUNC || type == STT_GNU_IFUNC) && symbol.st_shndx != SHN_UNDEF &&
         symbol.st_value;
}

template <class T>
bool read_array(const File& file, uint64_t offset, uint64_t bytes, std::vector<T>& to) {
  const uint64_t size = file.size();
  if (bytes > table_most || offset > size || bytes > size - offset) return false;
  to.resize(bytes / sizeof(T));
  return file.read(offset, to.data(), to.size() * sizeof(T)) == to.size() * sizeof(T);
}

}  // namespace

std::vector<std::string> debug_files(const std::string& build_id) {
  if (build_id.size() < 2) return {};
  std::string hex;
  for (const char c : build_id) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  std::vector<std::string> all = {
      fmt::format("/usr/lib/debug/.build-id/{}/{}.debug", hex.substr(0, 2), hex.substr(2))};
  if (const char* cache = std::getenv("DEBUGINFOD_CACHE_PATH"))
    all.push_back(fmt::format("{}/{}/debuginfo", cache, hex));
  else if (const char* caches = std::getenv("XDG_CACHE_HOME"))
    all.push_back(fmt::format("{}/debuginfod_client/{}/debuginfo", caches, hex));
  else if (const char* home = std::getenv("HOME"))
    all.push_back(fmt::format("{}/.cache/debuginfod_client/{}/debuginfo", home, hex));
  return all;
}

ElfSymbols::ElfSymbols(const std::string& path, const std::string& build_id) {
  add(path);
  std::error_code error;
  for (const std::string& one : debug_files(build_id))
    if (std::filesystem::is_regular_file(one, error)) add(one);
  const auto before = [](const Function& a, const Function& b) {
    if (a.begin != b.begin) return a.begin < b.begin;
    if (a.rank != b.rank) return a.rank > b.rank;
    return a.name.size() != b.name.size() ? a.name.size() < b.name.size() : a.name < b.name;
  };
  std::sort(functions_.begin(), functions_.end(), before);
  const auto same = [](const Function& a, const Function& b) { return a.begin == b.begin; };
  functions_.erase(std::unique(functions_.begin(), functions_.end(), same), functions_.end());
}

void ElfSymbols::add(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return;  // no device, no pipe
  try {
    const File file(path);
    Elf64_Ehdr head;
    if (file.read(0, &head, sizeof head) < sizeof head ||
        std::memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_ident[EI_CLASS] != ELFCLASS64 ||
        head.e_shentsize != sizeof(Elf64_Shdr))
      return;
    std::vector<Elf64_Shdr> sections;
    if (!read_array(file, head.e_shoff, head.e_shnum * sizeof(Elf64_Shdr), sections)) return;
    for (const Elf64_Shdr& one : sections) {
      if ((one.sh_type != SHT_SYMTAB && one.sh_type != SHT_DYNSYM) ||
          one.sh_link >= sections.size())
        continue;
      std::vector<Elf64_Sym> symbols;
      std::vector<char> bytes;
      const Elf64_Shdr& strings = sections[one.sh_link];
      if (!read_array(file, one.sh_offset, one.sh_size, symbols) ||
          !read_array(file, strings.sh_offset, strings.sh_size, bytes) || bytes.empty())
        continue;
      bytes.back() = 0;  // each name ends
      names_.emplace_back(bytes.begin(), bytes.end());
      const std::string& names = names_.back();
      for (const Elf64_Sym& symbol : symbols) {
        if (!is_function(symbol) || symbol.st_name >= names.size()) continue;
        const char* name = names.c_str() + symbol.st_name;
        if (!*name) continue;
        const uint64_t end = symbol.st_size ? symbol.st_value + symbol.st_size : 0;
        functions_.push_back({symbol.st_value, end, name, rank_of(symbol, name)});
      }
    }
  } catch (const BadTrace&) {
    return;  // not to be read: its code has no names
  }
}

const ElfSymbols::Function* ElfSymbols::at(uint64_t address) const {
  const auto behind = std::upper_bound(
      functions_.begin(), functions_.end(), address,
      [](uint64_t wanted, const Function& function) { return wanted < function.begin; });
  if (behind == functions_.begin()) return nullptr;
  const Function& found = *std::prev(behind);
  return found.end && address >= found.end ? nullptr : &found;
}

}  // namespace sctrace::read
