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

/// The CPUs in "0,64" or "4-5"; none where the file is not there.
std::vector<int> siblings_of(int cpu, const std::filesystem::path& root) {
    std::string name = "cpu";  // one expression makes GCC 12 warn of an overlap that is none
    name += std::to_string(cpu);
    std::ifstream file(root / "sys/devices/system/cpu" / name / "topology/thread_siblings_list");
    std::vector<int> siblings;
    int first = 0;
    while (file >> first) {
        int last = first;
        if (file.peek() == '-') {
            file.get();
            file >> last;
        }
        for (int sibling = first; sibling <= last; ++sibling) siblings.push_back(sibling);
        if (file.peek() == ',') file.get();
    }
    return siblings;
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
    return of({cpu});
}

CpuSet CpuSet::of(const std::vector<int>& cpus) {
    CpuSet set(*std::max_element(cpus.begin(), cpus.end()) + 1);
    for (const int cpu : cpus) CPU_SET_S(static_cast<std::size_t>(cpu), set.bytes(), set.words_.data());
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

std::vector<int> ordered_by_core(const std::vector<int>& cpus, const std::filesystem::path& root) {
    std::vector<std::pair<std::ptrdiff_t, int>> ranked;
    for (const int cpu : cpus) {
        // Only siblings that may be used count: of a core's second thread alone, it is the first one.
        const std::vector<int> siblings = siblings_of(cpu, root);
        const std::ptrdiff_t rank = std::count_if(siblings.begin(), siblings.end(), [&](int sibling) {
            return sibling < cpu && std::find(cpus.begin(), cpus.end(), sibling) != cpus.end();
        });
        ranked.emplace_back(rank, cpu);
    }
    std::sort(ranked.begin(), ranked.end());
    std::vector<int> ordered;
    for (const auto& [rank, cpu] : ranked) ordered.push_back(cpu);
    return ordered;
}

std::vector<int> cpus_by_core() {
    return ordered_by_core(CpuSet::of_calling_thread().members());
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
