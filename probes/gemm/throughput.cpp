#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "kernels/cpu/gemm.h"
#include "kernels/cpu/thread_team.h"
#include "kernels/device/memory_limit.h"
#include "kernels/reference/reference.h"
#include "probes/core/cpu_choice.h"
#include "probes/core/random.h"
#include "probes/gemm/gemm.h"

namespace assay {

namespace {

constexpr Seconds shortest_sample{1e-3};
constexpr std::size_t checked_rows = 4;

const MetricDeclaration throughput_metric{"gemm.throughput", Unit::flop_per_second, Direction::higher,
                                          "dense matrix product, 2 m n k operations a product"};

struct Shape {
    int m = 0, n = 0, k = 0;
    std::uint64_t elements() const {
        return static_cast<std::uint64_t>(m) * static_cast<std::uint64_t>(k) +
               static_cast<std::uint64_t>(k) * static_cast<std::uint64_t>(n) +
               static_cast<std::uint64_t>(m) * static_cast<std::uint64_t>(n);
    }
    double operations() const { return 2.0 * m * n * k; }
};

Shape shape_of(const Case& the_case) {
    return {static_cast<int>(the_case.integer("m")), static_cast<int>(the_case.integer("n")),
            static_cast<int>(the_case.integer("k"))};
}

std::uint64_t element_bytes(const Case& the_case) {
    return the_case.text("precision") == "f64" ? sizeof(double) : sizeof(float);
}

template <typename Real>
struct Operands {
    std::span<Real> a, b, c;
};

/// Every element uniform in [-1, 1), each thread filling the part that it first touches.
template <typename Real>
void fill_random(std::span<Real> values, std::uint64_t seed, kernels::ThreadTeam& team) {
    constexpr std::size_t page_elements = 4096 / sizeof(Real);
    team.run([&](int member) {
        const kernels::ItemRange mine =
            kernels::member_range(values.size(), page_elements, member, team.size());
        Random random(seed, static_cast<std::uint64_t>(member));
        for (std::size_t i = mine.begin; i < mine.end; ++i)
            values[i] = static_cast<Real>(random.uniform(-1, 1));
    });
}

/// The product as the last timed run left it, on rows drawn by seed, against the reference. The bound is that
/// of any order of summation: each result is off by no more than (k + 1) unit roundoffs of the sum of its
/// products' magnitudes (Higham 2002, section 3.1).
template <typename Real>
Check check_product(const Operands<Real>& operands, const Shape& shape, std::uint64_t seed) {
    const double roundoff = std::numeric_limits<Real>::epsilon() / 2.0;
    const double bound = (shape.k + 1) * roundoff;
    Random random(seed, 1000003);
    std::set<std::size_t> rows = {static_cast<std::size_t>(shape.m - 1)};
    while (rows.size() < std::min<std::size_t>(checked_rows, static_cast<std::size_t>(shape.m)))
        rows.insert(random.below(static_cast<std::uint64_t>(shape.m)));

    const std::size_t n = static_cast<std::size_t>(shape.n);
    std::vector<kernels::reference::Product> expected(n);
    double worst = 0;
    bool all_finite = true;
    for (const Real value : operands.c) all_finite = all_finite && std::isfinite(value);
    for (const std::size_t row : rows) {
        kernels::reference::gemm_row(operands.a.data(), operands.b.data(), n,
                                     static_cast<std::size_t>(shape.k), row, expected);
        for (std::size_t column = 0; column < n; ++column) {
            const double difference =
                std::abs(static_cast<double>(operands.c[row * n + column]) - expected[column].value);
            const double magnitude = std::max(expected[column].magnitude, std::numeric_limits<double>::min());
            // Written so that a NaN is the worst of all.
            if (!(difference / magnitude <= worst)) worst = difference / magnitude;
        }
    }
    Check check{"result matches reference", all_finite && worst <= bound, worst, ""};
    check.detail = fmt::format(
        "{} rows drawn by seed, largest error {:.2g} of the products' magnitudes, allowed (k + 1) u = "
        "{:.2g}{}",
        rows.size(), worst, bound, all_finite ? "" : "; elements were left unwritten or are not finite");
    return check;
}

template <typename Real>
Outcome measure(const Case& the_case, Context& context, const kernels::OpenBlas& blas) {
    const Shape shape = shape_of(the_case);
    const std::size_t m = static_cast<std::size_t>(shape.m), n = static_cast<std::size_t>(shape.n),
                      k = static_cast<std::size_t>(shape.k);
    const std::unique_ptr<DeviceMemory> memory =
        context.device->allocate(shape.elements() * sizeof(Real), true);
    Real* const first = reinterpret_cast<Real*>(memory->host_pointer());
    const Operands<Real> operands{{first, m * k}, {first + m * k, k * n}, {first + m * k + k * n, m * n}};

    const int asked = threads_of(the_case);
    {
        // Gone before OpenBLAS starts its threads: these must not inherit a CPU to be pinned to.
        kernels::ThreadTeam team(asked);
        context.progress("filling the operands", 0);
        fill_random(operands.a, context.seed, team);
        fill_random(operands.b, context.seed + 1, team);
    }
    const int threads = blas.set_threads(asked);
    const auto multiply = [&] {
        blas.multiply(shape.m, shape.n, shape.k, operands.a.data(), operands.b.data(), operands.c.data());
    };
    const auto poison = [&] {
        std::fill(operands.c.begin(), operands.c.end(), std::numeric_limits<Real>::quiet_NaN());
    };
    poison();
    multiply();  // OpenBLAS makes its buffers in the first call
    double one = std::numeric_limits<double>::infinity();
    for (int i = 0; i < 2; ++i) {
        const Nanoseconds before = context.clock.now();
        multiply();
        one = std::min(one, std::max(seconds_of(context.clock.now() - before), 1e-9));
    }
    const int batch = std::max(1, static_cast<int>(std::ceil(shortest_sample.count() / one)));

    context.progress("multiplying", 0.1);
    const SampleSet set = context.sample(context.sampling, [&] {
        // Each sample begins with nothing of the last one's result.
        poison();
        const Nanoseconds begin = context.clock.now();
        for (int i = 0; i < batch; ++i) multiply();
        return batch * shape.operations() / std::max(seconds_of(context.clock.now() - begin), 1e-9);
    });

    context.progress("checking", 0.9);
    Outcome outcome;
    outcome.metrics.push_back(make_metric(throughput_metric, set));
    outcome.checks.push_back(check_product(operands, shape, context.seed));
    outcome.resolved = {{"implementation", "openblas"},
                        {"library", blas.version()},
                        {"core", blas.core_name()},
                        {"threads", std::to_string(threads)},
                        {"products_per_sample", std::to_string(batch)},
                        {"page_bytes", std::to_string(memory->page_bytes())}};
    outcome.notes.push_back(fmt::format(
        "{} product of uniform random matrices, row-major, through OpenBLAS; 2 m n k = {:.4g} operations "
        "a product; the result is set to NaN before each sample and checked after the last.",
        the_case.text("precision"), shape.operations()));
    if (!blas.core_note().empty()) outcome.notes.push_back(blas.core_note());
    if (threads != asked)
        outcome.notes.push_back(fmt::format(
            "OpenBLAS uses {} threads where {} were asked for: it was built for no more, so this is not "
            "all that the machine can do.",
            threads, asked));
    return outcome;
}

Outcome run(const Case& the_case, Context& context) {
    const std::string& core = the_case.text("core");
    const std::variant<const kernels::OpenBlas*, Absent> loaded = kernels::OpenBlas::load(core);
    if (const Absent* absent = std::get_if<Absent>(&loaded)) return skipped(the_case, absent->reason);
    const kernels::OpenBlas& blas = *std::get<const kernels::OpenBlas*>(loaded);
    return the_case.text("precision") == "f64" ? measure<double>(the_case, context, blas)
                                               : measure<float>(the_case, context, blas);
}

void check(const Case& the_case, const Context&) {
    threads_of(the_case);
    const std::uint64_t needed = shape_of(the_case).elements() * element_bytes(the_case);
    const std::uint64_t usable = usable_memory_bytes();
    if (usable != 0 && needed > usable)
        throw InputError(
            fmt::format("gemm.throughput: m, n and k of this size take {} bytes, and {} may be used; "
                        "smaller ones would be accepted",
                        needed, usable));
}

Estimate estimate(const Case& the_case, const Context& context) {
    Estimate estimate;
    // Warm-up, sampling, and the reference rows at a cautious billion products a second.
    const Shape shape = shape_of(the_case);
    estimate.seconds = context.sampling.maximum_warm_up.count() + context.sampling.maximum_time.count() +
                       0.5 + static_cast<double>(checked_rows) * shape.n * shape.k * 2e-9;
    estimate.memory_bytes = shape.elements() * element_bytes(the_case);
    return estimate;
}

}  // namespace

Probe gemm_throughput_probe() {
    Probe probe;
    probe.name = "gemm.throughput";
    probe.summary = "Dense matrix product on all cores, through the best library at hand.";
    constexpr double largest = 1 << 17;
    probe.parameters = {
        {"device", ParameterKind::device, "cpu:0", "the device that computes"},
        {"precision",
         ParameterKind::choice,
         "f32",
         "number format of operands and result",
         0,
         0,
         {"f64", "f32"}},
        {"m", ParameterKind::integer, "2048", "rows of the left matrix and of the result", 1, largest},
        {"n", ParameterKind::integer, "2048", "columns of the right matrix and of the result", 1, largest},
        {"k", ParameterKind::integer, "2048", "columns of the left and rows of the right matrix", 1, largest},
        threads_parameter(),
        {"implementation",
         ParameterKind::choice,
         "auto",
         "library that multiplies",
         0,
         0,
         {"auto", "openblas"}},
        {"core", ParameterKind::text, "auto",
         "processor whose OpenBLAS kernels are used, such as SkylakeX; auto: the library's choice, corrected "
         "where "
         "it misses AVX-512"},
    };
    probe.metrics = {throughput_metric};
    probe.run = run;
    probe.estimate = estimate;
    probe.check = check;
    probe.tiny = {{"m", "64"}, {"n", "48"}, {"k", "32"}};
    return probe;
}

}  // namespace assay
