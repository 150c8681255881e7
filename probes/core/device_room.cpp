#include "probes/core/device_room.h"

#include <algorithm>

#include <fmt/format.h>

#include "probes/core/bytes_in_words.h"

namespace assay {

DeviceRoom room_of(const Accelerator& accelerator) {
    const std::uint64_t all = accelerator.info().memory_bytes;
    const std::string whole = bytes_in_words(all) + " may be used";
    const std::optional<std::uint64_t> free = accelerator.free_bytes();
    if (!free) return {all, whole};
    return {std::min(all, *free), fmt::format("{} and {} are free now", whole, bytes_in_words(*free))};
}

}  // namespace assay
