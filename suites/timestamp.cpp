#include "suites/timestamp.h"

#include <ctime>

#include <fmt/format.h>

namespace assay {
namespace {

struct Moment {
    std::tm parts{};
    long milliseconds = 0;
};

Moment now() {
    timespec time{};
    ::clock_gettime(CLOCK_REALTIME, &time);
    Moment moment;
    ::gmtime_r(&time.tv_sec, &moment.parts);
    moment.milliseconds = time.tv_nsec / 1'000'000;
    return moment;
}

}  // namespace

std::string utc_now() {
    const Moment moment = now();
    const std::tm& at = moment.parts;
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", at.tm_year + 1900, at.tm_mon + 1,
                       at.tm_mday, at.tm_hour, at.tm_min, at.tm_sec, moment.milliseconds);
}

std::string utc_for_names() {
    const Moment moment = now();
    const std::tm& at = moment.parts;
    return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", at.tm_year + 1900, at.tm_mon + 1, at.tm_mday,
                       at.tm_hour, at.tm_min, at.tm_sec);
}

}  // namespace assay
