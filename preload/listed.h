// The mapped objects as the image tells readers of them (wire::Image::objects and, where stacks are
// kept, ids): one a line, in the order in which they came. What finds no room is not in it.
#pragma once
#include <cstddef>
#include <cstdint>

#include "rewriter/object.h"

namespace sctrace::preload {

struct BuildId {
  uint8_t bytes[32];
  uint8_t size;  // 0: it has none
};

BuildId build_id_in(const rewriter::Bytes& notes);

struct Listed {
  uint64_t base;
  const char* path;
  size_t path_bytes;
  uint64_t bytes;  // from the base to its end
  BuildId build_id;
  bool again = false;  // it may be in the list already
};

void list_object(const Listed& object);

}  // namespace sctrace::preload
