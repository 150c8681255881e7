#include "probes/storage/weights/cold_load.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <fmt/format.h>

#include "probes/core/os/page_cache.h"
#include "probes/storage/target/block_pattern.h"
#include "probes/storage/weights/workers.h"

namespace assay::storage {
namespace {

/// A reader takes so much at a time and reads it in order: long enough for the kernel's read-ahead, short
/// enough that all readers end together.
constexpr std::uint64_t longest_stretch_bytes = 64 << 20;
constexpr std::uint64_t buffer_bytes_of_a_reader = 64 << 20;
constexpr std::uint64_t stretches_of_a_reader = 8;
constexpr std::size_t most_pieces = 4096;

std::uint64_t round_up(std::uint64_t bytes, std::uint64_t to) {
    return (bytes + to - 1) / to * to;
}

struct Stretch {
    std::size_t shard = 0;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
};

std::vector<Stretch> stretches_of(const ColdLoadOptions& options) {
    const std::uint64_t shares = static_cast<std::uint64_t>(options.readers) * stretches_of_a_reader;
    const std::uint64_t length = round_up(
        std::clamp<std::uint64_t>(options.bytes() / shares, 1, longest_stretch_bytes), options.block_bytes);
    std::vector<Stretch> stretches;
    for (std::size_t shard = 0; shard < options.shards.size(); ++shard) {
        const std::uint64_t bytes = options.shards[shard].bytes;
        for (std::uint64_t at = 0; at < bytes; at += length) {
            stretches.push_back({shard, at, std::min(length, bytes - at)});
        }
    }
    return stretches;
}

std::uint64_t hash_of(std::span<const std::byte> bytes) {
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

/// Reads until `wanted` bytes are there. A direct read asks for whole blocks, which the file's end cuts.
void read_fully(const os::FileDescriptor& file, std::span<std::byte> into, std::uint64_t wanted,
                std::uint64_t offset, const Shard& shard) {
    std::uint64_t done = 0;
    while (done < wanted) {
        const ssize_t got =
            ::pread(file.get(), into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            throw std::system_error(errno, std::generic_category(),
                                    fmt::format("pread {}", shard.path.string()));
        }
        if (got == 0) {
            throw std::runtime_error(
                fmt::format("{} ended at byte {} while it was loaded", shard.path.string(), offset + done));
        }
        done += static_cast<std::uint64_t>(got);
    }
}

class Loader {
  public:
    Loader(const ColdLoadOptions& options, const LoadMemory& memory)
        : options_(options), memory_(memory), stretches_(stretches_of(options)) {
        for (const Shard& shard : options.shards) {
            shard_begins_.push_back(result_.bytes);
            result_.bytes += shard.bytes;
        }
        // Every so many blocks one piece, so that all fit.
        const std::uint64_t blocks = result_.bytes / options.block_bytes + options.shards.size();
        piece_step_ = blocks / most_pieces + 1;
    }

    ColdLoadResult run(Clock& clock) {
        const Nanoseconds started = clock.now();
        if (options_.path == LoadPath::mmap) map_all();
        run_workers(options_.readers, [&](int reader) { read_stretches(reader); });
        result_.seconds = seconds_of(clock.now() - started);
        return std::move(result_);
    }

  private:
    void map_all() {
        for (const Shard& shard : options_.shards) {
            const os::FileDescriptor file = os::open_file(shard.path, O_RDONLY);
            maps_.push_back(os::Mapping::of_file(file, shard.offset + shard.bytes));
        }
    }

    os::FileDescriptor open(const Shard& shard) const {
        if (options_.path == LoadPath::direct) return os::open_file(shard.path, O_RDONLY | O_DIRECT);
        return os::open_file(shard.path, O_RDONLY);
    }

    void read_stretches(int reader) {
        ColdLoadResult own;
        os::FileDescriptor file;
        std::size_t opened = options_.shards.size();
        for (std::size_t next = next_++; next < stretches_.size(); next = next_++) {
            const Stretch& stretch = stretches_[next];
            if (options_.path != LoadPath::mmap && opened != stretch.shard) {
                file = open(options_.shards[stretch.shard]);
                opened = stretch.shard;
            }
            ask_for(file, stretch);
            for (std::uint64_t at = 0; at < stretch.length; at += options_.block_bytes) {
                const std::uint64_t length = std::min(options_.block_bytes, stretch.length - at);
                read_block(file, stretch.shard, stretch.offset + at, length, reader, own);
            }
        }
        add(own);
    }

    /// Tells the kernel what will be read, as loaders do.
    void ask_for(const os::FileDescriptor& file, const Stretch& stretch) const {
        const std::uint64_t offset = options_.shards[stretch.shard].offset + stretch.offset;
        if (options_.path == LoadPath::buffered) {
            ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
        } else if (options_.path == LoadPath::mmap) {
            ::madvise(maps_[stretch.shard].data() + offset, stretch.length, MADV_SEQUENTIAL);
        }
    }

    void read_block(const os::FileDescriptor& file, std::size_t index, std::uint64_t offset,
                    std::uint64_t length, int reader, ColdLoadResult& own) {
        const Shard& shard = options_.shards[index];
        const std::span<std::byte> room = memory_.room(index, offset, length, reader);
        if (options_.path == LoadPath::mmap) {
            std::memcpy(room.data(), maps_[index].data() + shard.offset + offset, length);
        } else {
            const std::size_t asked = options_.path == LoadPath::direct ? room.size() : length;
            read_fully(file, room.first(asked), length, shard.offset + offset, shard);
        }
        look_at(room.first(length), index, offset, own);
    }

    /// One piece of the block: compared, or remembered.
    void look_at(std::span<const std::byte> block, std::size_t index, std::uint64_t offset,
                 ColdLoadResult& own) const {
        const Shard& shard = options_.shards[index];
        const std::uint64_t number = (shard_begins_[index] + offset) / options_.block_bytes;
        const std::uint64_t choices = std::max<std::uint64_t>(1, block.size() / pattern_bytes);
        // Knuth's multiplicative hash: another place in every block.
        const std::uint64_t within = (number * 0x9e37'79b9'7f4a'7c15U >> 32) % choices * pattern_bytes;
        const std::span<const std::byte> piece =
            block.subspan(within, std::min<std::size_t>(pattern_bytes, block.size() - within));
        if (!shard.pattern_seed) {
            if (number % piece_step_ == 0)
                own.pieces.push_back({index, offset + within, piece.size(), hash_of(piece)});
            return;
        }
        ++own.checked_pieces;
        if (part_is_right(piece, shard.offset + offset + within, *shard.pattern_seed)) return;
        ++own.wrong_pieces;
        const std::uint64_t at = shard_begins_[index] + offset + within;
        own.first_wrong = std::min(own.first_wrong.value_or(at), at);
    }

    void add(ColdLoadResult& own) {
        const std::lock_guard<std::mutex> lock(guard_);
        result_.checked_pieces += own.checked_pieces;
        result_.wrong_pieces += own.wrong_pieces;
        if (own.first_wrong) {
            result_.first_wrong = std::min(result_.first_wrong.value_or(*own.first_wrong), *own.first_wrong);
        }
        result_.pieces.insert(result_.pieces.end(), own.pieces.begin(), own.pieces.end());
    }

    const ColdLoadOptions& options_;
    const LoadMemory& memory_;
    std::vector<Stretch> stretches_;
    std::vector<std::uint64_t> shard_begins_;
    std::uint64_t piece_step_ = 1;
    std::vector<os::Mapping> maps_;
    std::atomic<std::size_t> next_ = 0;
    std::mutex guard_;
    ColdLoadResult result_;
};

}  // namespace

std::string_view to_string(LoadPath path) {
    switch (path) {
        case LoadPath::direct:
            return "direct";
        case LoadPath::buffered:
            return "buffered";
        case LoadPath::mmap:
            return "mmap";
    }
    return "?";
}

std::uint64_t ColdLoadOptions::bytes() const {
    std::uint64_t sum = 0;
    for (const Shard& shard : shards) sum += shard.bytes;
    return sum;
}

LoadMemory::LoadMemory(const ColdLoadOptions& options, std::uint64_t allowed_bytes)
    : block_bytes_(options.block_bytes) {
    std::uint64_t all = 0;
    for (const Shard& shard : options.shards) {
        shard_begins_.push_back(all);
        all += round_up(shard.bytes, pattern_bytes);
    }
    holds_all_ = all <= allowed_bytes;
    buffer_bytes_ = round_up(buffer_bytes_of_a_reader, block_bytes_);
    if (!holds_all_) all = buffer_bytes_ * static_cast<std::uint64_t>(options.readers);
    memory_ = os::Mapping::anonymous(std::max<std::uint64_t>(all, pattern_bytes));
}

std::span<std::byte> LoadMemory::room(std::size_t shard, std::uint64_t offset, std::uint64_t length,
                                      int reader) const {
    const std::uint64_t begin =
        holds_all_ ? shard_begins_[shard] + offset
                   : buffer_bytes_ * static_cast<std::uint64_t>(reader) + offset % buffer_bytes_;
    return memory_.span().subspan(begin, round_up(length, pattern_bytes));
}

void LoadMemory::spoil() const {
    for (std::size_t at = 0; at + pattern_bytes <= memory_.bytes(); at += pattern_bytes) {
        std::memset(memory_.data() + at, 0xa5, sizeof(std::uint64_t));
    }
}

ColdLoadResult load(const ColdLoadOptions& options, const LoadMemory& memory, Clock& clock) {
    return Loader(options, memory).run(clock);
}

std::optional<std::uint64_t> find_wrong(const ColdLoadOptions& options, const LoadMemory& memory) {
    std::uint64_t begin = 0;
    std::optional<std::uint64_t> wrong;
    std::mutex guard;
    const std::vector<Stretch> stretches = stretches_of(options);
    std::vector<std::uint64_t> begins;
    for (const Shard& shard : options.shards) {
        begins.push_back(begin);
        begin += shard.bytes;
    }
    std::atomic<std::size_t> next = 0;
    run_workers(options.readers, [&](int reader) {
        for (std::size_t index = next++; index < stretches.size(); index = next++) {
            const Stretch& stretch = stretches[index];
            const Shard& shard = options.shards[stretch.shard];
            if (!shard.pattern_seed) continue;
            const std::span<const std::byte> all =
                memory.room(stretch.shard, stretch.offset, stretch.length, reader).first(stretch.length);
            for (std::uint64_t at = 0; at < all.size(); at += pattern_bytes) {
                const std::span<const std::byte> part =
                    all.subspan(at, std::min<std::size_t>(pattern_bytes, all.size() - at));
                if (part_is_right(part, shard.offset + stretch.offset + at, *shard.pattern_seed)) continue;
                const std::lock_guard<std::mutex> lock(guard);
                const std::uint64_t here = begins[stretch.shard] + stretch.offset + at;
                wrong = std::min(wrong.value_or(here), here);
                break;
            }
        }
    });
    return wrong;
}

std::optional<Piece> find_different(const ColdLoadOptions& options, const std::vector<Piece>& pieces) {
    std::vector<std::byte> memory(pattern_bytes);
    std::map<std::size_t, os::FileDescriptor> files;
    for (const Piece& piece : pieces) {
        const Shard& shard = options.shards[piece.shard];
        os::FileDescriptor& file = files[piece.shard];
        if (!file) file = os::open_file(shard.path, O_RDONLY);
        const std::span<std::byte> room = std::span(memory).first(piece.length);
        read_fully(file, room, piece.length, shard.offset + piece.offset, shard);
        if (hash_of(room) != piece.hash) return piece;
    }
    return std::nullopt;
}

std::optional<double> make_cold(const std::vector<Shard>& shards) {
    double largest = 0;
    bool all_told = true;
    std::map<std::string, bool> done;
    for (const Shard& shard : shards) {
        // Shards may be ranges of one file.
        if (!done.emplace(shard.path.string(), true).second) continue;
        const std::optional<double> stayed = os::make_cold(os::open_file(shard.path, O_RDONLY));
        all_told = all_told && stayed.has_value();
        largest = std::max(largest, stayed.value_or(0));
    }
    // What is known to be warm is told, whatever is not known of others.
    return all_told || largest > 0 ? std::optional(largest) : std::nullopt;
}

}  // namespace assay::storage
