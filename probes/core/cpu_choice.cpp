#include "probes/core/cpu_choice.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernels/cpu/thread_team.h"

namespace assay {

namespace {

/// The instruction set of that name; throws InputError where it is not to be had.
kernels::Isa possible_isa(const Case& the_case) {
    const kernels::Isa isa = kernels::isa_from_string(the_case.text("isa")).value();
    if (kernels::supports(isa)) return isa;
    std::vector<std::string> possible = {"auto"};
    for (const kernels::Isa each : {kernels::Isa::portable, kernels::Isa::neon, kernels::Isa::avx2,
                                    kernels::Isa::avx512, kernels::Isa::amx})
        if (kernels::supports(each)) possible.emplace_back(kernels::to_string(each));
    throw InputError(fmt::format("{}.isa: this CPU or its operating system has no {}; accepted: {}",
                                 the_case.probe, kernels::to_string(isa), fmt::join(possible, ", ")));
}

}  // namespace

bool on_cpu(const Case& the_case) {
    return the_case.text("device").starts_with("cpu:");
}

Parameter threads_parameter() {
    return {"threads", ParameterKind::integer, "auto", "threads, each on its own CPU; auto: all CPUs allowed",
            1};
}

int threads_of(const Case& the_case) {
    const int allowed = kernels::allowed_cpus();
    if (the_case.is_auto("threads")) return allowed;
    const std::int64_t threads = the_case.integer("threads");
    if (threads < 1 || threads > allowed)
        throw InputError(
            fmt::format("{}.threads: {} are not possible with the {} CPUs that this process may use; "
                        "accepted: 1 to {}, or auto",
                        the_case.probe, threads, allowed, allowed));
    return static_cast<int>(threads);
}

Parameter isa_parameter() {
    return {"isa",
            ParameterKind::choice,
            "auto",
            "instruction set; auto: the best that the CPU has",
            0,
            0,
            {"portable", "neon", "avx2", "avx512"}};
}

kernels::Isa isa_of(const Case& the_case) {
    return the_case.is_auto("isa") ? kernels::best_vector_isa() : possible_isa(the_case);
}

Parameter matrix_isa_parameter() {
    Parameter parameter = isa_parameter();
    parameter.choices = {"portable", "neon", "avx2", "avx512", "amx"};
    return parameter;
}

std::optional<kernels::Isa> matrix_isa_of(const Case& the_case) {
    if (the_case.is_auto("isa")) return std::nullopt;
    return possible_isa(the_case);
}

}  // namespace assay
