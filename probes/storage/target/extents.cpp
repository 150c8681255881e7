#include "probes/storage/target/extents.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <system_error>

#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include <fmt/format.h>

namespace assay::storage {

Extents read_extents(const os::FileDescriptor& file, std::uint64_t bytes) {
    constexpr std::size_t batch = 256;
    alignas(fiemap) std::array<std::byte, sizeof(fiemap) + batch * sizeof(fiemap_extent)> buffer{};
    Extents extents;
    std::uint64_t position = 0;
    while (position < bytes) {
        std::fill_n(buffer.begin(), sizeof(fiemap), std::byte{});
        fiemap* const map = reinterpret_cast<fiemap*>(buffer.data());
        map->fm_start = position;
        map->fm_length = bytes - position;
        map->fm_flags = FIEMAP_FLAG_SYNC;
        map->fm_extent_count = batch;
        if (::ioctl(file.get(), FS_IOC_FIEMAP, buffer.data()) != 0) {
            if (errno == ENOTTY || errno == EOPNOTSUPP || errno == EINVAL || errno == EBADR) {
                extents.known = false;
                return extents;
            }
            throw std::system_error(errno, std::generic_category(), "ioctl FS_IOC_FIEMAP");
        }
        if (map->fm_mapped_extents == 0) break;
        bool last = false;
        for (std::size_t i = 0; i < map->fm_mapped_extents; ++i) {
            fiemap_extent extent{};
            std::memcpy(&extent, buffer.data() + sizeof(fiemap) + i * sizeof extent, sizeof extent);
            const std::uint64_t begin = std::clamp<std::uint64_t>(extent.fe_logical, position, bytes);
            const std::uint64_t end =
                std::clamp<std::uint64_t>(extent.fe_logical + extent.fe_length, begin, bytes);
            extents.hole_bytes += begin - position;
            ++extents.count;
            // Delayed allocation and data of unknown place are not on the device yet.
            if ((extent.fe_flags &
                 (FIEMAP_EXTENT_UNWRITTEN | FIEMAP_EXTENT_DELALLOC | FIEMAP_EXTENT_UNKNOWN)) != 0) {
                extents.unwritten_bytes += end - begin;
            } else {
                extents.written_bytes += end - begin;
            }
            if ((extent.fe_flags & FIEMAP_EXTENT_ENCODED) != 0) extents.encoded_bytes += end - begin;
            position = end;
            last = (extent.fe_flags & FIEMAP_EXTENT_LAST) != 0;
        }
        if (last) break;
    }
    extents.hole_bytes += bytes - position;
    return extents;
}

std::string describe(const Extents& extents) {
    if (!extents.known) return "the file system does not tell where its blocks lie";
    return fmt::format("{} extents, {} bytes written, {} bytes unwritten, {} bytes of holes", extents.count,
                       extents.written_bytes, extents.unwritten_bytes, extents.hole_bytes);
}

}  // namespace assay::storage
