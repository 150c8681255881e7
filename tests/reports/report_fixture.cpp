#include "report_fixture.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <numeric>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "reports/requirement_json.h"
#include "tests/reports/curve_builders.h"

namespace assay {

namespace {

/// A small generator with the same numbers everywhere.
class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed * 2 + 1) {}
    double uniform() {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        return static_cast<double>(state_ >> 11) * 0x1p-53;
    }
    double normal() {
        double sum = -6;
        for (int i = 0; i < 12; ++i) sum += uniform();
        return sum;
    }

  private:
    std::uint64_t state_;
};

Summary summary_of(std::vector<double> values) {
    Summary summary;
    summary.samples = values.size();
    summary.mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
    double squares = 0;
    for (const double value : values) squares += (value - summary.mean) * (value - summary.mean);
    summary.standard_deviation = std::sqrt(squares / static_cast<double>(values.size()));
    std::sort(values.begin(), values.end());
    summary.minimum = values.front();
    summary.maximum = values.back();
    summary.median = values[values.size() / 2];
    const double half = 2.2 * summary.standard_deviation / std::sqrt(static_cast<double>(values.size()));
    summary.median_ci95 = Interval{summary.median - half, summary.median + half};
    summary.mean_ci95 = Interval{summary.mean - half, summary.mean + half};
    summary.interval_method = "block bootstrap";
    return summary;
}

Metric sampled(std::string name, Unit unit, Direction direction, double level, double spread,
               std::size_t count, std::uint64_t seed, Labels labels = {}, bool over_time = true) {
    Metric metric;
    metric.name = std::move(name);
    metric.unit = unit;
    metric.direction = direction;
    metric.labels = std::move(labels);
    Random random(seed);
    double wander = 0;
    for (std::size_t at = 0; at < count; ++at) {
        wander = 0.7 * wander + 0.7 * random.normal();
        const double value = level * (1 + spread * wander);
        metric.samples.push_back(value);
        if (over_time) metric.series.push_back({0.1 * static_cast<double>(at), value});
    }
    metric.summary = summary_of(metric.samples);
    metric.value = metric.summary.median;
    return metric;
}

Metric latency(std::string name, double typical_seconds, std::size_t operations, std::uint64_t seed,
               Statistic statistic = Statistic::mean) {
    Metric metric = sampled(std::move(name), Unit::second, Direction::lower, typical_seconds, 0.01, 80, seed);
    Histogram histogram;
    Random random(seed + 1);
    for (std::size_t at = 0; at < operations; ++at) {
        const double tail = random.uniform() < 0.004 ? 4 + 6 * random.uniform() : 1;
        histogram.record(
            static_cast<std::uint64_t>(typical_seconds * 1e9 * tail * std::exp(0.12 * random.normal())));
    }
    for (const double rank : {50.0, 90.0, 95.0, 99.0, 99.9, 99.99}) {
        const double value = histogram.percentile(rank) * 1e-9;
        metric.summary.percentiles.push_back({rank, value, Interval{value * 0.99, value * 1.012}});
    }
    metric.statistic = statistic;
    metric.histogram = std::move(histogram);
    metric.summary.mean = metric.histogram->mean() * 1e-9;
    metric.summary.mean_ci95 = Interval{metric.summary.mean * 0.996, metric.summary.mean * 1.004};
    metric.value = statistic == Statistic::p99 ? metric.summary.percentiles[3].value : metric.summary.mean;
    return metric;
}

Metric exact(std::string name, Unit unit, double value) {
    Metric metric;
    metric.name = std::move(name);
    metric.unit = unit;
    metric.value = value;
    metric.samples = {value};
    metric.summary = Summary{1, value, value, {}, value, {}, value, 0, 0, {}, {}, {}, true, true, "exact"};
    return metric;
}

Metric textual(std::string name, Unit unit, std::string text) {
    Metric metric;
    metric.name = std::move(name);
    metric.unit = unit;
    metric.text = std::move(text);
    return metric;
}

Outcome outcome(std::string probe, std::map<std::string, std::string> parameters, double seconds) {
    Outcome made;
    made.the_case = {std::move(probe), std::move(parameters)};
    made.started_at = "2025-03-04T09:12:31Z";
    made.duration_seconds = seconds;
    made.conditions = {0.002, 0.011, std::nullopt, 0.004, 0.006};
    return made;
}

Outcome inventory() {
    Outcome made = outcome("inventory.system", {}, 0.8);
    made.resolved = {
        {"cpu.model", "AMD EPYC 9354 32-Core Processor"},
        {"cpu.topology", "1 socket, 32 cores, 64 threads"},
        {"cpu.base_clock", "3.25 GHz (CPUID)"},
        {"cpu.instruction_sets", "AVX-512, AVX2, AVX-512 VNNI, AVX-512 BF16, no AMX"},
        {"cpu.governor", "schedutil"},
        {"cache.L1d", "32 x 32 KiB"},
        {"cache.L2", "32 x 1 MiB"},
        {"cache.L3", "8 x 32 MiB"},
        {"memory.total", "377.6 GiB"},
        {"memory.limit", "none"},
        {"memory.huge_pages.2097152", "0 of 2 MiB, 0 free"},
        {"numa.0", "377.6 GiB, CPUs 0-63"},
        {"block.nvme0n1",
         "SAMSUNG MZQL23T8HCLS-00A07, 3.841 TB, nvme, not rotational, firmware GDC5602Q, "
         "PCIe 4.0 x4 (16 GT/s)"},
        {"network.eno1", "10 Gbit/s, driver bnxt_en, up, MTU 1500"},
        {"system.vendor", "Supermicro"},
        {"system.product", "AS -1015CS-TNR"},
        {"system.serial", "not readable without root"},
        {"hypervisor", "none seen"},
        {"kernel", "6.1.0-18-amd64"},
        {"operating_system", "Debian GNU/Linux 12 (bookworm)"},
        {"libc", "glibc 2.36"},
    };
    made.metrics = {
        exact("inventory.system.cpu_cores", Unit::count, 32),
        exact("inventory.system.cpu_base_clock", Unit::hertz, 3.25e9),
        sampled("inventory.system.cpu_max_clock", Unit::hertz, Direction::higher, 3.79e9, 0.001, 30, 5, {},
                false),
        exact("inventory.system.memory_bytes", Unit::byte, 405.4e9),
        textual("inventory.system.cpu_governor", Unit::text, "schedutil"),
    };
    made.notes = {"clocks are read from CPUID and measured with a loop of dependent additions"};
    return made;
}

std::vector<Outcome> outcomes() {
    std::vector<Outcome> all;
    all.push_back(inventory());

    Outcome gemm = outcome("gemm.throughput",
                           {{"device", "cpu:0"},
                            {"precision", "f32"},
                            {"m", "4096"},
                            {"n", "4096"},
                            {"k", "4096"},
                            {"threads", "auto"}},
                           8.2);
    gemm.resolved = {{"isa", "avx512"}, {"implementation", "OpenBLAS 0.3.21"}, {"threads", "32"}};
    gemm.metrics.push_back(
        sampled("gemm.throughput", Unit::flop_per_second, Direction::higher, 2.41e12, 0.006, 41, 7));
    gemm.metrics.back().limit = Limit{2.9e12, "register-only loop"};
    gemm.checks.push_back(
        {"result matches reference", true, 3.1e-7, "largest relative error 3.1e-07, allowed 1e-05"});
    gemm.notes = {"2·m·n·k operations; the output is poisoned before each run",
                  "16 rows drawn by seed are checked against a product in f64"};
    all.push_back(gemm);
    gemm.the_case.parameters["precision"] = "f64";
    gemm.metrics = {
        sampled("gemm.throughput", Unit::flop_per_second, Direction::higher, 1.19e12, 0.005, 38, 8)};
    all.push_back(gemm);

    Outcome memory =
        outcome("memory.bandwidth", {{"device", "cpu:0"}, {"kernel", "all"}, {"bytes", "auto"}}, 24.6);
    memory.resolved = {
        {"isa", "avx512"}, {"threads", "32"}, {"bytes", "4294967296"}, {"page", "transparent huge pages"}};
    std::uint64_t seed = 20;
    for (const auto& [kernel, level] :
         std::initializer_list<std::pair<const char*, double>>{{"read", 341e9},
                                                               {"copy", 287e9},
                                                               {"scale", 281e9},
                                                               {"add", 296e9},
                                                               {"triad", 297e9},
                                                               {"triad_nt", 331e9}}) {
        memory.metrics.push_back(sampled("memory.bandwidth", Unit::byte_per_second, Direction::higher, level,
                                         0.004, 60, ++seed, {{"kernel", kernel}, {"device", "cpu:0"}}));
        memory.metrics.back().limit = Limit{460.8e9, "12 × DDR5-4800 arithmetic"};
    }
    memory.metrics[3].summary.steady = false;
    memory.checks = {{"sums match", true, 0, ""}};
    memory.notes = {"decimal GB/s; copy and scale count 16 bytes, add and triad 24"};
    all.push_back(memory);

    Outcome deep = outcome("storage.random_read",
                           {{"target", "auto"},
                            {"size", "10737418240"},
                            {"queue_depth", "32"},
                            {"jobs", "4"},
                            {"block_bytes", "4096"},
                            {"seconds", "60"},
                            {"engine", "auto"}},
                           71.3);
    deep.resolved = {
        {"engine", "libaio"}, {"device", "/dev/nvme0n1"}, {"filesystem", "ext4"}, {"flags", "O_DIRECT"}};
    deep.metrics.push_back(sampled("storage.random_read.iops", Unit::operation_per_second, Direction::higher,
                                   883e3, 0.01, 600, 40));
    deep.metrics.back().summary.sustained = 879e3;
    deep.metrics.push_back(latency("storage.random_read.latency", 143e-6, 60000, 41));
    deep.metrics.push_back(exact("storage.random_read.cpu_per_io", Unit::second, 1.71e-6));
    deep.checks = {{"the device read what was asked for", true, 0.0004, ""}};
    deep.notes = {"a file of 10 GiB, written in full with random data first",
                  "direct I/O, held against /sys/block/nvme0n1/stat"};
    all.push_back(deep);
    Outcome shallow = deep;
    shallow.the_case.parameters["queue_depth"] = "1";
    shallow.the_case.parameters["jobs"] = "1";
    shallow.duration_seconds = 21;
    shallow.metrics = {sampled("storage.random_read.iops", Unit::operation_per_second, Direction::higher,
                               13.1e3, 0.01, 200, 42),
                       latency("storage.random_read.latency", 76.2e-6, 40000, 43)};
    all.push_back(shallow);

    Outcome tcp =
        outcome("interconnect.tcp", {{"peer", "loopback"}, {"streams", "4"}, {"seconds", "10"}}, 10.4);
    tcp.metrics = {sampled("interconnect.tcp.bandwidth", Unit::bit_per_second, Direction::higher, 92.4e9,
                           0.05, 100, 50, {{"network", "loopback"}}),
                   latency("interconnect.tcp.latency", 14.2e-6, 20000, 51)};
    tcp.notes = {"loopback: this is the network stack, not a network"};
    tcp.conditions.foreign_cpu = 0.134;
    all.push_back(tcp);

    for (const auto& [format, level] :
         std::initializer_list<std::pair<const char*, double>>{{"int8", 301e9}, {"int4", 288e9}}) {
        Outcome gemv = outcome("quantized.gemv",
                               {{"device", "cpu:0"}, {"format", format}, {"m", "4096"}, {"k", "14336"}}, 6.1);
        gemv.resolved = {{"isa", "avx512_vnni"}, {"threads", "32"}};
        gemv.metrics = {sampled("quantized.gemv.bandwidth", Unit::byte_per_second, Direction::higher, level,
                                0.007, 34, ++seed, {}, false),
                        sampled("quantized.gemv.throughput", Unit::operation_per_second, Direction::higher,
                                2.2 * level, 0.007, 34, ++seed, {}, false)};
        gemv.checks = {{"result matches reference", true, 0.0041, ""}};
        all.push_back(gemv);
    }

    Outcome decode = outcome("inference.decode",
                             {{"device", "cpu:0"},
                              {"model", "DeepSeek-R1-Distill-Qwen-1.5B"},
                              {"format", "int4"},
                              {"batch", "1"},
                              {"context", "512"}},
                             19.7);
    decode.resolved = {{"isa", "avx512_vnni"}, {"threads", "32"}, {"weights", "999.6 MB"}};
    decode.metrics = {latency("inference.decode.latency", 5.9e-3, 4000, 60, Statistic::p99),
                      sampled("inference.decode.throughput", Unit::token_per_second, Direction::higher, 168,
                              0.004, 120, 61)};
    decode.checks = {{"logits match the reference decoder", true, 2.4e-6, ""},
                     {"every weight byte is touched", true, {}, "999 604 224 bytes a token"}};
    decode.notes = {"random int4 weights in the real shape: the speed is real, the words are not"};
    all.push_back(decode);

    Outcome curve = building::latency_curve();
    curve.resolved = deep.resolved;
    curve.notes = {"each depth is held for 2 s after 0.5 s that do not count"};
    all.push_back(curve);

    all.push_back(skipped({"memory.capacity", {{"device", "each:gpu"}}},
                          "no GPU: PCI shows no display or accelerator device with a driver"));
    Outcome hung = outcome("interconnect.transfer", {{"device", "cuda:0"}}, 60);
    hung.status = Status::timed_out;
    hung.reason = "ran past its limit of 60 s and was ended";
    all.push_back(hung);
    return all;
}

/// What the fixture says of a requirement of the suite.
struct Figure {
    VerdictStatus status;
    double value;
    double half_width;
    std::string reason;
    std::string reason_id;
    std::string text;
};

std::map<std::string, Figure> figures() {
    using enum VerdictStatus;
    return {
        {"iops-read", {pass, 883e3, 2.4e3, "", "", ""}},
        {"latency-read", {pass, 76.2e-6, 0.4e-6, "", "", ""}},
        {"latency-write", {waived, 0, 0, "no probe of this version measures it", "no_probe", ""}},
        {"hot-data",
         {inconclusive, 1.002e-3, 21e-6, "the interval lies across the bound", "across_bound", ""}},
        {"inference-100ms", {pass, 6.81e-3, 0.09e-3, "", "", ""}},
        {"qps-500", {fail, 311, 5.2, "", "", ""}},
        {"memory-bandwidth", {pass, 297e9, 0.3e9, "", "", ""}},
        {"cpu-cores", {pass, 32, -1, "", "", ""}},
        {"cpu-clock", {fail, 3.25e9, -1, "", "", ""}},
        {"governor", {fail, 0, -1, "", "", "schedutil"}},
        {"f16-speedup", {fail, 1.997, 0.002, "", "", ""}},
        {"int8-speedup", {pass, 5.31, 0.04, "", "", ""}},
        {"int8-error", {pass, 0.0087, -1, "", "", ""}},
        {"f16-error", {pass, 0.0004, -1, "", "", ""}},
        {"gpu-utilisation", {not_measured, 0, 0, "skipped: no GPU", "skipped", ""}},
        {"seq-read-7000", {fail, 6.87e9, 0.03e9, "", "", ""}},
        {"request-500ms",
         {inconclusive, 0.42, 0.01,
          "13.4 % of the machine's CPU time went to other processes; up to 10 % is accepted", "foreign_cpu",
          ""}},
    };
}

nlohmann::json suite_file() {
    std::ifstream stream(std::filesystem::path(ASSAY_SOURCE_DIR) / "suites" / "poc.json");
    return nlohmann::json::parse(stream);
}

void tally(Report& report) {
    Coverage& coverage = report.coverage;
    for (const Outcome& one : report.outcomes) {
        ++coverage.cases;
        switch (one.status) {
            case Status::measured:
                ++coverage.measured;
                break;
            case Status::skipped:
                ++coverage.skipped;
                break;
            case Status::failed:
                ++coverage.failed;
                break;
            case Status::timed_out:
                ++coverage.timed_out;
                break;
            case Status::crashed:
                ++coverage.crashed;
                break;
        }
    }
    for (const JudgedRequirement& judged : report.requirements) {
        ++coverage.requirements;
        coverage.counted += judged.counted ? 1 : 0;
        switch (judged.status) {
            case VerdictStatus::pass:
                ++coverage.passed;
                break;
            case VerdictStatus::fail:
                ++coverage.failed_requirements;
                break;
            case VerdictStatus::inconclusive:
                ++coverage.inconclusive;
                break;
            case VerdictStatus::not_measured:
                ++coverage.not_measured;
                break;
            case VerdictStatus::waived:
                ++coverage.waived;
                break;
        }
    }
}

}  // namespace

Report poc_like_report() {
    const nlohmann::json suite = suite_file();
    const std::map<std::string, Figure> known = figures();
    Report report;
    report.verdict = RunVerdict::fail;
    report.header = {"poc",
                     "",
                     true,
                     "0.1.0",
                     "1a2b3c4d5e",
                     "GCC 12.2.0",
                     {"assay", "run", "poc", "--quick"},
                     "2025-03-04T09:12:30Z",
                     "gpu-node-07.example.net"};
    report.suite_title = {suite["title"]["en"], suite["title"]["zh"]};
    std::size_t number = 0;
    for (const nlohmann::json& json : suite["requirements"]) {
        JudgedRequirement judged;
        judged.requirement = requirement_from_json(json, fmt::format("/requirements/{}", number++));
        const std::vector<std::string>& counts_for = judged.requirement.counts_for;
        judged.counted = counts_for == std::vector<std::string>{"poc"} && !judged.requirement.only_with_gpu;
        judged.metric = judged.requirement.select.metric;
        for (const auto& [name, value] : judged.requirement.select.labels) {
            judged.metric +=
                fmt::format("{}{}={}", judged.metric.find('{') == std::string::npos ? "{" : ",", name, value);
        }
        if (judged.metric.find('{') != std::string::npos) judged.metric += "}";
        const std::map<std::string, Figure>::const_iterator found = known.find(judged.requirement.id);
        if (found == known.end()) {
            judged.reason = "no probe of this version measures " + judged.requirement.select.metric;
            judged.reason_id = "no_probe";
        } else {
            const Figure& figure = found->second;
            judged.status = figure.status;
            judged.reason = figure.reason;
            judged.reason_id = figure.reason_id;
            judged.measured_text = figure.text;
            if (figure.value > 0) judged.measured = figure.value;
            if (figure.half_width > 0)
                judged.ci95 = Interval{figure.value - figure.half_width, figure.value + figure.half_width};
        }
        report.requirements.push_back(std::move(judged));
    }
    number = 0;
    for (const nlohmann::json& json : suite["contradictions"]) {
        report.contradictions.push_back(
            contradiction_from_json(json, fmt::format("/contradictions/{}", number++)));
    }
    report.requirements[3].notes = {"not_converged"};
    for (JudgedRequirement& judged : report.requirements) {
        if (judged.status == VerdictStatus::waived) judged.waived_from = VerdictStatus::not_measured;
    }
    report.waivers = {
        {"latency-write", "the vendor's own figure is accepted for this order (mail of 3 March)"}};
    report.outcomes = outcomes();
    report.journal_notes = {"line 14 is cut off and was dropped"};
    tally(report);
    return report;
}

Report hostile_report() {
    const std::string hostile =
        "marker<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;\x01\x1b[31m\xff\xc3("
        "\xE2\x80\xAE</style></svg></title>-->]]>" +
        std::string(300, 'w');
    Report report = poc_like_report();
    report.header = {hostile, hostile, false, hostile, hostile, hostile, {hostile, hostile},
                     hostile, hostile};
    report.suite_title = {hostile, hostile};
    report.tier = hostile;
    report.failed_cases = report.unfinished_cases = {hostile};
    report.journal_notes = {hostile};
    report.waivers = {{hostile, hostile}};
    for (JudgedRequirement& judged : report.requirements) {
        Requirement& requirement = judged.requirement;
        requirement.id = hostile;
        requirement.counts_for = {hostile};
        requirement.title = requirement.reading = {hostile, hostile};
        requirement.remedy = Text{hostile, hostile};
        for (Source& source : requirement.sources) source = {hostile, hostile, hostile};
        judged.metric = judged.reason = judged.reason_id = judged.measured_text = hostile;
        judged.notes = {hostile};
        judged.notes = {hostile};
        requirement.bound.text = hostile;
    }
    for (Contradiction& contradiction : report.contradictions) {
        contradiction.explanation = {hostile, hostile};
        for (Source& source : contradiction.sources) source = {hostile, hostile, hostile};
        contradiction.requirements = {hostile};
    }
    for (Outcome& one : report.outcomes) {
        one.reason = one.started_at = hostile;
        one.the_case.parameters[hostile] = hostile;
        one.resolved[hostile] = hostile;
        one.notes = {hostile};
        one.checks = {{hostile, false, std::nan(""), hostile}};
        for (Metric& metric : one.metrics) {
            metric.labels[hostile] = hostile;
            metric.text = hostile;
            metric.limit = Limit{metric.value * 1.05, hostile};
        }
    }
    report.outcomes.back().the_case.probe = hostile;
    return report;
}

Report large_report(std::size_t cases, std::size_t samples) {
    Report report = poc_like_report();
    report.outcomes.clear();
    for (std::size_t at = 0; at < cases; ++at) {
        Outcome one =
            outcome("memory.bandwidth", {{"bytes", std::to_string(4096 * (at + 1))}, {"device", "cpu:0"}}, 1);
        one.metrics = {
            sampled("memory.bandwidth", Unit::byte_per_second, Direction::higher, 30e9, 0.01, samples, at)};
        report.outcomes.push_back(std::move(one));
    }
    return report;
}

}  // namespace assay
