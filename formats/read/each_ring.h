// All rings of a trace, each for itself, on as many processors as there are: for what can be said
// of a ring without the others.
#pragma once
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <vector>

#include "formats/read/ring_reader.h"
#include "formats/read/trace.h"

namespace sctrace::read {

// One ring, and what went wrong in it. The damage that opening an image finds is that of its first.
struct RingTask {
  uint32_t image = 0, slot = 0;
  Damages damages;
  std::exception_ptr failed;
};

// How many will work at one time: each has a number below.
unsigned ring_workers(const Trace& trace);

// In no order, but tasks stand in that of the trace, and the work of one worker is never at two
// places. `number` is that of the task. What is thrown is kept in the task.
using RingWork = std::function<void(unsigned worker, size_t number, const RingTask& task,
                                    const std::shared_ptr<OpenImage>& image)>;
// `progress`, now and then: 0 to 1; by whichever worker, but by one at a time.
std::vector<RingTask> each_ring(const Trace& trace, const RingWork& work,
                                const std::function<void(double)>& progress = {});

}  // namespace sctrace::read
