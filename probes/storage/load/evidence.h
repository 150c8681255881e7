#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "probes/core/outcome.h"
#include "probes/storage/load/load.h"
#include "probes/storage/target/target.h"

namespace assay::storage {

/// What the kernel counted while a load ran.
struct CountedTransfers {
    std::string devices;                                ///< their names
    std::optional<os::DeviceCounters> by_devices = {};  ///< nothing where one of them is not known
    std::optional<std::uint64_t> by_process = {};       ///< bytes moved on this process's behalf, both ways
    /// A target's device is another machine's: some network file systems (Ceph's) count nothing for a
    /// process that does direct I/O.
    bool may_be_uncounted = false;
};

/// Whether that is what a load claims. Where a counter does not exist its check is left out, and `notes`
/// says so.
std::vector<Check> transfer_checks(const CountedTransfers& counted, std::uint64_t read_bytes,
                                   std::uint64_t written_bytes, std::vector<std::string>& notes);

/// What the kernel had counted before a load, to be compared with what it counts after.
class TransferCounters {
  public:
    explicit TransferCounters(const std::vector<Target>& targets);

    /// Whether the devices, and the block layer on this process's behalf, really moved what a load
    /// claims: see transfer_checks().
    std::vector<Check> checks(std::uint64_t read_bytes, std::uint64_t written_bytes,
                              std::vector<std::string>& notes) const;
    /// Seconds in which the devices had at least one request since this was made, their mean; nothing where
    /// they do not tell.
    std::optional<double> busy_seconds() const;

  private:
    std::vector<os::BlockDevice> leaves_;  // of all targets, each once
    std::optional<os::DeviceCounters> device_;
    std::optional<std::uint64_t> own_bytes_;
    bool may_be_uncounted_ = false;
};

/// Little's law: operations a second times their mean latency is the mean number in flight, which the load
/// counts by itself. Of a window that is not endless, what crosses its ends is counted in. More than 5 %
/// apart means that one of the three is wrong.
Check little_check(const std::vector<LoadSlice>& slices, std::string name = "Little's law");

/// Content of a sample of the blocks against what was written.
Check content_check(const Verification& verification);

/// Whether what is there is data: devices answer trimmed or never written blocks (zeros) without reading
/// anything. For targets whose content is not ours.
Check data_check(const std::filesystem::path& path, std::uint64_t bytes, std::uint64_t seed);

/// What a reader must know of the machine to trust a storage figure: hypervisor, memory against file size.
std::vector<std::string> machine_notes(const Target& target, std::uint64_t bytes);

}  // namespace assay::storage
