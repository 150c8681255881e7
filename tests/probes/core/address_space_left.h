#pragma once

#include <cstdint>
#include <fstream>

#include <sys/resource.h>
#include <unistd.h>

namespace assay {

/// Leaves this process so much more address space than it has, as `ulimit -v` does, until the end of the
/// block.
class AddressSpaceLeft {
  public:
    explicit AddressSpaceLeft(std::uint64_t bytes) {
        getrlimit(RLIMIT_AS, &before_);
        std::uint64_t pages = 0;
        std::ifstream("/proc/self/statm") >> pages;
        rlimit limit = before_;
        limit.rlim_cur =
            static_cast<rlim_t>(pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) + bytes);
        if (limit.rlim_cur < limit.rlim_max) setrlimit(RLIMIT_AS, &limit);
    }
    ~AddressSpaceLeft() { setrlimit(RLIMIT_AS, &before_); }
    AddressSpaceLeft(const AddressSpaceLeft&) = delete;
    AddressSpaceLeft& operator=(const AddressSpaceLeft&) = delete;

  private:
    rlimit before_{};
};

}  // namespace assay
