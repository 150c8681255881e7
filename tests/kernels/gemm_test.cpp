#include "kernels/cpu/gemm.h"

#include <cmath>
#include <filesystem>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include "kernels/cpu/affinity.h"
#include "kernels/cpu/thread_team.h"
#include "kernels/reference/reference.h"

namespace assay::kernels {
namespace {

std::set<pid_t> threads_here() {
    std::set<pid_t> threads;
    for (const std::filesystem::directory_entry& task :
         std::filesystem::directory_iterator("/proc/self/task"))
        threads.insert(std::stoi(task.path().filename()));
    return threads;
}

/// Those that OpenBLAS started when it was first told of every CPU, by library().
std::set<pid_t>& started_threads() {
    static std::set<pid_t> threads;
    return threads;
}

const OpenBlas* library() {
    const std::variant<const OpenBlas*, Absent> loaded = OpenBlas::load();
    if (const Absent* absent = std::get_if<Absent>(&loaded)) {
        ADD_FAILURE() << absent->reason;
        return nullptr;
    }
    const OpenBlas* const blas = std::get<const OpenBlas*>(loaded);
    static const bool told_of_all = [&] {
        const std::set<pid_t> before = threads_here();
        blas->set_threads(allowed_cpus());
        started_threads() = threads_here();
        for (const pid_t thread : before) started_threads().erase(thread);
        return true;
    }();
    static_cast<void>(told_of_all);
    return blas;
}

/// The CPUs that a thread of this process may use.
std::vector<int> affinity_of(pid_t thread) {
    cpu_set_t set;
    CPU_ZERO(&set);
    std::vector<int> cpus;
    if (sched_getaffinity(thread, sizeof set, &set) != 0) return cpus;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
        if (CPU_ISSET(static_cast<std::size_t>(cpu), &set)) cpus.push_back(cpu);
    return cpus;
}

template <typename Real>
void expect_products_match(const OpenBlas& blas, int m, int n, int k) {
    std::mt19937 generator(static_cast<unsigned>(m * 31 + n * 7 + k));
    std::uniform_real_distribution<Real> distribution(-1, 1);
    const auto size = [](int rows, int columns) {
        return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
    };
    std::vector<Real> a(size(m, k)), b(size(k, n)), c(size(m, n), std::numeric_limits<Real>::quiet_NaN());
    for (Real& value : a) value = distribution(generator);
    for (Real& value : b) value = distribution(generator);
    blas.multiply(m, n, k, a.data(), b.data(), c.data());
    std::vector<reference::Product> row(static_cast<std::size_t>(n));
    for (int i = 0; i < m; ++i) {
        constexpr Precision precision = sizeof(Real) == 8 ? Precision::f64 : Precision::f32;
        reference::gemm_row({precision, a.data()}, {precision, b.data()}, row.size(),
                            static_cast<std::size_t>(k), static_cast<std::size_t>(i), row);
        for (int j = 0; j < n; ++j) {
            const double bound = (k + 1) * (std::numeric_limits<Real>::epsilon() / 2.0) *
                                 row[static_cast<std::size_t>(j)].magnitude;
            ASSERT_NEAR(c[size(i, n) + static_cast<std::size_t>(j)], row[static_cast<std::size_t>(j)].value,
                        bound)
                << m << " x " << n << " x " << k << " at " << i << ", " << j;
        }
    }
}

TEST(Gemm, MatchesTheReferenceOnOddShapesAndWritesEveryElement) {
    const OpenBlas* blas = library();
    ASSERT_NE(blas, nullptr);
    blas->set_threads(allowed_cpus());
    const int shapes[][3] = {{1, 1, 1}, {1, 17, 5}, {13, 1, 7}, {31, 37, 41}, {64, 64, 64}, {97, 101, 103}};
    for (const auto& [m, n, k] : shapes) {
        expect_products_match<float>(*blas, m, n, k);
        expect_products_match<double>(*blas, m, n, k);
    }
}

TEST(Gemm, NotANumberAndInfinityReachTheRowsAndColumnsThatHoldThem) {
    const OpenBlas* blas = library();
    ASSERT_NE(blas, nullptr);
    const int m = 17, n = 35, k = 70;
    std::vector<float> a(m * k, 1), b(k * n, 1), c(m * n);
    a[3 * k + 5] = std::numeric_limits<float>::quiet_NaN();
    b[7 * n + 33] = std::numeric_limits<float>::infinity();
    blas->multiply(m, n, k, a.data(), b.data(), c.data());
    for (int i = 0; i < m; ++i)
        for (int j = 0; j < n; ++j) {
            const float got = c[static_cast<std::size_t>(i * n + j)];
            EXPECT_TRUE(i == 3    ? std::isnan(got)
                        : j == 33 ? std::isinf(got)
                                  : got == static_cast<float>(k))
                << i << ", " << j << ": " << got;
        }
}

TEST(Gemm, SaysWhichKernelsItUses) {
    const OpenBlas* blas = library();
    ASSERT_NE(blas, nullptr);
    EXPECT_FALSE(blas->core_name().empty());
    EXPECT_NE(blas->version().find("OpenBLAS"), std::string::npos);
    EXPECT_EQ(blas->set_threads(1), 1);
}

TEST(Gemm, EveryThreadThatItStartsHasACpuOfItsOwn) {
    const OpenBlas* blas = library();
    ASSERT_NE(blas, nullptr);
    const std::vector<int> before = CpuSet::of_calling_thread().members();
    blas->set_threads(allowed_cpus());
    blas->set_threads(1);
    blas->set_threads(allowed_cpus());
    EXPECT_EQ(CpuSet::of_calling_thread().members(), before) << "the caller is left as it was";
    std::vector<std::vector<int>> bound;
    for (const pid_t thread : started_threads()) bound.push_back(affinity_of(thread));
    std::vector<std::vector<int>> expected;
    const std::vector<int> order = cpus_by_core();
    for (std::size_t i = 1; i < order.size(); ++i) expected.push_back({order[i]});
    EXPECT_THAT(bound, testing::UnorderedElementsAreArray(expected));
}

TEST(OpenBlasCore, TellsTheInstructionSetOfItsKernels) {
#if defined(__aarch64__)
    const Isa best = supports(Isa::neon) ? Isa::neon : Isa::portable;
    for (const char* core : {"armv8", "neoversen1", "NEOVERSEN2", "cortexa57", "thunderx2t99"})
        EXPECT_EQ(isa_of_core(core), best) << core;
    for (const char* core : {"armv8sve", "NEOVERSEV1", "A64FX"})
        EXPECT_EQ(isa_of_core(core), Isa::portable) << core;
#else
    EXPECT_EQ(isa_of_core("SkylakeX"), Isa::avx512);
    EXPECT_EQ(isa_of_core("Zen"), Isa::avx2);
    EXPECT_EQ(isa_of_core("Haswell"), Isa::avx2);
    EXPECT_EQ(isa_of_core("Nehalem"), Isa::portable);
#endif
}

TEST(Gemm, AnotherCoreThanTheOneInUseIsRefused) {
    ASSERT_NE(library(), nullptr);
    const std::variant<const OpenBlas*, Absent> other = OpenBlas::load("NoSuchProcessor");
    ASSERT_TRUE(std::holds_alternative<Absent>(other));
    EXPECT_FALSE(std::get<Absent>(other).reason.empty());
}

}  // namespace
}  // namespace assay::kernels
