#include "tests/benchmarks/threads.h"

#include <cerrno>
#include <cstdlib>
#include <sstream>
#include <string>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

namespace assay::benchmarks {

namespace {

/// Says in the second start which CPUs there were in the first.
constexpr const char* cpus_variable = "ASSAY_BENCHMARK_CPUS";

std::vector<int>& chosen_cpus() {
    static std::vector<int> chosen;
    return chosen;
}

std::vector<int> cpus_in(const std::string& list) {
    std::istringstream in(list);
    std::vector<int> cpus;
    for (std::string one; std::getline(in, one, ',');) cpus.push_back(std::stoi(one));
    return cpus;
}

void start_again(char** argv) {
    const std::vector<int> cpus = kernels::cpus_by_core();
    setenv(cpus_variable, fmt::format("{}", fmt::join(cpus, ",")).c_str(), 1);
    setenv("OMP_NUM_THREADS", std::to_string(cpus.size()).c_str(), 1);
    setenv("OMP_PLACES", fmt::format("{{{}}}", fmt::join(cpus, "},{")).c_str(), 1);
    setenv("OMP_PROC_BIND", "close", 1);
    // What the shell says otherwise would win over these.
    for (const char* other : {"GOMP_CPU_AFFINITY", "KMP_AFFINITY", "OMP_THREAD_LIMIT", "OMP_DYNAMIC"})
        unsetenv(other);
    execv("/proc/self/exe", argv);
    throw std::system_error(errno, std::generic_category(), "starting again with OpenMP's variables");
}

}  // namespace

void settle_threads(char** argv) {
    const char* list = std::getenv(cpus_variable);
    if (list == nullptr) start_again(argv);
    chosen_cpus() = cpus_in(list);
    unsetenv(cpus_variable);
    if (!kernels::CpuSet::of(chosen_cpus()).apply(0))
        throw std::system_error(errno, std::generic_category(), "sched_setaffinity");
}

const std::vector<int>& cpus() {
    return chosen_cpus();
}

BoundToFirstCpu::BoundToFirstCpu() {
    kernels::CpuSet::single(cpus().front()).apply(0);
}

BoundToFirstCpu::~BoundToFirstCpu() {
    before_.apply(0);
}

}  // namespace assay::benchmarks
