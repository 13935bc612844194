// Which file is mapped at an address, as the kernel says: a path alone may lead to another one by
// now. For the constructor.
#pragma once
#include <cstdint>

#include "rewriter/object.h"

namespace sctrace::preload {

struct MappedFile {
  uint64_t device, inode;  // as in /proc/self/maps
};

// False where nobody tells. `memory` may be needed until close_mapped_files().
bool find_mapped_file(uint64_t address, rewriter::Region& memory, MappedFile& found);
void close_mapped_files();

}  // namespace sctrace::preload
