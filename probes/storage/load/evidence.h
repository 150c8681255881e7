#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "probes/core/outcome.h"
#include "probes/storage/load/read_load.h"
#include "probes/storage/target/target.h"

namespace assay::storage {

/// What the kernel had counted before a load, to be compared with what it counts after.
class ReadCounters {
  public:
    explicit ReadCounters(const Target& target);

    /// Whether the device, and the block layer on this process's behalf, really read what a load of
    /// `read_bytes` claims. Where a counter does not exist its check is left out, and `notes` says so.
    std::vector<Check> checks(std::uint64_t read_bytes, std::vector<std::string>& notes) const;

  private:
    std::vector<os::BlockDevice> leaves_;
    std::optional<os::DeviceCounters> device_;
    std::optional<std::uint64_t> own_bytes_;
};

/// Little's law: reads a second times their mean latency is the mean number in flight, which the load counts
/// by itself. More than 5 % apart means that one of the three is wrong.
Check little_check(const std::vector<ReadSlice>& slices);

/// Content of a sample of the reads against what was written.
Check content_check(const ReadVerification& verification);

/// Whether what is there is data: devices answer trimmed or never written blocks (zeros) without reading
/// anything. For targets whose content is not ours.
Check data_check(const std::filesystem::path& path, std::uint64_t bytes, std::uint64_t seed);

/// What a reader must know of the machine to trust a storage figure: hypervisor, memory against file size.
std::vector<std::string> machine_notes(const Target& target, std::uint64_t bytes);

}  // namespace assay::storage
