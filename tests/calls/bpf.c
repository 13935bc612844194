#include "say.h"

#include <linux/bpf.h>
#include <sys/mman.h>

// Each is refused: a byte that no kernel knows is set behind what it knows.
static union {
  union bpf_attr known;
  unsigned char bytes[512];
} attr;

static long refused(int command, unsigned size) {
  attr.bytes[sizeof attr - 1] = 1;
  return syscall(SYS_bpf, command, &attr, size);
}

// Arrays that end where memory ends.
static void links(void) {
  char* end = (char*)mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  end += 4096;
  munmap(end, 4096);
  struct {
    uint32_t prog, target, type, flags;
    uint64_t maps;
    uint32_t count, none;
  } iterator = {-1u, 0, 28, 0, (uintptr_t)(end - 8), 2, 0};
  ((int*)end)[-2] = 42, ((int*)end)[-1] = -1;
  const char* before = "bpf(BPF_LINK_CREATE, {link_create={prog_fd=-1, target_fd=0, attach_type=";
  say(syscall(SYS_bpf, BPF_LINK_CREATE, &iterator, 28),
      "%sBPF_TRACE_ITER, flags=0, iter_info=[{map={map_fd=42}}, {map={map_fd=-1}}], "
      "iter_info_len=2}}, 28)",
      before);
  iterator.count = 3;
  say(syscall(SYS_bpf, BPF_LINK_CREATE, &iterator, 28),
      "%sBPF_TRACE_ITER, flags=0, iter_info=[{map={map_fd=42}}, {map={map_fd=-1}}, "
      "... /* %p */], iter_info_len=3}}, 28)",
      before, (void*)end);
  struct {
    uint32_t prog, target, type, flags, kind, count;
    uint64_t names, addresses, cookies;
  } probes = {-1u, 0, 42, 0, 9, 3, (uintptr_t)(end - 24), (uintptr_t)(end - 24), 0};
  const char* name = "do_exit";
  ((uint64_t*)end)[-3] = (uintptr_t)name;
  ((uint64_t*)end)[-2] = 0, ((uint64_t*)end)[-1] = 1;
  say(syscall(SYS_bpf, BPF_LINK_CREATE, &probes, 48),
      "%sBPF_TRACE_KPROBE_MULTI, flags=0, kprobe_multi={flags=BPF_F_KPROBE_MULTI_RETURN|0x8, "
      "cnt=3, syms=[\"do_exit\", NULL, 0x1], addrs=[%p, 0, 0x1], cookies=NULL}}}, 48)",
      before, (const void*)name);
  probes.kind = 0xdeadc0de, probes.count = 0;
  say(syscall(SYS_bpf, BPF_LINK_CREATE, &probes, 48),
      "%sBPF_TRACE_KPROBE_MULTI, flags=0, kprobe_multi={flags=0xdeadc0de /* BPF_F_??? */, cnt=0, "
      "syms=[], addrs=[], cookies=NULL}}}, 48)",
      before);
}

int main(void) {
  attr.known.map_type = BPF_MAP_TYPE_HASH;
  attr.known.key_size = 4;
  attr.known.value_size = 8;
  attr.known.max_entries = 2;
  attr.known.map_flags = BPF_F_NO_PREALLOC;
  memcpy(attr.known.map_name, "seen", 5);
  say(refused(BPF_MAP_CREATE, sizeof attr),
      "bpf(BPF_MAP_CREATE, {map_type=BPF_MAP_TYPE_HASH, key_size=4, value_size=8, max_entries=2, "
      "map_flags=BPF_F_NO_PREALLOC, inner_map_fd=0, map_name=\"seen\", map_ifindex=0, btf_fd=0, "
      "btf_key_type_id=0, btf_value_type_id=0, btf_vmlinux_value_type_id=0, map_extra=0, ...}, "
      "512)");
  memset(&attr, 0, sizeof attr);
  attr.known.pathname = (uintptr_t) "/sys/fs/bpf/none";
  attr.known.bpf_fd = -1u;
  say(syscall(SYS_bpf, BPF_OBJ_GET, &attr, 12),
      "bpf(BPF_OBJ_GET, {pathname=\"/sys/fs/bpf/none\", bpf_fd=-1}, 12)");
  memset(&attr, 0, sizeof attr);
  const struct bpf_insn end = {.code = BPF_JMP | BPF_EXIT};
  attr.known.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
  attr.known.insn_cnt = 1;
  attr.known.insns = (uintptr_t)&end;
  attr.known.license = (uintptr_t) "none";
  attr.known.log_level = 77;
  say(syscall(SYS_bpf, BPF_PROG_LOAD, &attr, 24),
      "bpf(BPF_PROG_LOAD, {prog_type=BPF_PROG_TYPE_SOCKET_FILTER, insn_cnt=1, insns=%p, "
      "license=\"none\"}, 24)",
      (void*)&end);
  say(syscall(SYS_bpf, BPF_MAP_FREEZE, 16, 4), "bpf(BPF_MAP_FREEZE, 0x10, 4)");
  links();
  memset(&attr, 0, sizeof attr);
  attr.known.info.bpf_fd = -1u;
  attr.known.info.info_len = 8;
  attr.known.info.info = (uintptr_t)&end;
  say(syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, 16),
      "bpf(BPF_OBJ_GET_INFO_BY_FD, {info={bpf_fd=-1, info_len=8, info=%p}}, 16)", (void*)&end);
  return 0;
}
