#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace assay::os {

/// How a child ended.
struct ChildExit {
    bool timed_out = false;    ///< killed by us at the limit
    bool interrupted = false;  ///< killed by us because `should_stop` said so
    int exit_code = -1;        ///< -1 when a signal ended it
    int signal = 0;
    bool out_of_memory =
        false;           ///< the kernel's OOM killer ended it (cgroup's or system's oom_kill counter rose)
    std::string output;  ///< its standard output
    bool output_truncated = false;
    std::chrono::duration<double> user_time{}, system_time{}, elapsed{};
    std::uint64_t peak_memory_bytes = 0;
};

struct ChildOptions {
    std::chrono::duration<double> time_limit{60};
    std::size_t output_limit = 256u << 20;  ///< more than this is cut and said
    std::vector<int> inherited = {};        ///< descriptors that the child keeps, under the same numbers
    /// Each line of its standard error as it comes.
    std::function<void(std::string_view line)> on_error_line = {};
    std::function<bool()> should_stop = {};  ///< asked several times a second
};

/// Runs a program to its end, in its own process group, which is killed whole at the time limit. The child
/// dies with its parent, even one killed by SIGKILL. Throws std::system_error when it cannot be started.
ChildExit run_child(const std::vector<std::string>& arguments, const ChildOptions& options);

}  // namespace assay::os
