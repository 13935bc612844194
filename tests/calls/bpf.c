#include "say.h"

#include <linux/bpf.h>

// Each is refused: a byte that no kernel knows is set behind what it knows.
static union {
  union bpf_attr known;
  unsigned char bytes[512];
} attr;

static long refused(int command, unsigned size) {
  attr.bytes[sizeof attr - 1] = 1;
  return syscall(SYS_bpf, command, &attr, size);
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
  return 0;
}
