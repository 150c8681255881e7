#pragma once

#include <filesystem>
#include <vector>

#include <sched.h>

namespace assay::kernels {

/// A set of CPUs as the scheduler takes it, of as many as this kernel can have (a plain cpu_set_t ends at
/// 1024).
class CpuSet {
  public:
    static CpuSet of_calling_thread();  ///< throws std::system_error
    static CpuSet single(int cpu);
    static CpuSet of(const std::vector<int>& cpus);  ///< at least one

    std::vector<int> members() const;  ///< ascending
    /// Binds the thread `thread` (0: the calling one). Returns false when the system refuses.
    bool apply(pid_t thread) const;

  private:
    explicit CpuSet(int cpus);
    std::size_t bytes() const { return words_.size() * sizeof(cpu_set_t); }
    std::vector<cpu_set_t> words_;  ///< contiguous cpu_set_t are one larger set
};

/// CPUs of the calling thread, one thread of every core before the cores' second threads, so that the first N
/// are N cores where there are as many.
std::vector<int> cpus_by_core();
/// The same of these CPUs, on the machine whose /sys lies below `root`.
std::vector<int> ordered_by_core(const std::vector<int>& cpus, const std::filesystem::path& root = "/");

/// How many cores these CPUs belong to; a CPU whose siblings the system does not tell is a core.
int cores_among(const std::vector<int>& cpus);

}  // namespace assay::kernels
