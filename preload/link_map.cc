#include "preload/link_map.h"

#include <elf.h>

#include <cstdint>

namespace sctrace::preload {
namespace {

// libc.so.6, or a musl's loader, which is its libc.
bool is_libc(const char* path) {
  const char* name = path;
  for (const char* at = path; *at; ++at)
    if (*at == '/') name = at + 1;
  const auto begins = [&](const char* prefix) {
    const char* at = name;
    while (*prefix && *prefix == *at) ++prefix, ++at;
    return !*prefix;
  };
  return begins("libc.so.") || begins("ld-musl-");
}

// The tables of a loaded object that a name is looked up in. glibc's loader has made addresses of
// what the file says, a musl's has not.
struct Symbols {
  const ElfW(Sym) * symbols = nullptr;
  const char* strings = nullptr;
  const uint32_t* hash = nullptr;  // DT_GNU_HASH
};

Symbols symbols_of(const link_map& object) {
  Symbols found;
  for (const ElfW(Dyn)* entry = object.l_ld; entry->d_tag != DT_NULL; ++entry) {
    const uint64_t value = entry->d_un.d_ptr;
    const uint64_t address = value < object.l_addr ? value + object.l_addr : value;
    if (entry->d_tag == DT_SYMTAB) found.symbols = reinterpret_cast<const ElfW(Sym)*>(address);
    if (entry->d_tag == DT_STRTAB) found.strings = reinterpret_cast<const char*>(address);
    if (entry->d_tag == DT_GNU_HASH) found.hash = reinterpret_cast<const uint32_t*>(address);
  }
  return found;
}

bool same(const char* a, const char* b) {
  while (*a && *a == *b) ++a, ++b;
  return *a == *b;
}

// The table: counts of buckets, of the first symbol in them, of filter words; the filter, the
// buckets, and for each symbol its hash, whose lowest bit ends a bucket.
uint64_t address_of(const link_map& object, const char* name) {
  const Symbols table = symbols_of(object);
  if (!table.symbols || !table.strings || !table.hash) return 0;
  uint32_t wanted = 5381;
  for (const char* at = name; *at; ++at) wanted = wanted * 33 + static_cast<uint8_t>(*at);
  const uint32_t bucket_count = table.hash[0], first = table.hash[1], words = table.hash[2];
  const uint32_t* buckets = table.hash + 4 + 2ull * words;
  const uint32_t* hashes = buckets + bucket_count;
  uint32_t index = bucket_count ? buckets[wanted % bucket_count] : 0;
  for (; index >= first; ++index) {
    const uint32_t hash = hashes[index - first];
    const ElfW(Sym)& symbol = table.symbols[index];
    if ((hash | 1) == (wanted | 1) && symbol.st_shndx != SHN_UNDEF &&
        same(table.strings + symbol.st_name, name))
      return object.l_addr + symbol.st_value;
    if (hash & 1) break;
  }
  return 0;
}

}  // namespace

const r_debug* loader_state(const char* const* environment) {
  while (*environment) ++environment;
  const ElfW(Phdr)* headers = nullptr;
  uint64_t count = 0;
  for (auto* entry = reinterpret_cast<const ElfW(auxv_t)*>(environment + 1);
       entry->a_type != AT_NULL; ++entry) {
    if (entry->a_type == AT_PHDR) headers = reinterpret_cast<const ElfW(Phdr)*>(entry->a_un.a_val);
    if (entry->a_type == AT_PHNUM) count = entry->a_un.a_val;
  }
  uint64_t base = 0, dynamic = 0;
  for (uint64_t i = 0; headers && i < count; ++i) {
    if (headers[i].p_type == PT_PHDR)
      base = reinterpret_cast<uint64_t>(headers) - headers[i].p_vaddr;
    if (headers[i].p_type == PT_DYNAMIC) dynamic = headers[i].p_vaddr;
  }
  if (!dynamic) return nullptr;
  for (auto* entry = reinterpret_cast<const ElfW(Dyn)*>(base + dynamic); entry->d_tag; ++entry)
    if (entry->d_tag == DT_DEBUG && entry->d_un.d_ptr)
      return reinterpret_cast<const r_debug*>(entry->d_un.d_ptr);
  return nullptr;
}

uint64_t in_libc(const link_map* list, const char* name) {
  for (; list; list = list->l_next)
    if (is_libc(list->l_name)) return address_of(*list, name);
  return 0;
}

void initialise_libc(const link_map* list, int argc, char** argv, char** envp) {
  while (list && !is_libc(list->l_name)) list = list->l_next;
  uint64_t array = 0, bytes = 0;
  for (const ElfW(Dyn)* entry = list ? list->l_ld : nullptr; entry && entry->d_tag; ++entry) {
    if (entry->d_tag == DT_INIT_ARRAY) array = entry->d_un.d_ptr;
    if (entry->d_tag == DT_INIT_ARRAYSZ) bytes = entry->d_un.d_val;
  }
  if (!array) return;
  const auto* all = reinterpret_cast<void (*const*)(int, char**, char**)>(list->l_addr + array);
  for (uint64_t i = 0; i < bytes / sizeof *all; ++i) all[i](argc, argv, envp);
}

uint64_t symbol_in(const link_map& object, const char* name) { return address_of(object, name); }

void go_last(link_map* list) {
  link_map *ours = nullptr, *last = list;
  for (link_map* object = list; object; last = object, object = object->l_next)
    if (object->l_ld == _DYNAMIC) ours = object;
  if (!ours || !ours->l_prev || ours == last) return;
  ours->l_prev->l_next = ours->l_next;
  ours->l_next->l_prev = ours->l_prev;
  last->l_next = ours;
  ours->l_prev = last;
  ours->l_next = nullptr;
}

}  // namespace sctrace::preload
