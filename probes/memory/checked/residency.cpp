#include "probes/memory/checked/residency.h"

#include <algorithm>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "probes/core/os/file_descriptor.h"
#include "probes/core/os/sysfs.h"
#include "probes/core/os/text.h"

namespace assay {

namespace {

std::size_t page_size() {
    return static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

std::optional<std::uint64_t> resident_bytes(const void* begin, std::size_t bytes) {
    const std::size_t page = page_size();
    // A byte a page is answered; asked in parts, so that the answers take little memory.
    constexpr std::size_t pages_at_once = 65536;
    std::vector<unsigned char> answers(pages_at_once);
    std::uint64_t resident = 0;
    const std::uintptr_t first = reinterpret_cast<std::uintptr_t>(begin) / page * page;
    const std::uintptr_t end = reinterpret_cast<std::uintptr_t>(begin) + bytes;
    for (std::uintptr_t at = first; at < end; at += pages_at_once * page) {
        const std::size_t part = std::min<std::size_t>(end - at, pages_at_once * page);
        if (mincore(reinterpret_cast<void*>(at), part, answers.data()) != 0) return std::nullopt;
        const std::ptrdiff_t pages = static_cast<std::ptrdiff_t>((part + page - 1) / page);
        resident += page * static_cast<std::uint64_t>(
                               std::count_if(answers.begin(), answers.begin() + pages,
                                             [](unsigned char answer) { return (answer & 1) != 0; }));
    }
    return std::min<std::uint64_t>(resident, bytes);
}

bool lock_in_memory(const void* begin, std::size_t bytes) {
    return mlock(begin, bytes) == 0;
}

std::optional<std::uint64_t> physical_address(const void* address) {
    const os::FileDescriptor pagemap(::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
    if (!pagemap) return std::nullopt;
    const std::uintptr_t where = reinterpret_cast<std::uintptr_t>(address);
    std::uint64_t entry = 0;
    const off_t offset = static_cast<off_t>(where / page_size() * sizeof entry);
    if (::pread(pagemap.get(), &entry, sizeof entry, offset) != sizeof entry) return std::nullopt;
    constexpr std::uint64_t present = std::uint64_t{1} << 63;
    const std::uint64_t frame = entry & ((std::uint64_t{1} << 55) - 1);
    // Without the right to know, the frame reads as zero.
    if ((entry & present) == 0 || frame == 0) return std::nullopt;
    return frame * page_size() + where % page_size();
}

std::optional<std::uint64_t> swapped_bytes() {
    // "VmSwap:\t       0 kB"
    std::string status = os::read_text("/proc/self/status").value_or("");
    std::replace(status.begin(), status.end(), '\t', ' ');
    const std::optional<std::uint64_t> kibibytes = os::value_of(status, "VmSwap:");
    if (!kibibytes) return std::nullopt;
    return *kibibytes * 1024;
}

}  // namespace assay
