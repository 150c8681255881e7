#include "probes/interconnect/device_copies/copy_route.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "probes/core/random.h"

namespace assay::interconnect {

namespace {

constexpr std::size_t chunk_bytes = std::size_t{8} << 20;

/// A number of the direction's name (FNV-1a), alike on every machine.
std::uint64_t stream_of(const std::string& direction) {
    std::uint64_t number = 0xcbf29ce484222325u;
    for (const char letter : direction)
        number = (number ^ static_cast<unsigned char>(letter)) * 0x100000001b3u;
    return number;
}

/// The random bytes of a route in order, some at a time. Equal seeds and names give equal bytes.
class SourceBytes {
  public:
    SourceBytes(std::uint64_t seed, const std::string& direction) : random_(seed, stream_of(direction)) {}

    /// The next `bytes`, a multiple of 8 but for the last call.
    void next(std::byte* to, std::size_t bytes) {
        for (std::size_t at = 0; at < bytes; at += sizeof(std::uint64_t)) {
            const std::uint64_t word = random_.next();
            std::memcpy(to + at, &word, std::min(sizeof word, bytes - at));
        }
    }

  private:
    Random random_;
};

/// What differs, counted, and where it began.
struct Difference {
    std::uint64_t bytes = 0;
    std::size_t first = 0;

    void add(const std::byte* found, const std::byte* expected, std::size_t offset, std::size_t count) {
        if (std::memcmp(found, expected, count) == 0) return;
        for (std::size_t i = 0; i < count; ++i) {
            if (found[i] == expected[i]) continue;
            if (bytes++ == 0) first = offset + i;
        }
    }
};

}  // namespace

CopyRoute::CopyRoute(std::string direction, CopyEnd from, CopyEnd to, std::uint64_t seed)
    : direction_(std::move(direction)),
      from_(std::move(from)),
      to_(std::move(to)),
      seed_(seed),
      queue_((from_.accelerator != nullptr ? from_.accelerator : to_.accelerator)->make_queue()) {
    fill_source();
    poison();
}

void CopyRoute::fill_source() {
    SourceBytes source(seed_, direction_);
    if (from_.accelerator == nullptr) {
        source.next(from_.memory->host_pointer(), bytes());
        return;
    }
    std::vector<std::byte> chunk(std::min(chunk_bytes, bytes()));
    for (std::size_t at = 0; at < bytes(); at += chunk.size()) {
        const std::size_t count = std::min(chunk.size(), bytes() - at);
        source.next(chunk.data(), count);
        from_.accelerator->queue().write(*from_.memory, at, chunk.data(), count);
        from_.accelerator->queue().finish();
    }
}

void CopyRoute::poison() {
    if (to_.accelerator == nullptr) {
        std::memset(to_.memory->host_pointer(), 0xFF, bytes());
        return;
    }
    to_.accelerator->queue().fill(*to_.memory, 0, bytes(), 0xFF);
    to_.accelerator->queue().finish();
}

void CopyRoute::enqueue(std::size_t bytes) {
    if (from_.accelerator == nullptr)
        queue_->write(*to_.memory, 0, from_.memory->host_pointer(), bytes);
    else if (to_.accelerator == nullptr)
        queue_->read(to_.memory->host_pointer(), *from_.memory, 0, bytes);
    else
        queue_->copy(*to_.memory, 0, *from_.memory, 0, bytes);
}

Check CopyRoute::verify(std::size_t bytes) {
    SourceBytes source(seed_, direction_);
    Difference difference;
    std::vector<std::byte> expected(std::min(chunk_bytes, bytes)), found(expected.size());
    for (std::size_t at = 0; at < bytes; at += expected.size()) {
        const std::size_t count = std::min(expected.size(), bytes - at);
        source.next(expected.data(), count);
        const std::byte* arrived = found.data();
        if (to_.accelerator != nullptr) {
            to_.accelerator->queue().read(found.data(), *to_.memory, at, count);
            to_.accelerator->queue().finish();
        } else {
            arrived = to_.memory->host_pointer() + at;
        }
        difference.add(arrived, expected.data(), at, count);
    }
    Check check;
    check.name = fmt::format("{}: {} bytes are the source's", direction_, bytes);
    check.passed = difference.bytes == 0;
    check.error = static_cast<double>(difference.bytes);
    check.detail = check.passed ? "all of them compared with the random bytes, the target poisoned before"
                                : fmt::format("{} of {} bytes differ, the first at byte {}", difference.bytes,
                                              bytes, difference.first);
    return check;
}

}  // namespace assay::interconnect
