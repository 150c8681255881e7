#include "kernels/cpu/gemm.h"

#include <cmath>
#include <limits>
#include <random>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/cpu/thread_team.h"
#include "kernels/reference/reference.h"

namespace assay::kernels {
namespace {

const OpenBlas* library() {
    const std::variant<const OpenBlas*, Absent> loaded = OpenBlas::load();
    if (const Absent* absent = std::get_if<Absent>(&loaded)) {
        ADD_FAILURE() << absent->reason;
        return nullptr;
    }
    return std::get<const OpenBlas*>(loaded);
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

TEST(Gemm, SaysWhichKernelsItUses) {
    const OpenBlas* blas = library();
    ASSERT_NE(blas, nullptr);
    EXPECT_FALSE(blas->core_name().empty());
    EXPECT_NE(blas->version().find("OpenBLAS"), std::string::npos);
    EXPECT_EQ(blas->set_threads(1), 1);
}

TEST(Gemm, AnotherCoreThanTheOneInUseIsRefused) {
    ASSERT_NE(library(), nullptr);
    const std::variant<const OpenBlas*, Absent> other = OpenBlas::load("NoSuchProcessor");
    ASSERT_TRUE(std::holds_alternative<Absent>(other));
    EXPECT_FALSE(std::get<Absent>(other).reason.empty());
}

}  // namespace
}  // namespace assay::kernels
