#pragma once

#include <cstdint>
#include <memory>

#include "kernels/cpu/address_pattern.h"
#include "kernels/device/accelerator.h"

namespace assay::kernels {

/// What a device found in memory that should hold an address pattern.
struct AddressFinding {
    std::uint64_t wrong = 0;    ///< words that are not what was written
    std::uint64_t passing = 0;  ///< blocks that were wrong once, and right when read again
    std::uint64_t flipped = 0;  ///< all bits in which any was wrong
    // Of the first wrong word, where there is one:
    std::uint64_t first_index = 0;  ///< in the pattern
    std::uint64_t found = 0;
};

/// Writes an address pattern into an accelerator's memory and reads it back there.
class OffloadedAddressPattern {
  public:
    /// Takes what it needs of the device: kernels, and memory for what they find.
    explicit OffloadedAddressPattern(Accelerator& accelerator);

    /// All of `memory`, whose first word has the index `first` and whose size is a multiple of 16. Queued.
    void write(const DeviceMemory& memory, std::uint64_t first, const AddressPattern& pattern);
    /// Reads all of `memory` from its end down and compares. Queued; collect() says what it found.
    void verify(const DeviceMemory& memory, std::uint64_t first, const AddressPattern& pattern);
    /// Of the last verify(). Throws DeviceError when the device did not check every word, or what it says of
    /// them cannot be.
    AddressFinding collect();

  private:
    Grid grid_for(std::uint64_t vectors) const;

    Accelerator& accelerator_;
    Kernel& write_;
    Kernel& verify_;
    std::unique_ptr<DeviceMemory> findings_;
    std::uint64_t first_ = 0, words_ = 0;  ///< what the last verify() had to check
    std::size_t groups_ = 0;               ///< by which it did
};

}  // namespace assay::kernels
