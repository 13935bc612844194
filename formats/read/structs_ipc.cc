// What shmctl, msgctl and semctl tell and set.
#include "formats/read/structs.h"

namespace sctrace::read {

namespace {

Value permissions(const uint8_t* b, bool set) {
  Builder f;
  f.add("uid", user_value(peek<uint32_t>(b + 4))).add("gid", user_value(peek<uint32_t>(b + 8)));
  f.add("mode", value_number(peek<uint32_t>(b + 20), Value::Base::mode));
  if (set) return f.done();
  f.add("key", value_unsigned(peek<uint32_t>(b))).add("cuid", user_value(peek<uint32_t>(b + 12)));
  return f.add("cgid", user_value(peek<uint32_t>(b + 16))).done();
}

}  // namespace

Value shared_memory(const uint8_t* b, bool out) {
  Builder f;
  f.add("shm_perm", permissions(b, !out));
  if (!out) return f.done();
  f.add("shm_segsz", value_unsigned(peek<uint64_t>(b + 48)))
      .add("shm_cpid", value_number(peek<int32_t>(b + 80)));
  f.add("shm_lpid", value_number(peek<int32_t>(b + 84)))
      .add("shm_nattch", value_unsigned(peek<uint64_t>(b + 88)));
  f.add("shm_atime", value_number(peek<int64_t>(b + 56)))
      .add("shm_dtime", value_number(peek<int64_t>(b + 64)));
  return f.add("shm_ctime", value_number(peek<int64_t>(b + 72))).done();
}

Value message_queue(const uint8_t* b, bool out) {
  Builder f;
  f.add("msg_perm", permissions(b, !out));
  if (!out) return f.add("msg_qbytes", value_unsigned(peek<uint64_t>(b + 88))).done();
  f.add("msg_stime", value_number(peek<int64_t>(b + 48)))
      .add("msg_rtime", value_number(peek<int64_t>(b + 56)));
  f.add("msg_ctime", value_number(peek<int64_t>(b + 64)))
      .add("msg_qnum", value_unsigned(peek<uint64_t>(b + 80)));
  f.add("msg_qbytes", value_unsigned(peek<uint64_t>(b + 88)))
      .add("msg_lspid", value_number(peek<int32_t>(b + 96)));
  return f.add("msg_lrpid", value_number(peek<int32_t>(b + 100))).done();
}

Value semaphores(const uint8_t* b, bool out) {
  Builder f;
  f.add("sem_perm", permissions(b, !out));
  if (!out) return f.done();
  f.add("sem_otime", value_number(peek<int64_t>(b + 48)))
      .add("sem_ctime", value_number(peek<int64_t>(b + 64)));
  return f.add("sem_nsems", value_unsigned(peek<uint64_t>(b + 80))).done();
}

}  // namespace sctrace::read
