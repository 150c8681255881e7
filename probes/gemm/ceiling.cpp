#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "kernels/cpu/thread_team.h"
#include "kernels/matrix/ceiling.h"
#include "probes/core/cpu_choice.h"
#include "probes/gemm/gemm.h"
#include "probes/gemm/matrices.h"

namespace assay {

using kernels::CeilingLoop;
using kernels::Isa;

namespace {

// Long enough that starting the team and its slowest member do not count.
constexpr Seconds shortest_sample{5e-3};

const MetricDeclaration ceiling_metric{
    "gemm.ceiling",
    Unit::flop_per_second,
    Direction::higher,
    "multiply-accumulate instructions on registers alone, two operations a multiplication",
    {"isa"}};

struct FoundLoop {
    Isa isa;
    CeilingLoop loop;
};

bool of_all_sets(const Case& the_case) {
    return the_case.text("isa") == "all";
}

/// The loops that the case asks for: of its `isa`; of the best set that has the instruction; or of every set
/// that has it, the portable loop then only where there is no other.
std::vector<FoundLoop> find_loops(const Case& the_case) {
    const kernels::Precision precision = precision_of(the_case);
    std::vector<Isa> sets = {Isa::amx, Isa::avx512, Isa::avx2, Isa::neon, Isa::portable};
    const bool all = of_all_sets(the_case);
    if (!all && !the_case.is_auto("isa")) sets = {matrix_isa_of(the_case).value()};
    std::vector<FoundLoop> found;
    for (const Isa isa : sets) {
        if (!found.empty() && (!all || isa == Isa::portable)) break;
        if (const std::optional<CeilingLoop> loop = CeilingLoop::best(precision, isa))
            found.push_back({isa, *loop});
    }
    return found;
}

struct LoopFigure {
    SampleSet rates;
    bool correct = true;  ///< of every thread, after each sample
};

LoopFigure measure_loop(const FoundLoop& found, kernels::Precision precision, kernels::ThreadTeam& team,
                        Context& context) {
    std::vector<CeilingLoop> loops;
    for (int member = 0; member < team.size(); ++member)
        loops.push_back(CeilingLoop::best(precision, found.isa).value());

    const auto run_for = [&](std::size_t times) {
        team.run([&](int member) {
            for (std::size_t i = 0; i < times; ++i) loops[static_cast<std::size_t>(member)].run();
        });
    };
    const auto seconds_now = [&] { return seconds_of(context.clock.now()); };
    // Once for clocks and wide units to wake up, once to see how many make a sample.
    constexpr std::size_t trial = 1000;
    run_for(trial);
    const double begin_trial = seconds_now();
    run_for(trial);
    const double one = std::max(seconds_now() - begin_trial, 1e-9) / trial;
    const std::size_t batch =
        static_cast<std::size_t>(std::max(1.0, std::ceil(shortest_sample.count() / one)));
    const double operations = found.loop.operations() * static_cast<double>(batch) * team.size();

    LoopFigure figure;
    figure.rates = context.sample(context.sampling, [&] {
        const double begin = seconds_now();
        run_for(batch);
        const double seconds = std::max(seconds_now() - begin, 1e-9);
        for (const CeilingLoop& loop : loops) figure.correct = figure.correct && loop.correct();
        return operations / seconds;
    });
    return figure;
}

Outcome run(const Case& the_case, Context& context) {
    const kernels::Precision precision = precision_of(the_case);
    const std::vector<FoundLoop> found = find_loops(the_case);
    const bool all = of_all_sets(the_case);
    if (found.empty())
        return skipped(
            the_case,
            fmt::format("{} has no instruction that multiplies {}: kernels widen such operands, and the "
                        "ceiling of what they are widened to holds",
                        all || the_case.is_auto("isa") ? "this CPU" : the_case.text("isa"),
                        kernels::to_string(precision)));
    kernels::ThreadTeam team(threads_of(the_case));
    Outcome outcome;
    outcome.resolved = {{"arithmetic", std::string(kernels::to_string(precision))},
                        {"threads", std::to_string(team.size())}};
    MetricDeclaration declaration = ceiling_metric;
    if (precision == kernels::Precision::int8) declaration.unit = Unit::operation_per_second;
    for (std::size_t i = 0; i < found.size(); ++i) {
        const std::string isa(kernels::to_string(found[i].isa)), instruction(found[i].loop.instruction());
        context.progress(all ? "computing by " + isa : "computing",
                         0.1 + 0.9 * static_cast<double>(i) / static_cast<double>(found.size()));
        const LoopFigure figure = measure_loop(found[i], precision, team, context);
        outcome.metrics.push_back(
            make_metric(declaration, figure.rates, Statistic::median, all ? Labels{{"isa", isa}} : Labels{}));
        outcome.checks.push_back(
            {all ? isa + " result matches reference" : "result matches reference", figure.correct,
             std::nullopt,
             "every accumulator of every thread, after each sample, against the exact sum of its products"});
        if (!all) outcome.resolved["isa"] = isa;
        outcome.resolved[all ? "instruction_" + isa : "instruction"] = instruction;
        outcome.notes.push_back(fmt::format(
            "{} on registers alone, enough independent sums to hide its latency, on {} threads, each on its "
            "own CPU; no product by this instruction can be faster.",
            instruction, team.size()));
    }
    return outcome;
}

void check(const Case& the_case, const Context&) {
    threads_of(the_case);
    if (!of_all_sets(the_case)) matrix_isa_of(the_case);
}

Estimate estimate(const Case& the_case, const Context& context) {
    Estimate estimate;
    const double loop = context.sampling.maximum_warm_up.count() + context.sampling.maximum_time.count();
    const std::size_t loops = of_all_sets(the_case) ? find_loops(the_case).size() : 1;
    estimate.seconds = loop * static_cast<double>(std::max<std::size_t>(loops, 1)) + 0.5;
    return estimate;
}

}  // namespace

Probe gemm_ceiling_probe() {
    Probe probe;
    probe.name = "gemm.ceiling";
    probe.summary = "What the multiply instructions themselves can do: a loop on registers alone.";
    Parameter isa = matrix_isa_parameter();
    isa.meaning =
        "instruction set; auto: the best that has the instruction; all: a figure of each that has it";
    isa.choices.push_back("all");
    probe.parameters = {
        {"device", ParameterKind::device, "cpu:0", "the device that computes; in this version cpu:0 alone"},
        {"precision",
         ParameterKind::choice,
         "f32",
         "number format that the instruction multiplies",
         0,
         0,
         {"f64", "f32", "bf16", "f16", "int8"}},
        threads_parameter(),
        isa,
    };
    probe.metrics = {ceiling_metric};
    probe.host_alone = true;
    probe.run = run;
    probe.estimate = estimate;
    probe.check = check;
    return probe;
}

}  // namespace assay
