#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernels/device/device.h"
#include "probes/core/clock.h"

namespace assay {

struct AcceleratorFacts;  // probes/core/accelerator_facts.h

/// How much memory is checked, or why none can be.
struct CapacitySize {
    std::uint64_t bytes = 0;    ///< 0: what was asked for does not fit
    std::uint64_t reserve = 0;  ///< bytes that stay free whatever was asked for
    std::string reason;         ///< one sentence with the arithmetic
};
/// `asked` = 0 for auto: `share` of the usable bytes, of which `reserve` are left alone in any case. `usable`
/// = 0 where the system does not tell.
CapacitySize size_capacity(std::uint64_t asked, double share, std::uint64_t usable, std::uint64_t reserve);
/// Bytes left free for others: of the host's memory a twentieth, 64 MiB to 2 GiB; of another device's, which
/// nobody else should be using, a hundredth.
std::uint64_t reserve_bytes(bool is_host, std::uint64_t usable);

/// What verified bytes are held against.
struct LabelledMemory {
    std::uint64_t bytes = 0;  ///< 0: not known
    std::string source;       ///< "MemTotal of the machine"
};
/// Of the CPU the memory that the kernel manages, or the limit of the control group where that is less; of
/// other devices what their datasheet says, or what they claim where that is more or `facts` is null.
LabelledMemory labelled_memory(const Device& device, const AcceleratorFacts* facts = nullptr,
                               const std::filesystem::path& root = "/");

/// Bytes that may still be taken when `taken` are held: read again before every chunk.
using UsableBytes = std::function<std::uint64_t(std::uint64_t taken)>;
/// What is left of a card's memory of `all` bytes. Of a GPU that has none of its own, which shows (what the
/// host may use, `host`, falls with what is taken), no more than the host can spare.
UsableBytes usable_of_card(std::uint64_t all, std::function<std::uint64_t()> host);

struct TakenMemory {
    std::vector<std::unique_ptr<DeviceMemory>> chunks;  ///< each touched
    std::uint64_t bytes = 0;
    std::uint64_t refusals = 0;  ///< allocations that the device refused
    std::string shortage;        ///< why it is less than asked for, one sentence; empty where it is all
    bool unreachable = false;    ///< the host cannot reach the device's memory; no chunk is held
};
/// How memory is taken.
struct TakingRules {
    bool huge_pages = false;
    UsableBytes usable;
    std::function<void(DeviceMemory&)> touch;  ///< makes a chunk resident
    /// Taking ends when it has lasted so long. Memory that a hypervisor has yet to find is slow to come by.
    Seconds time_limit{1e9};
    bool by_host = true;  ///< chunks need a host pointer
};
/// Takes `size.bytes` in chunks. A refused chunk is tried again at half the size. Ends early when what is
/// usable, less the reserve, does not hold the next chunk, and when time is up.
TakenMemory take_memory(Device& device, const CapacitySize& size, const TakingRules& rules, Clock& clock);

}  // namespace assay
