#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "probes/core/outcome.h"

// What a run measured that kernels can be held against: arithmetic ceilings and memory bandwidth.
namespace assay {

/// A figure of a measured case; good for as long as the outcomes are.
struct Measured {
    const Outcome* outcome = nullptr;
    const Metric* metric = nullptr;
};

/// A case's parameter as asked, and what was settled at run time; empty where there is none.
std::string_view parameter_of(const Outcome& outcome, std::string_view name);
std::string_view resolved_of(const Outcome& outcome, std::string_view name);

/// The instruction set of a figure: its own where its case measured several (gemm.ceiling with isa=all), else
/// the one that was settled at run time. Likewise the instruction.
std::string_view isa_of(const Measured& measured);
std::string_view instruction_of(const Measured& measured);

/// Every metric of this name in measured outcomes, in their order.
std::vector<Measured> all_measured(const std::vector<Outcome>& outcomes, std::string_view metric);

/// The headline value, where something can be divided by it: finite and above zero.
std::optional<double> usable_value(const Measured& measured);
/// The one of the greatest usable value, the first of equals; nothing where none is usable.
std::optional<Measured> greatest(const std::vector<Measured>& candidates);

/// Arithmetic per second: flop/second or, of integers, operation/second. Both count a multiply-add twice.
bool is_rate(const Metric& metric);
/// What memory.bandwidth reached reading, whether of one kernel or of all of them in a case.
std::vector<Measured> read_bandwidths(const std::vector<Outcome>& outcomes);

/// Whether a case had all cores: it was left the choice of threads, or had as many of them as such a case on
/// the same device.
bool had_all_cores(const Outcome& outcome, const std::vector<Outcome>& outcomes);

}  // namespace assay
