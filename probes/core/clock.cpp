#include "probes/core/clock.h"

#include <cerrno>
#include <ctime>

namespace assay {

Nanoseconds SteadyClock::now() {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return std::chrono::seconds(time.tv_sec) + Nanoseconds(time.tv_nsec);
}

void SteadyClock::sleep_until(Nanoseconds when) {
    const std::chrono::seconds whole = std::chrono::floor<std::chrono::seconds>(when);
    timespec time{};
    time.tv_sec = static_cast<time_t>(whole.count());
    time.tv_nsec = static_cast<long>((when - whole).count());
    while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr) == EINTR) {
    }
}

}  // namespace assay
