// What a ring is told of, and what it tells: on one of its own, or with a refusal where there is
// none.
#include "say.h"

struct setup {
  uint32_t words[30];
};
struct update {
  uint32_t offset, reserved;
  uint64_t at;
};
struct resources {
  uint32_t count, flags;
  uint64_t reserved, data, tags;
};
struct restriction {
  uint16_t kind;
  uint8_t what, reserved;
  uint32_t more[3];
};
struct probe {
  uint8_t last, count;
  uint16_t reserved;
  uint32_t more[3];
  struct {
    uint8_t number, reserved;
    uint16_t flags;
    uint32_t more;
  } of[2];
};

static long tell(int ring, long what, const void* with, long count) {
  return syscall(SYS_io_uring_register, ring, what, with, count);
}

static void files(int ring) {
  static const int32_t fds[] = {0, -1, -2, -3};
  const struct update update = {7, 0, (uint64_t)(uintptr_t)fds};
  say(tell(ring, 6, &update, 4),
      "io_uring_register(%d, IORING_REGISTER_FILES_UPDATE, "
      "{offset=7, fds=[0, -1, IORING_REGISTER_FILES_SKIP, -3]}, 4)",
      ring);
  static const uint64_t tags[] = {0, 0x10};
  const struct resources fresh = {2, 1, 0, (uint64_t)(uintptr_t)fds, (uint64_t)(uintptr_t)tags};
  say(tell(ring, 13, &fresh, 24), "io_uring_register(%d, IORING_REGISTER_FILES2, %p, 24)", ring,
      (const void*)&fresh);
  say(tell(ring, 13, &fresh, 32),
      "io_uring_register(%d, IORING_REGISTER_FILES2, {nr=2, flags=IORING_RSRC_REGISTER_SPARSE, "
      "data=[0, -1], tags=[0, 0x10]}, 32)",
      ring);
  const struct {
    uint32_t offset, reserved;
    uint64_t data, tags;
    uint32_t count, more;
  } other = {1, 0, (uint64_t)(uintptr_t)(fds + 1), 0, 2, 0};
  say(tell(ring, 14, &other, 32),
      "io_uring_register(%d, IORING_REGISTER_FILES_UPDATE2, {offset=1, "
      "data=[-1, IORING_REGISTER_FILES_SKIP], tags=NULL, nr=2}, 32)",
      ring);
}

static void rules(int ring) {
  const struct restriction rules[] = {{0, 2, 0, {0}}, {1, 4, 0, {0}}, {3, 1, 0, {0, 5, 0}}};
  say(tell(ring, 11, rules, 3),
      "io_uring_register(%d, IORING_REGISTER_RESTRICTIONS, "
      "[{opcode=IORING_RESTRICTION_REGISTER_OP, "
      "register_op=IORING_REGISTER_FILES}, {opcode=IORING_RESTRICTION_SQE_OP, "
      "sqe_op=IORING_OP_READ_FIXED}, {opcode=IORING_RESTRICTION_SQE_FLAGS_REQUIRED, "
      "sqe_flags=IOSQE_FIXED_FILE, resv2=[0, 0x5, 0]}], 3)",
      ring);
  const uint64_t own[2][2] = {{0xffffffff, (uint64_t)ring}, {1, 0}};
  say(tell(ring, 21, own, 1),
      "io_uring_register(%d, IORING_UNREGISTER_RING_FDS, [{offset=4294967295, data=%#x}], 1)", ring,
      ring);
  say(tell(ring, 22, (uint64_t[]){0x8000, 4 | 7ull << 32, 0, 0, 0}, 1),
      "io_uring_register(%d, IORING_REGISTER_PBUF_RING, "
      "{ring_addr=0x8000, ring_entries=4, bgid=7}, 1)",
      ring);
}

// Only a ring that there is answers.
static void answers(int ring) {
  struct probe probe = {0};
  if (tell(ring, 8, &probe, 2) != 0) exit(77);
  printf(
      "io_uring_register(%d, IORING_REGISTER_PROBE, {last_op=%d%s, ops_len=2, "
      "ops=[{op=IORING_OP_NOP, flags=IO_URING_OP_SUPPORTED}, "
      "{op=IORING_OP_READV, flags=IO_URING_OP_SUPPORTED}]}, 2) = 0\n",
      ring, probe.last, probe.last > 46 ? " /* IORING_OP_??? */" : "");
  uint32_t limits[2] = {3, 0};
  if (tell(ring, 19, limits, 2) != 0) exit(77);
  printf(
      "io_uring_register(%d, IORING_REGISTER_IOWQ_MAX_WORKERS, "
      "[[IO_WQ_BOUND]=3, [IO_WQ_UNBOUND]=0] => [[IO_WQ_BOUND]=%u, [IO_WQ_UNBOUND]=%u], 2) = 0\n",
      ring, limits[0], limits[1]);
}

int main(void) {
  static struct setup setup;
  const int ring = (int)syscall(SYS_io_uring_setup, 4, &setup);
  files(ring);
  rules(ring);
  if (ring < 0) return 77;
  answers(ring);
  return 0;
}
