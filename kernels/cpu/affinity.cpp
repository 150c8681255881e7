#include "kernels/cpu/affinity.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <set>
#include <string>
#include <system_error>
#include <utility>

namespace assay::kernels {

namespace {

/// 0 for the first thread of its core, 1 for its hyper-thread: the rank in "0,64" or "4-5".
int rank_in_core(int cpu) {
    std::ifstream file("/sys/devices/system/cpu/cpu" + std::to_string(cpu) +
                       "/topology/thread_siblings_list");
    int rank = 0;
    int first = 0;
    while (file >> first) {
        int last = first;
        if (file.peek() == '-') {
            file.get();
            file >> last;
        }
        if (cpu >= first && cpu <= last) return rank + cpu - first;
        rank += last - first + 1;
        if (file.peek() == ',') file.get();
    }
    return 0;
}

}  // namespace

CpuSet::CpuSet(int cpus) : words_(static_cast<std::size_t>(cpus + CPU_SETSIZE - 1) / CPU_SETSIZE) {
    CPU_ZERO_S(bytes(), words_.data());
}

CpuSet CpuSet::of_calling_thread() {
    for (int cpus = CPU_SETSIZE;; cpus *= 2) {
        CpuSet set(cpus);
        if (sched_getaffinity(0, set.bytes(), set.words_.data()) == 0) return set;
        // EINVAL: the kernel's own set is larger.
        if (errno != EINVAL || cpus > (1 << 20))
            throw std::system_error(errno, std::generic_category(), "sched_getaffinity");
    }
}

CpuSet CpuSet::single(int cpu) {
    CpuSet set(cpu + 1);
    CPU_SET_S(static_cast<std::size_t>(cpu), set.bytes(), set.words_.data());
    return set;
}

std::vector<int> CpuSet::members() const {
    std::vector<int> cpus;
    const std::size_t limit = words_.size() * CPU_SETSIZE;
    for (std::size_t cpu = 0; cpu < limit; ++cpu)
        if (CPU_ISSET_S(cpu, bytes(), words_.data())) cpus.push_back(static_cast<int>(cpu));
    return cpus;
}

bool CpuSet::apply(pid_t thread) const {
    return sched_setaffinity(thread, bytes(), words_.data()) == 0;
}

std::vector<int> cpus_by_core() {
    std::vector<std::pair<int, int>> ranked;
    for (const int cpu : CpuSet::of_calling_thread().members()) ranked.emplace_back(rank_in_core(cpu), cpu);
    std::sort(ranked.begin(), ranked.end());
    std::vector<int> cpus;
    for (const auto& [rank, cpu] : ranked) cpus.push_back(cpu);
    return cpus;
}

int cores_among(const std::vector<int>& cpus) {
    // Siblings show the same list of them.
    std::set<std::string> cores;
    for (const int cpu : cpus) {
        std::ifstream file("/sys/devices/system/cpu/cpu" + std::to_string(cpu) +
                           "/topology/thread_siblings_list");
        std::string siblings;
        if (!(file >> siblings)) siblings = "cpu" + std::to_string(cpu);
        cores.insert(siblings);
    }
    return static_cast<int>(cores.size());
}

}  // namespace assay::kernels
