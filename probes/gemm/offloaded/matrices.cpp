#include "kernels/cpu/thread_team.h"
#include "kernels/device/cpu_device.h"
#include "probes/gemm/offloaded/offloaded.h"

namespace assay {

OffloadedMatrices::OffloadedMatrices(Accelerator& accelerator, kernels::Precision precision,
                                     const MatrixShape& shape, std::uint64_t seed)
    : host_device_(open_cpu_device()),
      host_(*host_device_, precision, shape),
      a_(accelerator.allocate(host_.a_bytes(), false)),
      b_(accelerator.allocate(host_.b_bytes(), false)),
      c_(accelerator.allocate(host_.c_bytes(), false)) {
    {
        kernels::ThreadTeam team(kernels::allowed_cpus());
        host_.fill(seed, team);
    }
    Queue& queue = accelerator.queue();
    queue.write(*a_, 0, host_.a(), host_.a_bytes());
    queue.write(*b_, 0, host_.b(), host_.b_bytes());
    queue.finish();
}

void OffloadedMatrices::poison(Queue& queue) {
    queue.fill(*c_, 0, host_.c_bytes(), Matrices::poison_byte(host_.precision()));
}

Check OffloadedMatrices::check(Queue& queue, kernels::Precision arithmetic, std::uint64_t seed) {
    // What a failed copy leaves behind must not pass either.
    host_.poison();
    queue.read(host_.c(), *c_, 0, host_.c_bytes());
    queue.finish();
    return host_.check(arithmetic, seed);
}

}  // namespace assay
