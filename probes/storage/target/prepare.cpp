#include "probes/storage/target/prepare.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <memory>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "probes/core/bytes_in_words.h"
#include "probes/core/clock.h"
#include "probes/core/os/mapping.h"
#include "probes/core/os/scratch_file.h"
#include "probes/storage/engine/engine.h"
#include "probes/storage/target/block_pattern.h"

namespace assay::storage {
namespace {

constexpr std::uint64_t chunk_bytes = 1 << 20;
constexpr int chunks_in_flight = 8;

/// The largest number there is stays it.
std::uint64_t round_up(std::uint64_t bytes) {
    constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
    if (bytes > largest - pattern_bytes) return largest;
    return (bytes + pattern_bytes - 1) / pattern_bytes * pattern_bytes;
}

[[noreturn]] void fail(int reason, std::string_view call) {
    throw std::system_error(reason, std::generic_category(), std::string(call));
}

/// Space is taken before the first byte is written: a full disk is known at once, and the file lies in few
/// extents.
void reserve(const os::FileDescriptor& file, std::uint64_t from, std::uint64_t to) {
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) fail(errno, "fstat of the file to write");
    if (!S_ISREG(status.st_mode)) return;
    int result = -1;
    do {
        result = ::fallocate(file.get(), 0, static_cast<off_t>(from), static_cast<off_t>(to - from));
    } while (result != 0 && errno == EINTR);
    if (result == 0) return;
    if (errno != EOPNOTSUPP && errno != ENOSYS) {
        fail(errno, fmt::format("fallocate of {} bytes for the scratch file", to - from));
    }
    if (::ftruncate(file.get(), static_cast<off_t>(to)) != 0) fail(errno, "ftruncate of the scratch file");
}

void fill(std::span<std::byte> chunk, std::uint64_t offset, std::uint64_t seed) {
    for (std::size_t at = 0; at < chunk.size(); at += pattern_bytes) {
        fill_block(chunk.subspan(at).first<pattern_bytes>(), seed, (offset + at) / pattern_bytes);
    }
}

std::string_view name_of(BlockState state) {
    switch (state) {
        case BlockState::right:
            return "right";
        case BlockState::foreign:
            return "not what assay wrote";
        case BlockState::misplaced:
            return "another block's";
        case BlockState::corrupted:
            return "corrupted";
        case BlockState::stale:
            return "of another seed, as an earlier run wrote it";
    }
    return "?";
}

/// Whether a file begins with a block of ours, and from which seed it was filled.
std::optional<std::uint64_t> seed_at_start(const std::filesystem::path& path) {
    const os::FileDescriptor file = os::open_file(path, O_RDONLY | O_DIRECT);
    const os::Mapping first = os::Mapping::anonymous(pattern_bytes);
    const ssize_t got = ::pread(file.get(), first.data(), pattern_bytes, 0);
    if (got < 0) fail(errno, fmt::format("pread {}", path.string()));
    if (got != static_cast<ssize_t>(pattern_bytes)) return std::nullopt;
    const std::span<const std::byte, pattern_bytes> block = first.span().first<pattern_bytes>();
    if (check_block(block, 0) != BlockState::right) return std::nullopt;
    return seed_of(block);
}

/// The last guard against writing over what is not ours: a file with a name is written to only when it is
/// empty or begins as our files do.
void refuse_foreign_file(const Target& target, bool begins_as_ours) {
    struct stat status {};
    if (::stat(target.path.c_str(), &status) != 0) fail(errno, fmt::format("stat {}", target.path.string()));
    if (status.st_nlink > 0 && status.st_size > 0 && !begins_as_ours) {
        throw InputError(fmt::format(
            "scratch file: {} holds something that assay did not write; accepted: an empty file or a folder",
            target.path.string()));
    }
}

}  // namespace

void write_pattern(const std::filesystem::path& path, std::uint64_t from, std::uint64_t to,
                   std::uint64_t seed, const Progress& progress) {
    write_pattern(os::open_file(path, O_RDWR | O_DIRECT), from, to, seed, progress);
}

void write_pattern(const os::FileDescriptor& file, std::uint64_t from, std::uint64_t to, std::uint64_t seed,
                   const Progress& progress) {
    from = from / pattern_bytes * pattern_bytes;
    to = round_up(to);
    reserve(file, from, to);

    const os::Mapping memory = os::Mapping::anonymous(chunk_bytes * chunks_in_flight);
    EngineOptions options;
    options.file = file.get();
    options.memory = memory.span();
    options.slot_bytes = chunk_bytes;
    options.depth = chunks_in_flight;
    const std::unique_ptr<Engine> engine = begin_any_engine(options);
    std::array<std::uint32_t, chunks_in_flight> wanted{};
    std::uint64_t next = from;
    std::uint64_t done = from;
    const auto write_next = [&](std::uint32_t slot) {
        const std::span<std::byte> chunk =
            memory.span().subspan(slot * chunk_bytes, std::min(chunk_bytes, to - next));
        fill(chunk, next, seed);
        wanted[slot] = static_cast<std::uint32_t>(chunk.size());
        const Transfer transfer{next, wanted[slot], slot, true};
        next += chunk.size();
        engine->submit({&transfer, 1}, true);
    };
    for (std::uint32_t slot = 0; slot < chunks_in_flight && next < to; ++slot) write_next(slot);
    while (done < to) {
        std::array<Completion, chunks_in_flight> completions;
        const std::size_t count = engine->reap(completions, 1);
        for (const Completion& completion : std::span(completions).first(count)) {
            if (completion.result < 0) fail(-completion.result, "write of the scratch file");
            if (static_cast<std::uint32_t>(completion.result) != wanted[completion.slot])
                fail(ENOSPC, "write of the scratch file, cut short");
            done += wanted[completion.slot];
            if (next < to) write_next(completion.slot);
        }
        progress(static_cast<double>(done - from) / static_cast<double>(to - from));
    }
    if (::fsync(file.get()) != 0) fail(errno, "fsync of the scratch file");
}

std::string sample_pattern(const std::filesystem::path& path, std::uint64_t bytes, int samples,
                           std::uint64_t choice, std::optional<std::uint64_t> pattern_seed) {
    const os::FileDescriptor file = os::open_file(path, O_RDONLY | O_DIRECT);
    const os::Mapping memory = os::Mapping::anonymous(pattern_bytes);
    const std::uint64_t blocks = bytes / pattern_bytes;
    std::uint64_t random = choice;
    for (int i = 0; i < samples && blocks > 0; ++i) {
        random = random * 6364136223846793005U + 1442695040888963407U;  // Knuth's MMIX generator
        const std::uint64_t index = i == 0 ? 0 : i == 1 ? blocks - 1 : (random >> 20) % blocks;
        const ssize_t got =
            ::pread(file.get(), memory.data(), pattern_bytes, static_cast<off_t>(index * pattern_bytes));
        if (got < 0) fail(errno, fmt::format("pread {}", path.string()));
        if (got != static_cast<ssize_t>(pattern_bytes)) {
            return fmt::format("block {} ends after {} bytes", index, got);
        }
        const BlockState state = check_block(memory.span().first<pattern_bytes>(), index, pattern_seed);
        if (state != BlockState::right) return fmt::format("block {} is {}", index, name_of(state));
    }
    return {};
}

std::string verify_pattern(const std::filesystem::path& path, std::uint64_t bytes, std::uint64_t pattern_seed,
                           const Progress& progress) {
    const os::FileDescriptor file = os::open_file(path, O_RDONLY | O_DIRECT);
    const os::Mapping memory = os::Mapping::anonymous(chunk_bytes);
    const std::uint64_t blocks = bytes / pattern_bytes;
    std::uint64_t wrong = 0;
    std::string first;
    for (std::uint64_t index = 0; index < blocks;) {
        const std::uint64_t offset = index * pattern_bytes;
        const std::size_t wanted = std::min(chunk_bytes, (blocks - index) * pattern_bytes);
        const ssize_t got = ::pread(file.get(), memory.data(), wanted, static_cast<off_t>(offset));
        if (got < 0) fail(errno, fmt::format("pread {}", path.string()));
        const std::span<const std::byte> data = memory.span().first(static_cast<std::size_t>(got));
        if (data.size() < pattern_bytes) return fmt::format("block {} ends after {} bytes", index, got);
        for (std::size_t at = 0; at + pattern_bytes <= data.size(); at += pattern_bytes, ++index) {
            const BlockState state =
                check_block(data.subspan(at).first<pattern_bytes>(), index, pattern_seed);
            if (state == BlockState::right) continue;
            if (wrong++ == 0) {
                first = fmt::format("block {} (byte {}) is {}", index, index * pattern_bytes, name_of(state));
            }
        }
        progress(static_cast<double>(index) / static_cast<double>(blocks));
    }
    return wrong == 0 ? "" : fmt::format("{} of {} blocks are wrong; {}", wrong, blocks, first);
}

std::optional<std::string> no_room(const Target& target, std::uint64_t bytes) {
    const std::uint64_t more = round_up(bytes) - std::min(round_up(bytes), target.size_bytes);
    if (more > target.file_system.free_bytes / 2) {
        return fmt::format(
            "the scratch file needs {} and may take half of the {} that are free in {}; make room, choose "
            "another folder or a smaller size",
            bytes_in_words(more), bytes_in_words(target.file_system.free_bytes), target.path.string());
    }
    rlimit limit{};
    if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        round_up(bytes) > limit.rlim_cur) {
        return fmt::format("the scratch file needs {} and the limit on a file's size is {} (ulimit -f)",
                           bytes_in_words(round_up(bytes)), bytes_in_words(limit.rlim_cur));
    }
    return std::nullopt;
}

Prepared prepare(const Target& target, std::uint64_t bytes, std::uint64_t seed, const Progress& progress) {
    constexpr int samples = 64;
    Prepared prepared;
    prepared.path = target.path;
    if (!target.is_scratch()) {
        prepared.how = "as it is";
        return prepared;
    }
    std::uint64_t from = 0;
    if (target.kind == Target::Kind::scratch_folder) {
        prepared.holder = os::make_nameless_file(target.path);
        prepared.path = os::path_of(prepared.holder);
    } else {
        // What an earlier case left is used when it is whole; one that is too small is written further.
        const std::optional<std::uint64_t> found = seed_at_start(target.path);
        refuse_foreign_file(target, found.has_value());
        const std::uint64_t whole = target.size_bytes / pattern_bytes * pattern_bytes;
        const std::uint64_t usable = std::min(whole, round_up(bytes));
        if (found && sample_pattern(target.path, usable, samples, seed, found).empty()) {
            seed = *found;
            from = usable;
        }
    }
    prepared.pattern_seed = seed;
    if (from >= round_up(bytes)) {
        prepared.how = "found as an earlier case prepared it";
        return prepared;
    }
    SteadyClock clock;
    const Nanoseconds started = clock.now();
    write_pattern(prepared.path, from, bytes, seed, progress);
    prepared.written_bytes = round_up(bytes) - from;
    const double seconds = seconds_of(clock.now() - started);
    prepared.how = fmt::format("{} {} bytes in {:.2f} s", from == 0 ? "written in full," : "completed by",
                               prepared.written_bytes, seconds);
    const std::string wrong = sample_pattern(prepared.path, bytes, samples, seed, seed);
    if (!wrong.empty())
        throw std::runtime_error("what was written to the scratch file reads back wrong: " + wrong);
    return prepared;
}

}  // namespace assay::storage
