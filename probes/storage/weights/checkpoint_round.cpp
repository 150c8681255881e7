#include "probes/storage/weights/checkpoint_round.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "probes/core/os/page_cache.h"
#include "probes/core/os/scratch_file.h"
#include "probes/core/random.h"
#include "probes/storage/target/block_pattern.h"
#include "probes/storage/weights/workers.h"

namespace assay::storage {
namespace {

/// Long enough that no compressing file system or disk sees the same data again within what it looks at.
constexpr std::uint64_t least_pool_bytes = 16 << 20;

/// What stands at the beginning of each block.
using Stamp = std::array<std::uint64_t, 2>;

Stamp stamp_of(std::size_t shard, std::uint64_t offset, std::uint64_t seed, std::uint64_t round) {
    constexpr int shard_bit = 48;
    const std::uint64_t place = static_cast<std::uint64_t>(shard) << shard_bit | offset / pattern_bytes;
    return {place, Random(seed, round).next()};
}

std::system_error failure(int reason, std::string_view call, std::size_t shard, std::uint64_t offset) {
    return {reason, std::generic_category(),
            fmt::format("{} of the checkpoint's shard {} at byte {}", call, shard + 1, offset)};
}

void write_fully(int descriptor, std::span<const std::byte> from, std::size_t shard, std::uint64_t offset) {
    while (!from.empty()) {
        const ssize_t done = ::pwrite(descriptor, from.data(), from.size(), static_cast<off_t>(offset));
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) throw failure(errno, "write", shard, offset);
        if (done == 0) throw failure(ENOSPC, "write", shard, offset);
        from = from.subspan(static_cast<std::size_t>(done));
        offset += static_cast<std::uint64_t>(done);
    }
}

void read_fully(int descriptor, std::span<std::byte> into, std::size_t shard, std::uint64_t offset) {
    while (!into.empty()) {
        const ssize_t got = ::pread(descriptor, into.data(), into.size(), static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw failure(errno, "read", shard, offset);
        if (got == 0) {
            throw std::runtime_error(
                fmt::format("the checkpoint's shard {} ends at byte {}", shard + 1, offset));
        }
        into = into.subspan(static_cast<std::size_t>(got));
        offset += static_cast<std::uint64_t>(got);
    }
}

}  // namespace

std::uint64_t CheckpointOptions::bytes() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t shard : shard_bytes) sum += shard;
    return sum;
}

CheckpointData::CheckpointData(const CheckpointOptions& options)
    : seed_(options.seed),
      writers_(static_cast<std::uint64_t>(options.writers)),
      block_bytes_(options.block_bytes) {
    // Whole blocks fit in it: none is ever wrapped around.
    pool_bytes_ = (std::max(least_pool_bytes, options.block_bytes) + options.block_bytes - 1) /
                  options.block_bytes * options.block_bytes;
    memory_ = os::Mapping::anonymous(pool_bytes_ * (writers_ + 1) + block_bytes_ * writers_);
    for (std::uint64_t at = 0; at < pool_bytes_; at += pattern_bytes) {
        fill_block(memory_.span().subspan(at).first<pattern_bytes>(), seed_, at / pattern_bytes);
    }
    for (std::uint64_t writer = 1; writer <= writers_; ++writer) {
        std::memcpy(memory_.data() + writer * pool_bytes_, memory_.data(), pool_bytes_);
    }
}

std::span<const std::byte> CheckpointData::at(int writer, std::size_t shard, std::uint64_t offset,
                                              std::uint64_t length, std::uint64_t round) {
    const std::uint64_t begin = (static_cast<std::uint64_t>(writer) + 1) * pool_bytes_ + offset % pool_bytes_;
    const std::span<std::byte> data = memory_.span().subspan(begin, length);
    Stamp stamp = stamp_of(shard, offset, seed_, round);
    for (std::uint64_t block = 0; block < length; block += pattern_bytes) {
        std::memcpy(data.data() + block, stamp.data(), sizeof stamp);
        ++stamp[0];
    }
    return data;
}

CheckpointData::Wrong CheckpointData::compare(std::span<const std::byte> read, std::size_t shard,
                                              std::uint64_t offset, std::uint64_t round) const {
    const std::byte* const pool = memory_.data() + offset % pool_bytes_;
    Stamp stamp = stamp_of(shard, offset, seed_, round);
    Wrong wrong;
    for (std::uint64_t block = 0; block < read.size(); block += pattern_bytes) {
        const bool right = std::memcmp(read.data() + block, stamp.data(), sizeof stamp) == 0 &&
                           std::memcmp(read.data() + block + sizeof stamp, pool + block + sizeof stamp,
                                       pattern_bytes - sizeof stamp) == 0;
        ++stamp[0];
        if (right) continue;
        if (wrong.blocks == 0) wrong.first = offset + block;
        ++wrong.blocks;
    }
    return wrong;
}

std::span<std::byte> CheckpointData::buffer(int writer) const {
    const std::uint64_t begin =
        pool_bytes_ * (writers_ + 1) + block_bytes_ * static_cast<std::uint64_t>(writer);
    return memory_.span().subspan(begin, block_bytes_);
}

CheckpointRound::CheckpointRound(const CheckpointOptions& options, CheckpointData& data, std::uint64_t round)
    : options_(options), data_(data), round_(round), files_(options.shard_bytes.size()) {}

void CheckpointRound::for_each_shard(const std::function<void(int worker, std::size_t shard)>& work) {
    std::atomic<std::size_t> next = 0;
    stop_ = false;
    run_workers(options_.writers, [&](int worker) {
        try {
            for (std::size_t shard = next++; shard < files_.size() && !stop_; shard = next++)
                work(worker, shard);
        } catch (...) {
            stop_ = true;
            throw;
        }
    });
}

os::FileDescriptor CheckpointRound::open(std::size_t shard) const {
    return os::open_file(os::path_of(files_[shard]), O_RDWR | (options_.direct ? O_DIRECT : 0));
}

void CheckpointRound::write_shard(int writer, std::size_t shard, Clock& clock, CheckpointWriteTimes& times) {
    const Nanoseconds started = clock.now();
    files_[shard] = os::make_nameless_file(options_.folder);
    const os::FileDescriptor file = open(shard);
    const std::uint64_t bytes = options_.shard_bytes[shard];
    for (std::uint64_t at = 0; at < bytes && !stop_; at += options_.block_bytes) {
        const std::uint64_t length = std::min(options_.block_bytes, bytes - at);
        write_fully(file.get(), data_.at(writer, shard, at, length, round_), shard, at);
    }
    const Nanoseconds written = clock.now();
    if (::fsync(file.get()) != 0) throw failure(errno, "fsync", shard, bytes);
    const Nanoseconds ended = clock.now();
    times.slowest_shard_seconds = std::max(times.slowest_shard_seconds, seconds_of(ended - started));
    times.longest_fsync_seconds = std::max(times.longest_fsync_seconds, seconds_of(ended - written));
}

CheckpointWriteTimes CheckpointRound::write(Clock& clock) {
    std::vector<CheckpointWriteTimes> own(static_cast<std::size_t>(options_.writers));
    CheckpointWriteTimes times;
    const Nanoseconds started = clock.now();
    for_each_shard([&](int writer, std::size_t shard) {
        write_shard(writer, shard, clock, own[static_cast<std::size_t>(writer)]);
    });
    times.seconds = seconds_of(clock.now() - started);
    for (const CheckpointWriteTimes& writer : own) {
        times.slowest_shard_seconds = std::max(times.slowest_shard_seconds, writer.slowest_shard_seconds);
        times.longest_fsync_seconds = std::max(times.longest_fsync_seconds, writer.longest_fsync_seconds);
    }
    return times;
}

double CheckpointRound::make_cold() const {
    double stayed = 0;
    // Its own files: the kernel always tells.
    for (const os::FileDescriptor& file : files_) {
        stayed = std::max(stayed, os::make_cold(file).value_or(1));
    }
    return stayed;
}

void CheckpointRound::read_shard(int reader, std::size_t shard, Clock& clock, CheckpointReadBack& result,
                                 double& comparing) {
    const os::FileDescriptor file = open(shard);
    const std::uint64_t bytes = options_.shard_bytes[shard];
    for (std::uint64_t at = 0; at < bytes && !stop_; at += options_.block_bytes) {
        const std::span<std::byte> block =
            data_.buffer(reader).first(std::min(options_.block_bytes, bytes - at));
        read_fully(file.get(), block, shard, at);
        const Nanoseconds there = clock.now();
        const CheckpointData::Wrong wrong = data_.compare(block, shard, at, round_);
        comparing += seconds_of(clock.now() - there);
        result.blocks += block.size() / pattern_bytes;
        result.wrong_blocks += wrong.blocks;
        if (wrong.blocks > 0 && result.first_wrong.empty()) {
            result.first_wrong = fmt::format("byte {} of shard {}", wrong.first, shard + 1);
        }
    }
}

CheckpointReadBack CheckpointRound::read_back(Clock& clock) {
    CheckpointReadBack all;
    double comparing = 0;
    std::mutex guard;
    const Nanoseconds started = clock.now();
    for_each_shard([&](int reader, std::size_t shard) {
        CheckpointReadBack own;
        double own_comparing = 0;
        read_shard(reader, shard, clock, own, own_comparing);
        const std::lock_guard<std::mutex> lock(guard);
        all.blocks += own.blocks;
        all.wrong_blocks += own.wrong_blocks;
        if (all.first_wrong.empty()) all.first_wrong = own.first_wrong;
        comparing += own_comparing;
    });
    all.seconds = seconds_of(clock.now() - started);
    const double working =
        all.seconds * std::min<double>(options_.writers, static_cast<double>(files_.size()));
    all.comparing_share = working > 0 ? comparing / working : 0;
    return all;
}

}  // namespace assay::storage
