#include "kernels/device/accelerator.h"

namespace assay {

double timed(Queue& queue, const std::function<void()>& enqueue) {
    const std::unique_ptr<Mark> begin = queue.mark();
    enqueue();
    const std::unique_ptr<Mark> end = queue.mark();
    queue.finish();
    return queue.seconds_between(*begin, *end);
}

}  // namespace assay
