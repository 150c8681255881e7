#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "probes/core/clock.h"
#include "probes/core/os/mapping.h"

namespace assay::storage {

/// One part of the weights: a file, or a range of one.
struct Shard {
    std::filesystem::path path;  ///< opened by each reader for itself
    std::uint64_t offset = 0;    ///< a multiple of 4096
    std::uint64_t bytes = 0;
    std::optional<std::uint64_t> pattern_seed;  ///< of content that is ours (block_pattern.h)
};

enum class LoadPath { direct, buffered, mmap };
std::string_view to_string(LoadPath path);

struct ColdLoadOptions {
    std::vector<Shard> shards;
    LoadPath path = LoadPath::direct;
    int readers = 1;
    std::uint64_t block_bytes = 1 << 20;  ///< of one read; a multiple of 4096

    std::uint64_t bytes() const;
};

/// The memory that weights are loaded into, present before the first load. All of them where `allowed_bytes`
/// holds them, else one buffer a reader that it fills again and again.
class LoadMemory {
  public:
    /// Throws std::system_error where there is not even memory for the buffers.
    LoadMemory(const ColdLoadOptions& options, std::uint64_t allowed_bytes);

    bool holds_all() const { return holds_all_; }
    std::uint64_t bytes() const { return memory_.bytes(); }
    /// Where `length` bytes from `offset` of a shard go, rounded up to 4096: offset a multiple of
    /// block_bytes.
    std::span<std::byte> room(std::size_t shard, std::uint64_t offset, std::uint64_t length,
                              int reader) const;
    /// Spoils every page, so that nothing of one load can pass for another's.
    void spoil() const;

  private:
    bool holds_all_ = false;
    std::uint64_t block_bytes_ = 0;
    std::uint64_t buffer_bytes_ = 0;           ///< of one reader
    std::vector<std::uint64_t> shard_begins_;  ///< in the memory that holds all
    os::Mapping memory_;
};

/// A piece of what a load left in memory: of each block one, chosen at random.
struct Piece {
    std::size_t shard = 0;
    std::uint64_t offset = 0;  ///< in the shard
    std::uint64_t length = 0;
    std::uint64_t hash = 0;
};

struct ColdLoadResult {
    double seconds = 0;  ///< from opening the first file until the last byte is in memory
    std::uint64_t bytes = 0;
    std::uint64_t checked_pieces = 0;  ///< compared with what was written, while loading
    std::uint64_t wrong_pieces = 0;
    std::optional<std::uint64_t> first_wrong;  ///< in the bytes of all shards, one after the other
    std::vector<Piece> pieces;  ///< of content that is not ours, to be compared afterwards; at most 4096
};

/// Loads everything once. Throws std::system_error, and std::runtime_error for a file that ends early.
ColdLoadResult load(const ColdLoadOptions& options, const LoadMemory& memory, Clock& clock);

/// Compares all that memory holds after a load with what was written: the first byte that is wrong, in the
/// bytes of all shards one after the other. Only of memory that holds all, and of shards that are ours.
std::optional<std::uint64_t> find_wrong(const ColdLoadOptions& options, const LoadMemory& memory);

/// Reads pieces again and returns the first that is not what a load left. Throws std::system_error.
std::optional<Piece> find_different(const ColdLoadOptions& options, const std::vector<Piece>& pieces);

/// Has the kernel forget every shard's file, and returns the largest share of one that stayed in its
/// cache; nothing where it does not tell this user of one of them.
std::optional<double> make_cold(const std::vector<Shard>& shards);

}  // namespace assay::storage
