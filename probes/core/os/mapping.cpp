#include "probes/core/os/mapping.h"

#include <cerrno>
#include <system_error>

#include <sys/mman.h>

namespace assay::os {

Mapping Mapping::anonymous(std::size_t bytes) {
    void* const data =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (data == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap of memory");
    return {data, bytes};
}

Mapping Mapping::of_file(const FileDescriptor& file, std::uint64_t bytes) {
    void* const data = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file.get(), 0);
    if (data == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap of a file");
    return {data, static_cast<std::size_t>(bytes)};
}

void Mapping::reset() {
    if (data_ != nullptr) ::munmap(std::exchange(data_, nullptr), std::exchange(bytes_, 0));
}

}  // namespace assay::os
