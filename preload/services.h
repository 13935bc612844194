// What engines are given to work with (sctrace/engine.h), and what those services need to know.
#pragma once
#include "preload/engine.h"

namespace sctrace::preload {

extern Engine* being_opened;  // whose open() runs

}  // namespace sctrace::preload
