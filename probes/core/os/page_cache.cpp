#include "probes/core/os/page_cache.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probes/core/os/mapping.h"

namespace assay::os {

void drop_page_cache(const FileDescriptor& file) {
    if (::fdatasync(file.get()) != 0) throw std::system_error(errno, std::generic_category(), "fdatasync");
    const int reason = ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
    if (reason != 0) throw std::system_error(reason, std::generic_category(), "posix_fadvise");
}

double resident_share(const FileDescriptor& file) {
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) throw std::system_error(errno, std::generic_category(), "fstat");
    if (status.st_size == 0) return 0;
    const Mapping mapping = Mapping::of_file(file, static_cast<std::uint64_t>(status.st_size));
    const std::size_t page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    std::vector<unsigned char> pages((mapping.bytes() + page - 1) / page);
    if (::mincore(mapping.data(), mapping.bytes(), pages.data()) != 0) {
        throw std::system_error(errno, std::generic_category(), "mincore");
    }
    const std::ptrdiff_t resident =
        std::count_if(pages.begin(), pages.end(), [](unsigned char bits) { return (bits & 1) != 0; });
    return static_cast<double>(resident) / static_cast<double>(pages.size());
}

namespace {

/// What mincore() asks for before it tells the truth. A right that goes beyond these (CAP_FOWNER) shows
/// in its answers.
bool owns_or_may_write(const FileDescriptor& file) {
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) throw std::system_error(errno, std::generic_category(), "fstat");
    return status.st_uid == ::geteuid() || ::faccessat(file.get(), "", W_OK, AT_EACCESS | AT_EMPTY_PATH) == 0;
}

}  // namespace

std::optional<double> make_cold(const FileDescriptor& file) {
    constexpr std::chrono::milliseconds pause{10};
    constexpr int most_rounds = 100;
    // What is still on its way counts neither as resident nor can it be forgotten: it has to stay away.
    constexpr int enough = 5;
    int cold_in_a_row = 0;
    for (int round = 1;; ++round) {
        drop_page_cache(file);
        const double stayed = resident_share(file);
        cold_in_a_row = stayed == 0 ? cold_in_a_row + 1 : 0;
        if (cold_in_a_row == enough || round == most_rounds) return stayed;
        // Of a file that really stays as a whole, another process has every page locked or mapped.
        if (stayed == 1 && round == enough && !owns_or_may_write(file)) return std::nullopt;
        std::this_thread::sleep_for(pause);
    }
}

}  // namespace assay::os
