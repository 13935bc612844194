// The trace's files, as this process makes or joins them: directory, session, and the image with
// its rings.
#pragma once

namespace sctrace::preload {

// 0, or the kernel's error; then nothing is mapped, and `say` has said why.
long open_trace(const char* inherited_directory);

}  // namespace sctrace::preload
