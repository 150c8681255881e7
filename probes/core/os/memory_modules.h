#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace assay::os {

/// A slot for a memory module, as the firmware describes it (SMBIOS type 17). What it does not tell is empty.
struct MemoryModule {
    std::string locator;                         ///< "DIMM_A1"
    std::string bank;                            ///< "P0 CHANNEL A"
    std::string part;                            ///< "M393A4K40DB3-CWE"
    std::string type;                            ///< "DDR4"
    bool populated = false;                      ///< false: the slot is empty
    std::optional<std::uint64_t> bytes;          ///< of a populated one
    std::optional<int> data_bits;                ///< width without error correction: 64
    std::optional<double> rated_transfers;       ///< per second, what the module can
    std::optional<double> configured_transfers;  ///< per second, what it runs at
};

/// The slots in an SMBIOS structure table (/sys/firmware/dmi/tables/DMI). Reads nothing outside of the table
/// whatever lengths it claims; what is cut off or malformed ends the reading. Slots of flash or ROM are left
/// out.
std::vector<MemoryModule> parse_memory_modules(std::span<const std::byte> table);

/// The slots of the machine whose /sys lies below `root`; nothing where the firmware's table is absent or
/// unreadable (root only), which is not the same as a machine without modules.
std::optional<std::vector<MemoryModule>> read_memory_modules(const std::filesystem::path& root = "/");

/// Memory channels as the names of slots and banks tell them.
struct NamedChannels {
    int populated = 0;  ///< with a module
    int named = 0;      ///< all that have a slot; a board may name those of an empty socket, too
};
/// Nothing where the names do not tell ("PROC 1 DIMM 3"), the same name stands for two slots, or no slot has
/// a module.
std::optional<NamedChannels> named_channels(std::span<const MemoryModule> modules);

}  // namespace assay::os
