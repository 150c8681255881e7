#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernels/device/device.h"
#include "probes/core/clock.h"
#include "probes/core/probe.h"
#include "probes/core/sampling.h"

namespace assay::doubles {

/// Every look at it takes a `step`; sleeping takes no time of ours.
class SteppingClock final : public Clock {
  public:
    explicit SteppingClock(Nanoseconds step = std::chrono::milliseconds(1)) : step_(step) {}
    Nanoseconds now() override { return now_ += step_; }
    void sleep_until(Nanoseconds when) override { now_ = std::max(now_, when); }

  private:
    Nanoseconds step_;
    Nanoseconds now_{0};
};

inline SampleSet few_samples(const SamplingPolicy&, const std::function<double()>& take) {
    SampleSet set;
    for (int i = 0; i < 5; ++i) {
        set.values.push_back(take());
        set.at.push_back(i);
    }
    return set;
}

/// The machine's CPUs, whose system gives no huge pages.
class WithoutHugePages final : public Device {
  public:
    const DeviceInfo& info() const override { return device_->info(); }
    std::unique_ptr<DeviceMemory> allocate(std::size_t bytes, bool) override {
        return device_->allocate(bytes, false);
    }

  private:
    std::unique_ptr<Device> device_ = std::get<std::unique_ptr<Device>>(open_device("cpu:0"));
};

/// What becomes of the case in a child whose `ulimit -v` leaves it so many bytes: the outcome's status and
/// reason.
inline std::pair<Status, std::string> run_with_bytes_left(std::uint64_t left, const Probe& probe,
                                                          const Case& the_case, const Context& context) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("pipe");
    const pid_t child = ::fork();
    if (child == 0) {
        // What the child itself needs, it has before the limit comes.
        ::mallopt(M_TRIM_THRESHOLD, 64 << 20);
        ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
        void* volatile heap = std::malloc(std::size_t{16} << 20);
        std::free(heap);
        volatile char stack[std::size_t{512} << 10];
        for (std::size_t at = 0; at < sizeof stack; at += 4096) stack[at] = 1;
        std::uint64_t pages = 0;
        std::ifstream("/proc/self/statm") >> pages;
        const rlim_t all = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + left;
        const rlimit limit{all, all};
        if (::setrlimit(RLIMIT_AS, &limit) != 0) ::_exit(1);
        Context own = context;
        const Outcome outcome = execute(probe, the_case, own);
        const std::string text = static_cast<char>('0' + static_cast<int>(outcome.status)) + outcome.reason;
        ::_exit(::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1);
    }
    ::close(ends[1]);
    std::string text;
    char piece[4096];
    for (ssize_t got; (got = ::read(ends[0], piece, sizeof piece)) > 0;)
        text.append(piece, static_cast<std::size_t>(got));
    ::close(ends[0]);
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child || status != 0 || text.empty())
        return {Status::crashed, "the child ended with " + std::to_string(status)};
    return {static_cast<Status>(text[0] - '0'), text.substr(1)};
}

}  // namespace assay::doubles
