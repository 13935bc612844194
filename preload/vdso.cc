#include "preload/vdso.h"

#include <asm/unistd.h>
#include <link.h>

#include "preload/global.h"
#include "preload/objects.h"
#include "preload/say.h"

namespace sctrace::preload {
namespace {

struct Function {
  const char* name;
  uint8_t number[2];
};
#define NUMBER(nr) \
  { (nr) & 0xff, (nr) >> 8 }
constexpr Function functions[] = {
    {"__vdso_clock_gettime", NUMBER(__NR_clock_gettime)},
    {"__vdso_gettimeofday", NUMBER(__NR_gettimeofday)},
    {"__vdso_time", NUMBER(__NR_time)},
    {"__vdso_getcpu", NUMBER(__NR_getcpu)},
    {"__vdso_clock_getres", NUMBER(__NR_clock_getres)},
};
#undef NUMBER

bool same(const char* a, const char* b) {
  for (; *a && *a == *b; ++a, ++b) {
  }
  return *a == *b;
}

struct Vdso {
  uint64_t base = 0, end = 0;
  const ElfW(Sym) * symbols = nullptr;
  const char* names = nullptr;
};

int look_at(dl_phdr_info* info, size_t, void* data) {
  auto& vdso = *static_cast<Vdso*>(data);
  if (!same(info->dlpi_name, "linux-vdso.so.1")) return 0;
  const ElfW(Dyn)* dynamic = nullptr;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    const uint64_t begin = info->dlpi_addr + header.p_vaddr;
    if (header.p_type == PT_LOAD) vdso.base = begin, vdso.end = begin + header.p_memsz;
    if (header.p_type == PT_DYNAMIC) dynamic = reinterpret_cast<const ElfW(Dyn)*>(begin);
  }
  // The kernel's own image is not relocated by everybody: an address may still be an offset.
  const auto place = [&](uint64_t value) {
    return value < vdso.base ? value + info->dlpi_addr : value;
  };
  for (; dynamic && dynamic->d_tag != DT_NULL; ++dynamic) {
    if (dynamic->d_tag == DT_SYMTAB)
      vdso.symbols = reinterpret_cast<const ElfW(Sym)*>(place(dynamic->d_un.d_ptr));
    if (dynamic->d_tag == DT_STRTAB)
      vdso.names = reinterpret_cast<const char*>(place(dynamic->d_un.d_ptr));
  }
  return 1;
}

// Behind `push %rbp … mov %rsp,%rbp`, where an unwinder takes the frame from rbp from then on; in a
// function that makes no frame right at its beginning. So a signal in the call still finds the way.
struct Body {
  uint64_t at;
  bool pops;
};
Body body_of(uint64_t begin, uint64_t bytes) {
  const auto* code = reinterpret_cast<const uint8_t*>(begin);
  if (code[0] != 0x55) return {begin, false};
  for (uint64_t i = 1; i < 16 && i + 3 < bytes; ++i)
    if (code[i] == 0x48 && code[i + 1] == 0x89 && code[i + 2] == 0xe5) return {begin + i + 3, true};
  return {0, false};
}

bool try_replace(uint64_t begin, uint64_t bytes, const Function& function,
                 rewriter::Writer& writer) {
  const Body body = body_of(begin, bytes);
  uint8_t code[] = {0xb8, function.number[0], function.number[1], 0,
                    0,  // mov $number, %eax
                    0x0f,
                    0x05,   // syscall
                    0x5d,   // pop %rbp
                    0xc3};  // ret
  unsigned size = sizeof code;
  if (!body.pops) code[7] = 0xc3, --size;
  uint8_t before[sizeof code];
  if (!body.at || body.at + size > begin + bytes) return false;
  __builtin_memcpy(before, reinterpret_cast<const void*>(body.at), sizeof before);
  return writer.write(body.at, before, code, size, 5) == rewriter::Refusal::none;
}

}  // namespace

void make_vdso_call() {
  Vdso vdso;
  each_object(look_at, &vdso);
  unsigned replaced = 0;
  rewriter::Writer writer;
  const auto* end =
      reinterpret_cast<const ElfW(Sym)*>(vdso.names);  // they lie one behind the other
  for (const auto* symbol = vdso.symbols; symbol && symbol + 1 <= end; ++symbol)
    for (const Function& function : functions) {
      const uint64_t begin = vdso.base + symbol->st_value;
      if (!symbol->st_value || !same(vdso.names + symbol->st_name, function.name)) continue;
      if (begin + symbol->st_size <= vdso.end && symbol->st_size >= 9)
        replaced += try_replace(begin, symbol->st_size, function, writer);
    }
  if (!replaced)
    say(Level::warn, "SCTRACE_VDSO=on: the vDSO's text cannot be changed; not recorded");
}

}  // namespace sctrace::preload
