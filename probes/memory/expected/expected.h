#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "probes/core/cpu_facts.h"
#include "probes/core/metric.h"
#include "probes/core/os/memory_modules.h"

namespace assay {

/// What the machine says of its memory system; what it does not tell is empty or absent.
struct MemorySystem {
    std::string cpu_model;  ///< as /proc/cpuinfo names it
    int sockets = 1;        ///< that the system shows
    int sockets_used = 1;   ///< of these, those that have CPUs which this process may use
    int cpus_allowed = 1;   ///< that this process may use
    int cpus_online = 1;    ///< of the sockets used
    int numa_nodes = 1;     ///< nodes with memory
    bool in_virtual_machine = false;
    /// Slots, empty ones too; nothing where the firmware's table cannot be read.
    std::optional<std::vector<os::MemoryModule>> modules = {};
};

/// This machine's, or that of the machine whose /proc and /sys lie below `root`. `allowed_cpus` are those
/// that the process may use; unset: of this machine what its affinity says, of another all.
MemorySystem read_memory_system(const std::filesystem::path& root = "/",
                                std::optional<std::vector<int>> allowed_cpus = std::nullopt);

/// What the memory could at most give, and what that says of a figure.
struct ExpectedBandwidth {
    /// Bytes a second of the sockets used with every channel populated at the CPU's fastest memory, and from
    /// where that is known; nothing for a CPU that the catalogue does not have.
    std::optional<Limit> full;
    /// The same of the modules that are plugged in, at the speed that they run at; nothing in a virtual
    /// machine or where the firmware does not tell.
    std::optional<Limit> plugged_in;
    /// What the figure is to be held against: what is plugged in, else what the CPU could have.
    std::optional<Limit> limit() const { return plugged_in ? plugged_in : full; }
    /// 0..1: the measured bandwidth over `limit()`.
    std::optional<double> share;
    /// Plain sentences for the notes: what is not as it should be, and what cannot be told. None where all is
    /// well.
    std::vector<std::string> sentences;
};

/// Judges the best bandwidth that was measured with all CPUs, in bytes a second (0: none was). Pure;
/// `facts` may be null.
ExpectedBandwidth expect_bandwidth(const CpuFacts* facts, const MemorySystem& system,
                                   double measured_bytes_per_second);

}  // namespace assay
