#include "probes/memory/expected/expected.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace assay {

namespace {

constexpr double channel_bytes = 8;
// 2666 and 2667 MT/s are the same speed, rounded by different people.
constexpr double same_speed = 0.99;
// How far a share may lie beside what a part of the channels or nodes would give.
constexpr double resemblance = 0.05;

std::string gigabytes(double bytes_per_second) {
    return fmt::format("{:.1f} GB/s", bytes_per_second / 1e9);
}

double megatransfers(double transfers) {
    return std::round(transfers / 1e6);
}

std::string plural(int count, const char* what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

/// What the slots tell of the modules in them.
struct PluggedIn {
    int modules = 0;
    int slots = 0;
    std::optional<int> channels;  ///< with a module, where the slots' names tell
    int named_channels = 0;       ///< all that these names tell; 0 where they do not
    double slowest = 0;           ///< transfers a second, as configured; 0 where not all tell
    double fastest = 0;
    double rated = 0;        ///< of the slowest kind of module; 0 where not all tell
    bool low_power = false;  ///< LPDDR, whose channels have other widths
};

PluggedIn plugged_in_of(const std::vector<os::MemoryModule>& slots) {
    PluggedIn plugged;
    plugged.slots = static_cast<int>(slots.size());
    if (const std::optional<os::NamedChannels> channels = os::named_channels(slots)) {
        plugged.channels = channels->populated;
        plugged.named_channels = channels->named;
    }
    plugged.slowest = plugged.rated = std::numeric_limits<double>::infinity();
    for (const os::MemoryModule& slot : slots) {
        if (!slot.populated) continue;
        ++plugged.modules;
        plugged.slowest = std::min(plugged.slowest, slot.configured_transfers.value_or(0));
        plugged.fastest = std::max(plugged.fastest, slot.configured_transfers.value_or(0));
        plugged.rated = std::min(plugged.rated, slot.rated_transfers.value_or(0));
        plugged.low_power = plugged.low_power || slot.type.starts_with("LP");
    }
    if (plugged.modules == 0) plugged.slowest = plugged.rated = 0;
    return plugged;
}

/// Everything that the sentences go by.
struct Situation {
    const CpuModelFacts* model = nullptr;
    const MemorySystem* system = nullptr;
    std::optional<PluggedIn> plugged;  ///< on bare metal alone: a hypervisor makes its modules up
    double low = 0, high = 0;          ///< shares that machines with every channel populated reach

    int sockets() const {
        // Some hypervisors show every virtual CPU as a socket.
        if (model != nullptr && system->in_virtual_machine)
            return std::clamp(system->sockets, 1, std::max(1, model->sockets_at_most));
        return system->sockets;
    }
    int sockets_used() const { return std::clamp(system->sockets_used, 1, sockets()); }
    /// Channels of all sockets; 0 where the model is not known.
    int channels() const { return model == nullptr ? 0 : model->memory_channels * sockets(); }
    /// Channels with a module: exactly, or the most that the number of modules allows.
    std::optional<int> channels_with_modules() const {
        if (!plugged || plugged->modules == 0) return std::nullopt;
        const bool told = plugged->channels && (channels() == 0 || *plugged->channels <= channels());
        if (told) return plugged->channels;
        if (channels() == 0) return std::nullopt;
        return std::min(plugged->modules, channels());
    }
};

std::optional<Limit> full_limit(const Situation& situation) {
    if (situation.model == nullptr) return std::nullopt;
    const CpuModelFacts& model = *situation.model;
    const int sockets = situation.sockets_used();
    return Limit{model.memory_channels * model.memory_transfers_per_second * channel_bytes * sockets,
                 fmt::format("{} channels x {} MT/s x 8 byte x {} ({}, every channel populated)",
                             model.memory_channels, megatransfers(model.memory_transfers_per_second),
                             plural(sockets, "socket"), model.name)};
}

std::optional<Limit> plugged_in_limit(const Situation& situation) {
    const std::optional<int> channels = situation.channels_with_modules();
    if (!channels || situation.plugged->slowest <= 0 || situation.plugged->low_power) return std::nullopt;
    const double used = static_cast<double>(situation.sockets_used()) / situation.sockets();
    const std::string part =
        used < 1 ? fmt::format(" x {} of {} sockets", situation.sockets_used(), situation.sockets())
                 : std::string();
    return Limit{*channels * situation.plugged->slowest * channel_bytes * used,
                 fmt::format("{} x {} MT/s x 8 byte{} (modules plugged in, as the firmware lists them)",
                             plural(*channels, "channel"), megatransfers(situation.plugged->slowest), part)};
}

/// Where the catalogue does not tell how many channels the CPU has, the board's names do.
void add_empty_channels(const PluggedIn& plugged, std::vector<std::string>& sentences) {
    if (!plugged.channels || *plugged.channels >= plugged.named_channels) return;
    sentences.push_back(fmt::format(
        "Missing memory channels: {} of the {} channels that the board names have a module ({} of {} slots "
        "filled); unless the others are those of an empty socket, the bandwidth can be {:.0f} % of what the "
        "board could have.",
        *plugged.channels, plugged.named_channels, plugged.modules, plugged.slots,
        100.0 * *plugged.channels / plugged.named_channels));
}

void add_missing_channels(const Situation& situation, std::vector<std::string>& sentences) {
    if (situation.model == nullptr) return add_empty_channels(*situation.plugged, sentences);
    const std::optional<int> populated = situation.channels_with_modules();
    if (!populated || *populated >= situation.channels()) return;
    const bool by_name = situation.plugged->channels == populated;
    const std::string found =
        by_name ? fmt::format("{} of {} memory channels have a module", *populated, situation.channels())
                : fmt::format("{} for {} memory channels, so that some are empty",
                              plural(situation.plugged->modules, "module"), situation.channels());
    sentences.push_back(fmt::format(
        "Missing memory channels: {} ({} of {} slots filled); the bandwidth can be {:.0f} % of what "
        "the CPU could have.",
        found, situation.plugged->modules, situation.plugged->slots,
        100.0 * *populated / situation.channels()));
}

void add_speed(const Situation& situation, std::vector<std::string>& sentences) {
    const PluggedIn& plugged = *situation.plugged;
    if (plugged.slowest <= 0) return;
    if (plugged.slowest < plugged.fastest * same_speed)
        sentences.push_back(fmt::format("Mixed memory speeds: modules run at {} to {} MT/s.",
                                        megatransfers(plugged.slowest), megatransfers(plugged.fastest)));
    const double cpu = situation.model == nullptr ? 0 : situation.model->memory_transfers_per_second;
    const bool below_cpu = plugged.slowest < cpu * same_speed;
    const bool below_rated = plugged.slowest < plugged.rated * same_speed;
    if (!below_cpu && !below_rated) return;
    std::string could;
    if (below_rated) could = fmt::format("the modules are rated for {}", megatransfers(plugged.rated));
    if (below_cpu)
        could +=
            fmt::format("{}the CPU is specified for {}", could.empty() ? "" : " and ", megatransfers(cpu));
    sentences.push_back(
        fmt::format("Memory runs at {} MT/s where {}.", megatransfers(plugged.slowest), could));
}

/// Whether `share` is what `part` of a machine gives that would otherwise reach low..high.
bool resembles(const Situation& situation, double share, double part) {
    return share >= part * situation.low * (1 - resemblance) &&
           share <= part * situation.high * (1 + resemblance);
}

/// What a low share looks like; empty where it looks like nothing known.
std::vector<std::string> resemblances(const Situation& situation, double share) {
    std::vector<std::string> alike;
    const int nodes = situation.system->numa_nodes;
    if (nodes > 1 && resembles(situation, share, 1.0 / nodes))
        alike.push_back(fmt::format(
            "one of {} NUMA nodes (was the memory of a single node used, or the process bound to one?)",
            nodes));
    // Where the modules are known, what is missing is known too, and is in the limit already.
    const int channels = situation.plugged || situation.model == nullptr
                             ? 0
                             : situation.model->memory_channels * situation.sockets_used();
    std::optional<int> nearest;
    const double middle = (situation.low + situation.high) / 2;
    for (int populated = 1; populated < channels; ++populated) {
        if (!resembles(situation, share, static_cast<double>(populated) / channels)) continue;
        const double off = std::abs(share * channels / middle - populated);
        if (!nearest || off < std::abs(share * channels / middle - *nearest)) nearest = populated;
    }
    if (nearest)
        alike.push_back(
            fmt::format("{} of {} memory channels with modules (which are plugged in cannot be "
                        "read here)",
                        *nearest, channels));
    return alike;
}

void add_low_share(const Situation& situation, const ExpectedBandwidth& expected,
                   std::vector<std::string>& sentences) {
    const double share = *expected.share;
    const std::string reached = fmt::format(
        "The memory reaches {:.0f} % of {}, where machines with every channel populated reach {:.0f} "
        "to {:.0f} %",
        100 * share, gigabytes(expected.limit()->value), 100 * situation.low, 100 * situation.high);
    const MemorySystem& system = *situation.system;
    if (system.cpus_allowed < system.cpus_online) {
        sentences.push_back(
            fmt::format("{}: this process may use {} of {} CPUs, and these alone may not draw "
                        "what the memory can give; nothing follows from it for the memory.",
                        reached, system.cpus_allowed, system.cpus_online));
        return;
    }
    if (system.in_virtual_machine) {
        sentences.push_back(reached +
                            ": this is a virtual machine, and a few virtual CPUs of a large socket cannot "
                            "draw its whole bandwidth; missing memory channels would look the same.");
        return;
    }
    if (situation.sockets() > 1 && system.numa_nodes == 1) {
        sentences.push_back(fmt::format(
            "{}: {} sockets show as a single NUMA node, so that the firmware interleaves memory over the "
            "sockets and part of all traffic crosses the link between them (turn node interleaving off).",
            reached, situation.sockets()));
        return;
    }
    const std::vector<std::string> alike = resemblances(situation, share);
    if (alike.empty()) {
        sentences.push_back(reached + "; it looks like no known shortage.");
        return;
    }
    std::string looks = alike.front();
    for (std::size_t i = 1; i < alike.size(); ++i) looks += ", or like " + alike[i];
    sentences.push_back(fmt::format("{}: it looks like {}.", reached, looks));
}

void add_unknown(const Situation& situation, std::vector<std::string>& sentences) {
    const MemorySystem& system = *situation.system;
    const std::string name = system.cpu_model.empty() ? std::string("which the system does not name")
                                                      : fmt::format("\"{}\"", system.cpu_model);
    sentences.push_back(fmt::format(
        "What the memory could at most give is unknown: the catalogue does not have this CPU, {}{}.", name,
        system.in_virtual_machine
            ? ", as the hypervisor names it, nor does a virtual machine show its host's "
              "memory modules"
            : ", and the firmware's list of memory modules does not tell it either"));
}

}  // namespace

ExpectedBandwidth expect_bandwidth(const CpuFacts* facts, const MemorySystem& system,
                                   double measured_bytes_per_second) {
    Situation situation;
    situation.system = &system;
    if (facts != nullptr) {
        situation.model = find_cpu_model(*facts, system.cpu_model);
        situation.low = facts->attainable_share_low;
        situation.high = facts->attainable_share_high;
    }
    if (system.modules && !system.in_virtual_machine) situation.plugged = plugged_in_of(*system.modules);

    ExpectedBandwidth expected;
    expected.full = full_limit(situation);
    expected.plugged_in = plugged_in_limit(situation);
    if (situation.plugged && situation.plugged->modules > 0) {
        add_missing_channels(situation, expected.sentences);
        add_speed(situation, expected.sentences);
    }
    const std::optional<Limit> limit = expected.limit();
    if (!limit) {
        add_unknown(situation, expected.sentences);
        return expected;
    }
    if (measured_bytes_per_second <= 0) return expected;
    expected.share = measured_bytes_per_second / limit->value;
    if (*expected.share > 1)
        expected.sentences.push_back(
            fmt::format("{} were measured, more than the {} of {}: either caches served part of it, or the "
                        "machine is not what its names say.",
                        gigabytes(measured_bytes_per_second), gigabytes(limit->value), limit->source));
    else if (*expected.share < situation.low)
        add_low_share(situation, expected, expected.sentences);
    return expected;
}

}  // namespace assay
