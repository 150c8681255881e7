#include "probes/storage/load/engine_choice.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <system_error>
#include <vector>

#include <fcntl.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "probes/core/os/mapping.h"
#include "probes/storage/load/evidence.h"

namespace assay::storage {
namespace {

constexpr double rates_alike = 0.02;

struct Trial {
    EngineKind kind;
    double rate;         ///< operations a second
    double cpu_seconds;  ///< for each
};

Trial try_engine(EngineKind kind, LoadOptions options, double seconds, Context& context) {
    options.engine = kind;
    Load load(options);
    const auto wait = [&](double share) {
        context.clock.sleep_until(context.clock.now() +
                                  std::chrono::duration_cast<Nanoseconds>(Seconds(seconds * share)));
    };
    wait(0.2);  // not counted: the first requests fill the queue
    load.next_slice();
    const double cpu = process_cpu_seconds();
    wait(0.8);
    const double used = process_cpu_seconds() - cpu;
    const LoadSlice slice = load.next_slice();
    // Its figures are thrown away, a wrong block is not.
    const Check content = content_check(load.stop());
    if (content.error > 0.0) {
        throw std::runtime_error(fmt::format("while trying {}: {}", to_string(kind), content.detail));
    }
    return {kind, slice.rate, used / std::max(1.0, slice.rate * slice.seconds)};
}

bool is_better(const Trial& one, const Trial& other) {
    if (one.rate > other.rate * (1 + rates_alike)) return true;
    if (other.rate > one.rate * (1 + rates_alike)) return false;
    return one.cpu_seconds < other.cpu_seconds;
}

std::string absence_of(EngineKind kind, const std::system_error& error) {
    return fmt::format("{} cannot be used here: {}", to_string(kind), error.what());
}

/// Each text once, in their order.
std::string joined(const std::vector<const Recording*>& loads, std::vector<std::string> Recording::*texts) {
    std::vector<std::string> all;
    for (const Recording* const load : loads) {
        for (const std::string& text : load->*texts) {
            if (std::find(all.begin(), all.end(), text) == all.end()) all.push_back(text);
        }
    }
    return fmt::format("{}", fmt::join(all, ", "));
}

}  // namespace

void tell_engine(const EngineChoice& choice, const std::vector<const Recording*>& loads, Outcome& outcome) {
    if (choice.engine) outcome.resolved["engine"] = to_string(*choice.engine);
    outcome.resolved["engine_choice"] = choice.how;
    outcome.resolved["engine_flags"] = joined(loads, &Recording::engine_flags);
    const std::string refused = joined(loads, &Recording::engine_refused);
    if (!refused.empty()) outcome.resolved["engine_refused"] = refused;
}

std::optional<std::string> engine_absence(EngineKind kind) {
    try {
        const os::FileDescriptor file = os::open_file("/dev/null", O_RDONLY);
        const os::Mapping memory = os::Mapping::anonymous(4096);
        EngineOptions options;
        options.file = file.get();
        options.memory = memory.span();
        begin(*make_engine(kind, options));
    } catch (const std::system_error& error) {
        return absence_of(kind, error);
    }
    return std::nullopt;
}

EngineChoice choose_engine(const std::string& asked, LoadOptions options, double seconds, Context& context) {
    if (const std::optional<EngineKind> kind = engine_from_string(asked)) {
        const std::optional<std::string> absence = engine_absence(*kind);
        if (absence) return {std::nullopt, *absence};
        return {kind, "as asked"};
    }
    std::vector<EngineKind> present;
    std::vector<std::string> absences;
    for (const EngineKind kind : {EngineKind::libaio, EngineKind::io_uring}) {
        const std::optional<std::string> absence = engine_absence(kind);
        if (!absence) present.push_back(kind);
        if (absence) absences.push_back(*absence);
    }

    std::vector<Trial> trials;
    if (present.size() > 1) {
        for (const EngineKind kind : present) {
            if (context.progress) {
                context.progress(fmt::format("trying {}", to_string(kind)),
                                 static_cast<double>(trials.size()) / static_cast<double>(present.size()));
            }
            // There may be enough of it for one request and not for this load.
            try {
                trials.push_back(try_engine(kind, options, seconds, context));
            } catch (const EngineFailure& error) {
                absences.push_back(absence_of(kind, error));
            }
        }
        present.clear();
        for (const Trial& trial : trials) present.push_back(trial.kind);
    }
    if (present.empty()) return {std::nullopt, fmt::format("{}", fmt::join(absences, "; "))};
    if (present.size() == 1) return {present.front(), fmt::format("{}", fmt::join(absences, "; "))};

    const std::size_t best = is_better(trials[1], trials[0]) ? 1 : 0;
    const Trial& taken = trials[best];
    const Trial& left = trials[1 - best];
    return {taken.kind,
            fmt::format(
                "tried for {:.1f} s each: {} {:.0f} operations/s at {:.2f} µs of CPU, {} {:.0f} at {:.2f} µs",
                seconds, to_string(taken.kind), taken.rate, taken.cpu_seconds * 1e6, to_string(left.kind),
                left.rate, left.cpu_seconds * 1e6)};
}

}  // namespace assay::storage
