// Holds a stream back until the host says so.

#include "kernels/cuda/device_code.h"

/// One thread that waits until the host writes something to `flag` (mapped host memory), but no longer than
/// `limit_ns`: a host that died must not keep a card busy. `expired` is set to 1 when the limit ended it.
extern "C" __global__ void spin(const volatile std::uint32_t* flag, volatile std::uint32_t* expired,
                                std::uint64_t limit_ns) {
    const std::uint64_t begin = assay::device::nanoseconds();
    while (*flag == 0) {
        if (assay::device::nanoseconds() - begin > limit_ns) {
            *expired = 1;
            break;
        }
        assay::device::pause(200);
    }
}
