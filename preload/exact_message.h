// Exact mode for scatter lists: the vectors of readv and its kin, and the msghdr of sendmsg and
// recvmsg with all that it points at. Behind the array that the kernel is given lies the app's own,
// as it was when it was copied: that one is recorded, and tells where the bytes go back to.
#pragma once
#include "preload/thread.h"

namespace sctrace::preload {

// As in exact_copies.h: 0 when it can't be done. `sending`: the bytes go in.
uint64_t copy_vectors(ThreadState& self, uint64_t app, uint64_t count, bool sending);
uint64_t copy_message(ThreadState& self, uint64_t app, bool sending);

bool give_vectors(uint64_t copy, uint64_t count, int64_t result);
bool give_message(uint64_t app, uint64_t copy, int64_t result);

bool put_vectors_in(ThreadState& self, uint64_t app, uint64_t copy, uint64_t count, bool sending);
bool put_vectors_out(ThreadState& self, uint64_t copy, uint64_t count, int64_t result);
bool put_message_in(ThreadState& self, uint64_t app, uint64_t copy, bool sending);
bool put_message_out(ThreadState& self, uint64_t app, uint64_t copy, int64_t result);

}  // namespace sctrace::preload
