#pragma once

#include "reports/report.h"
#include "tests/reports/outcome_builders.h"

namespace assay::building {

/// A small run with one requirement of every kind, judged: a pass, a fail with a remedy, an inconclusive, a
/// not measured and a waived one that count; advice that fails and is not measured; software. A required case
/// failed, one crashed, one was skipped, one is missing.
inline JudgeInput everything() {
    JudgeInput input;
    input.header = {
        "poc",   "basic", true, "0.1.0", "abcdef", "gcc 12", {"assay", "run", "poc"}, "2026-01-02T03:04:05Z",
        "host-7"};
    input.suite_title = {"Proof of concept", "概念验证"};
    input.tier = "basic";
    const Labels depth{{"queue_depth", "32"}};
    Outcome reads = outcome_of("storage.random_read", depth);
    reads.metrics.push_back(sampled("storage.random_read.iops", 600000, Interval{590000, 610000}, depth));
    Outcome inventory = outcome_of("inventory.system");
    inventory.resolved = {{"cpu.model", "A \"CPU\", <fast> & cheap | x"}};
    inventory.metrics.push_back(exact("inventory.system.cpu_cores", 8));
    inventory.metrics.push_back(in_words("inventory.system.cuda_version", "11.10", Unit::version));
    input.outcomes = {reads, inventory,
                      outcome_with_status(outcome_of("gemm.throughput"), Status::failed, "wrong | result"),
                      outcome_with_status(outcome_of("memory.bandwidth"), Status::crashed, "signal 11"),
                      outcome_with_status(outcome_of("memory.capacity", {{"device", "each:gpu"}}),
                                          Status::skipped, "no GPU")};
    for (const Outcome& outcome : input.outcomes) input.cases.push_back({outcome.the_case, true});
    input.cases.push_back({Case{"inference.decode", {}}, true});

    const auto iops = [](const std::string& id, double bound, const char* counts_for) {
        Requirement requirement = requirement_on(id, "storage.random_read.iops", at_least(bound));
        requirement.counts_for = {counts_for};
        return requirement;
    };
    Requirement failing = iops("iops-more", 700000, "basic");
    failing.remedy = Text{"buy a faster disk", "换更快的盘"};
    failing.sources.push_back({"003", "四", "another | \"quote\""});
    Requirement cuda = requirement_on("cuda", "inventory.system.cuda_version",
                                      {Comparison::at_least, 0, 0, "11.6"}, Unit::version);
    cuda.counts_for = {"advice"};
    Requirement band =
        requirement_on("band", "inventory.system.cpu_cores", {Comparison::between, 16, 32, ""}, Unit::count);
    band.counts_for = {"advice"};
    Requirement missing =
        requirement_on("advice-missing", "interconnect.tcp.bandwidth", at_least(1), Unit::bit_per_second);
    missing.counts_for = {"advice"};
    Requirement software =
        requirement_on("int8-error", "quantized.accuracy.error", at_most(0.012), Unit::ratio);
    software.counts_for = {"software"};
    input.requirements = {iops("iops-read", 500000, "poc"),
                          failing,
                          iops("iops-open", 600000, "poc"),
                          requirement_on("memory", "memory.bandwidth", at_least(1), Unit::byte_per_second),
                          iops("iops-waived", 900000, "poc"),
                          cuda,
                          band,
                          missing,
                          software};
    input.waivers = {{"iops-waived", "agreed, \"in writing\""}};
    input.contradictions = {
        {"little-law", {"iops-read"}, {{"002", "五", "quote"}}, {"It cannot be.", "不可能。"}}};
    input.journal_notes = {"line 7 was dropped"};
    return input;
}

inline Report judged_everything() {
    return judge(everything());
}

}  // namespace assay::building
