// Is a record what its head says it is? For whoever reads bytes that somebody else wrote.
#pragma once
#include <cstdint>

#include "formats/wire/record.h"

namespace sctrace::read {

// Nothing, or why these bytes cannot be one record. `bytes` holds the whole of it.
const char* wrong_with(const wire::Header& header, const uint8_t* bytes);

}  // namespace sctrace::read
