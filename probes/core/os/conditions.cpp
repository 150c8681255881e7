#include "probes/core/os/conditions.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <map>
#include <string>
#include <vector>

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fmt/format.h>

#include "probes/core/clock.h"
#include "probes/core/os/cgroup.h"
#include "probes/core/os/counters.h"
#include "probes/core/os/sysfs.h"
#include "probes/core/os/text.h"

namespace assay::os {
namespace {

/// Fewer clock ticks than this over all CPUs, and a share of them is mostly rounding.
constexpr double fewest_ticks = 20;
/// Foreign I/O below this rate is a log being written, not a disturbance, however large its share of nothing.
constexpr double quiet_bytes_per_second = 1 << 20;

double own_cpu_seconds() {
    double total = 0;
    for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
        rusage usage{};
        ::getrusage(who, &usage);
        for (const timeval& time : {usage.ru_utime, usage.ru_stime}) {
            total += static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
        }
    }
    return total;
}

/// Periods and throttled periods of one control group with a CPU quota.
struct QuotaCount {
    std::uint64_t periods = 0;
    std::uint64_t throttled = 0;
};

std::map<std::string, QuotaCount> read_quotas() {
    std::map<std::string, QuotaCount> quotas;
    for (const std::filesystem::path& folder : cgroup_folders("cpu")) {
        const std::optional<std::string> text = read_text(folder / "cpu.stat");
        if (!text) continue;
        const std::optional<std::uint64_t> periods = value_of(*text, "nr_periods");
        const std::optional<std::uint64_t> throttled = value_of(*text, "nr_throttled");
        if (periods && throttled) quotas[folder.string()] = {*periods, *throttled};
    }
    return quotas;
}

/// Milliseconds that each CPU we may use has spent throttled by heat, the larger of core's and package's.
/// Kernels that keep only a count of events give each a second.
std::map<int, std::int64_t> read_heat() {
    std::map<int, std::int64_t> heat;
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return heat;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (!CPU_ISSET(cpu, &allowed)) continue;
        const std::filesystem::path folder =
            fmt::format("/sys/devices/system/cpu/cpu{}/thermal_throttle", cpu);
        for (const std::string_view part : {"core", "package"}) {
            std::optional<std::int64_t> spent =
                read_integer(folder / fmt::format("{}_throttle_total_time_ms", part));
            if (!spent) {
                spent = read_integer(folder / fmt::format("{}_throttle_count", part));
                if (spent) *spent *= 1000;
            }
            if (spent) heat[cpu] = std::max(heat[cpu], *spent);
        }
    }
    return heat;
}

}  // namespace

struct ConditionsWatch::State {
    Nanoseconds at{};
    std::optional<CpuTicks> ticks;
    double own_cpu = 0;
    std::map<std::string, std::uint64_t> stalled_microseconds;
    std::map<std::string, QuotaCount> quotas;
    std::map<int, std::int64_t> heat;
    std::optional<std::uint64_t> device_bytes;
    std::optional<std::uint64_t> own_bytes;

    static State read() {
        State state;
        state.ticks = parse_cpu_ticks(read_text("/proc/stat").value_or(""));
        state.own_cpu = own_cpu_seconds();
        for (const char* const kind : {"cpu", "memory", "io"}) {
            const std::optional<std::uint64_t> stalled =
                parse_stalled_microseconds(read_text(fmt::format("/proc/pressure/{}", kind)).value_or(""));
            if (stalled) state.stalled_microseconds[kind] = *stalled;
        }
        state.quotas = read_quotas();
        state.heat = read_heat();
        state.device_bytes = physical_device_bytes();
        state.own_bytes = own_device_bytes();
        state.at = SteadyClock().now();
        return state;
    }

    std::optional<double> stalled_share(const State& before, const std::string& kind) const {
        const std::map<std::string, std::uint64_t>::const_iterator now = stalled_microseconds.find(kind);
        const std::map<std::string, std::uint64_t>::const_iterator then =
            before.stalled_microseconds.find(kind);
        const double elapsed = seconds_of(at - before.at);
        if (now == stalled_microseconds.end() || then == before.stalled_microseconds.end() || elapsed <= 0) {
            return std::nullopt;
        }
        return std::clamp(static_cast<double>(now->second - then->second) * 1e-6 / elapsed, 0.0, 1.0);
    }
};

ConditionsWatch::ConditionsWatch() : state_(std::make_unique<State>(State::read())) {}
ConditionsWatch::~ConditionsWatch() = default;

Conditions ConditionsWatch::finish() {
    const State& before = *state_;
    const State after = State::read();
    const double elapsed = std::max(seconds_of(after.at - before.at), 1e-9);
    Conditions conditions;

    double foreign_cpu_seconds = 0;
    if (before.ticks && after.ticks) {
        const CpuTicks spent = *after.ticks - *before.ticks;
        const double total = static_cast<double>(spent.total());
        const double per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
        if (total >= fewest_ticks) {
            conditions.cpu_steal = static_cast<double>(spent.steal) / total;
            // Interrupts are left out: they are nobody's, and ours among them.
            foreign_cpu_seconds = std::max(
                0.0, static_cast<double>(spent.busy()) / per_second - (after.own_cpu - before.own_cpu));
            conditions.foreign_cpu = std::min(1.0, foreign_cpu_seconds * per_second / total);
        }
    }

    if (before.device_bytes && after.device_bytes && before.own_bytes && after.own_bytes) {
        const double moved =
            static_cast<double>(*after.device_bytes - std::min(*before.device_bytes, *after.device_bytes));
        const double ours =
            static_cast<double>(*after.own_bytes - std::min(*before.own_bytes, *after.own_bytes));
        const double foreign = std::max(0.0, moved - ours);
        conditions.foreign_io = foreign < quiet_bytes_per_second * elapsed ? 0.0 : foreign / moved;
    }

    // The kernel's figures count our own threads' waiting as well: four jobs on two CPUs stall each other.
    // What others can have done to us is at most the time they ran, and of I/O their share of it. Memory
    // stalls count whole: whoever caused them, the machine was short of memory.
    std::vector<double> stalls;
    if (const std::optional<double> cpu = after.stalled_share(before, "cpu")) {
        stalls.push_back(std::min(*cpu, foreign_cpu_seconds / elapsed));
    }
    if (const std::optional<double> io = after.stalled_share(before, "io")) {
        stalls.push_back(*io * conditions.foreign_io.value_or(0));
    }
    if (const std::optional<double> memory = after.stalled_share(before, "memory")) stalls.push_back(*memory);
    if (!stalls.empty()) conditions.pressure = *std::max_element(stalls.begin(), stalls.end());

    for (const auto& [folder, now] : after.quotas) {
        const std::map<std::string, QuotaCount>::const_iterator then = before.quotas.find(folder);
        if (then == before.quotas.end()) continue;
        const double periods = static_cast<double>(now.periods - then->second.periods);
        const double throttled = static_cast<double>(now.throttled - then->second.throttled);
        conditions.throttled = std::max(conditions.throttled.value_or(0),
                                        periods > 0 ? std::min(1.0, throttled / periods) : 0.0);
    }
    for (const auto& [cpu, now] : after.heat) {
        const std::map<int, std::int64_t>::const_iterator then = before.heat.find(cpu);
        if (then == before.heat.end()) continue;
        const double share = static_cast<double>(now - then->second) * 1e-3 / elapsed;
        conditions.throttled = std::max(conditions.throttled.value_or(0), std::clamp(share, 0.0, 1.0));
    }
    return conditions;
}

}  // namespace assay::os
