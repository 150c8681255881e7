#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "probes/core/clock.h"
#include "probes/core/os/file_descriptor.h"
#include "probes/core/os/mapping.h"

namespace assay::storage {

struct CheckpointOptions {
    std::filesystem::path folder;
    std::vector<std::uint64_t> shard_bytes;  ///< each a multiple of 4096
    int writers = 1;
    std::uint64_t block_bytes = 1 << 20;  ///< of one write or read; a multiple of 4096
    bool direct = true;
    std::uint64_t seed = 1;

    std::uint64_t bytes() const;
};

/// What is written: random data made before anything is timed, for each writer a copy that it writes from. In
/// each 4096 bytes stands which shard's and block's they are and of which round, so that no two blocks of a
/// checkpoint are equal and none of an earlier round passes for one of this.
class CheckpointData {
  public:
    /// Throws std::system_error where there is not the memory for it.
    explicit CheckpointData(const CheckpointOptions& options);

    /// The bytes at `offset` of a shard, ready to be written; valid until the writer's next call.
    std::span<const std::byte> at(int writer, std::size_t shard, std::uint64_t offset, std::uint64_t length,
                                  std::uint64_t round);
    /// Where in `read`, which came from `offset`, the first wrong block of 4096 bytes begins; how many are.
    struct Wrong {
        std::uint64_t blocks = 0;
        std::uint64_t first = 0;  ///< in the shard
    };
    Wrong compare(std::span<const std::byte> read, std::size_t shard, std::uint64_t offset,
                  std::uint64_t round) const;
    /// Memory of one writer for reading back.
    std::span<std::byte> buffer(int writer) const;
    std::uint64_t memory_bytes() const { return memory_.bytes(); }

  private:
    std::uint64_t seed_;
    std::uint64_t pool_bytes_;
    std::uint64_t writers_;
    std::uint64_t block_bytes_;
    /// The pool that nobody changes, each writer's copy of it, and apart from these a block for each to read
    /// into: what is read must never become what is written next.
    os::Mapping memory_;
};

struct CheckpointWriteTimes {
    double seconds = 0;                ///< from making the first file until the last is on the device
    double slowest_shard_seconds = 0;  ///< from making a shard's file until it is on the device
    double longest_fsync_seconds = 0;
};

struct CheckpointReadBack {
    double seconds = 0;
    double comparing_share = 0;  ///< of the readers' time, that went into comparing
    std::uint64_t blocks = 0;    ///< of 4096 bytes, all of them compared
    std::uint64_t wrong_blocks = 0;
    std::string first_wrong;  ///< "byte 8192 of shard 2"; empty where none is
};

/// One checkpoint: written, brought to the device, read back. Its files have no names; they are gone with it.
class CheckpointRound {
  public:
    CheckpointRound(const CheckpointOptions& options, CheckpointData& data, std::uint64_t round);

    /// Throws std::system_error naming shard and byte: a full disk, a disk that fails.
    CheckpointWriteTimes write(Clock& clock);
    /// Has the kernel forget all files; the largest share of one that stayed in its cache.
    double make_cold() const;
    CheckpointReadBack read_back(Clock& clock);

    const std::vector<os::FileDescriptor>& files() const { return files_; }

  private:
    void write_shard(int writer, std::size_t shard, Clock& clock, CheckpointWriteTimes& times);
    void read_shard(int reader, std::size_t shard, Clock& clock, CheckpointReadBack& result,
                    double& comparing);
    os::FileDescriptor open(std::size_t shard) const;
    /// Every shard once, by as many threads as there are writers; all end soon after one has failed.
    void for_each_shard(const std::function<void(int worker, std::size_t shard)>& work);

    const CheckpointOptions& options_;
    CheckpointData& data_;
    std::uint64_t round_;
    std::vector<os::FileDescriptor> files_;
    std::atomic<bool> stop_ = false;
};

}  // namespace assay::storage
