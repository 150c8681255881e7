#include "suites/cli/interrupt.h"

#include <cstddef>
#include <iterator>

namespace assay::cli {
namespace {

constexpr int signals[] = {SIGINT, SIGTERM, SIGHUP};

std::atomic<bool> interrupted = false;
static_assert(std::atomic<bool>::is_always_lock_free, "set from a signal handler");

void set_interrupted(int) {
    interrupted = true;
}

}  // namespace

InterruptFlag::InterruptFlag() {
    interrupted = false;
    struct sigaction action {};
    action.sa_handler = set_interrupted;
    for (std::size_t i = 0; i < std::size(signals); ++i) {
        ::sigaction(signals[i], nullptr, &before_[i]);
        // A signal that the caller has this process ignore (nohup) stays ignored.
        if (before_[i].sa_handler != SIG_IGN) ::sigaction(signals[i], &action, nullptr);
    }
}

InterruptFlag::~InterruptFlag() {
    for (std::size_t i = 0; i < std::size(signals); ++i) ::sigaction(signals[i], &before_[i], nullptr);
}

const std::atomic<bool>& InterruptFlag::flag() const {
    return interrupted;
}

}  // namespace assay::cli
