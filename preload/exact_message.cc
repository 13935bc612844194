#include "preload/exact_message.h"

#include <cstddef>

#include "preload/capture.h"
#include "preload/exact_copies.h"
#include "preload/global.h"
#include "preload/put.h"

namespace sctrace::preload {
namespace {

struct Vector {
  uint64_t base, length;
};

constexpr uint64_t vectors_most = 1024;

struct Message {
  uint64_t name;
  uint32_t name_bytes, gap;
  uint64_t vectors, count, control, control_bytes;
  uint32_t flags, gap2;
};
static_assert(sizeof(Message) == 56);

// What the kernel is given, the app's own, and what the app has in the end.
struct Messages {
  Message kernel, app, given;
};

template <typename T>
T* at(uint64_t address) {
  return reinterpret_cast<T*>(address);
}

bool put_bytes(ThreadState& self, uint8_t way, uint64_t copy, uint64_t app, uint64_t n) {
  return put_copy(self, way, copy, app, n, n < struct_most ? n : struct_most);
}

bool put_data(ThreadState& self, uint8_t way, uint64_t copy, uint64_t app, uint64_t n) {
  if (self.redacted) return put_length(self, way | wire::data_exact, app, n);
  return put_copy(self, way, copy, app, n, kept_of(self, copy, n));
}

bool put_vector_data(ThreadState& self, uint8_t way, uint64_t copy, uint64_t count,
                     uint64_t filled) {
  const auto* kernel = at<const Vector>(copy);
  const Vector* app = kernel + count;
  for (uint64_t i = 0; i < count && filled; ++i) {
    const uint64_t n = app[i].length < filled ? app[i].length : filled;
    filled -= n;
    if (n && !put_data(self, way, kernel[i].base, app[i].base, n)) return false;
  }
  return true;
}

// The header as the app has it once the kernel filled in what it fills in.
Message as_given(const Messages& m) {
  Message given = m.app;
  given.name_bytes = m.kernel.name_bytes;
  given.control_bytes = m.kernel.control_bytes;
  given.flags = m.kernel.flags;
  return given;
}

uint64_t less(uint64_t a, uint64_t b) { return a < b ? a : b; }

bool copy_name(ThreadState& self, Messages& m, bool sending) {
  constexpr uint32_t address_most = 128;
  if (!m.app.name || !m.app.name_bytes) return true;
  if (m.app.name_bytes > address_most) return false;
  m.kernel.name = sending ? copied_in(self, m.app.name, m.app.name_bytes)
                          : copied_with_before(self, m.app.name, m.app.name_bytes);
  return m.kernel.name;
}

bool copy_control(ThreadState& self, Messages& m, bool sending) {
  if (!m.app.control || !m.app.control_bytes) return true;
  if (m.app.control_bytes > exact_most) return false;
  m.kernel.control = sending ? copied_in(self, m.app.control, m.app.control_bytes)
                             : copied_with_before(self, m.app.control, m.app.control_bytes);
  return m.kernel.control;
}

}  // namespace

uint64_t copy_vectors(ThreadState& self, uint64_t app, uint64_t count, bool sending) {
  if (!count || count > vectors_most) return 0;
  const uint64_t bytes = count * sizeof(Vector);
  const uint64_t copy = room_beside(self, 2 * bytes);
  if (!copy || !read_app(at<void>(copy), app, bytes)) return 0;
  auto* kernel = at<Vector>(copy);
  uint64_t left = exact_most;
  for (uint64_t i = 0; i < count; ++i) {
    const Vector v = kernel[count + i] = kernel[i];
    if (v.length > left) return 0;
    left -= v.length;
    if (!v.length) continue;
    kernel[i].base =
        sending ? copied_in(self, v.base, v.length) : room_for_out(self, v.base, v.length);
    if (!kernel[i].base) return 0;
  }
  return copy;
}

uint64_t copy_message(ThreadState& self, uint64_t app, bool sending) {
  const uint64_t copy = room_beside(self, sizeof(Messages));
  if (!copy || !read_app(at<void>(copy), app, sizeof(Message))) return 0;
  auto& m = *at<Messages>(copy);
  m.app = m.kernel;
  if (!sending && !room_for_out(self, app, sizeof(Message))) return 0;
  if (!copy_name(self, m, sending) || !copy_control(self, m, sending)) return 0;
  if (m.app.count) {
    m.kernel.vectors = copy_vectors(self, m.app.vectors, m.app.count, sending);
    if (!m.kernel.vectors) return 0;
  }
  return copy;
}

bool give_vectors(uint64_t copy, uint64_t count, int64_t result) {
  const auto* kernel = at<const Vector>(copy);
  const Vector* app = kernel + count;
  uint64_t left = result > 0 ? static_cast<uint64_t>(result) : 0;
  for (uint64_t i = 0; i < count && left; ++i) {
    const uint64_t n = less(app[i].length, left);
    left -= n;
    if (!write_app(app[i].base, at<const void>(kernel[i].base), n)) return false;
  }
  return true;
}

bool give_message(uint64_t app, uint64_t copy, int64_t result) {
  const auto& m = *at<const Messages>(copy);
  if (result < 0) return true;
  if (m.kernel.name != m.app.name && !give_changed(m.app.name, m.kernel.name, m.app.name_bytes))
    return false;
  if (m.kernel.control != m.app.control &&
      !give_changed(m.app.control, m.kernel.control, m.app.control_bytes))
    return false;
  if (m.app.count && !give_vectors(m.kernel.vectors, m.app.count, result)) return false;
  const Message given = as_given(m);
  return write_app(app + offsetof(Message, name_bytes), &given.name_bytes, 4) &&
         write_app(app + offsetof(Message, control_bytes), &given.control_bytes, 8) &&
         write_app(app + offsetof(Message, flags), &given.flags, 4);
}

bool put_vectors_in(ThreadState& self, uint64_t app, uint64_t copy, uint64_t count, bool sending) {
  const uint64_t bytes = count * sizeof(Vector);
  return put_bytes(self, 0, copy + bytes, app, bytes) &&
         (!sending || put_vector_data(self, 0, copy, count, ~0ull));
}

bool put_vectors_out(ThreadState& self, uint64_t copy, uint64_t count, int64_t result) {
  return put_vector_data(self, wire::data_out, copy, count, static_cast<uint64_t>(result));
}

bool put_message_in(ThreadState& self, uint64_t app, uint64_t copy, bool sending) {
  const auto& m = *at<const Messages>(copy);
  if (!put_bytes(self, 0, reinterpret_cast<uint64_t>(&m.app), app, sizeof(Message))) return false;
  if (sending && m.app.name && m.app.name_bytes &&
      !put_bytes(self, 0, m.kernel.name, m.app.name, m.app.name_bytes))
    return false;
  if (m.app.count && !put_vectors_in(self, m.app.vectors, m.kernel.vectors, m.app.count, sending))
    return false;
  return !sending || !m.app.control || !m.app.control_bytes ||
         put_bytes(self, 0, m.kernel.control, m.app.control, m.app.control_bytes);
}

bool put_message_out(ThreadState& self, uint64_t app, uint64_t copy, int64_t result) {
  constexpr uint8_t out = wire::data_out;
  auto& m = *at<Messages>(copy);
  const uint64_t name_bytes = less(m.kernel.name_bytes, m.app.name_bytes);
  m.given = as_given(m);
  if (!put_bytes(self, out, reinterpret_cast<uint64_t>(&m.given), app, sizeof(Message)))
    return false;
  if (m.app.name && name_bytes && !put_bytes(self, out, m.kernel.name, m.app.name, name_bytes))
    return false;
  if (m.app.count &&
      !put_vector_data(self, out, m.kernel.vectors, m.app.count, static_cast<uint64_t>(result)))
    return false;
  const uint64_t control_bytes = less(m.kernel.control_bytes, m.app.control_bytes);
  return !m.app.control || !control_bytes ||
         put_bytes(self, out, m.kernel.control, m.app.control, control_bytes);
}

}  // namespace sctrace::preload
