#include "probes/interconnect/device_copies/copy_timing.h"

#include <algorithm>
#include <barrier>
#include <exception>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace assay::interconnect {

namespace {

/// Above this share of the span in which only one direction can have run, they did not run side by side.
constexpr double most_alone = 0.1;

/// The marks of a direction's copies in a queue that is held back.
class MarkedCopies {
  public:
    explicit MarkedCopies(CopyRoute& route)
        : route_(route), gate_(route.queue().hold()), begin_(route.queue().mark()) {}

    void add() {
        route_.enqueue(route_.bytes());
        ends_.push_back(route_.queue().mark());
    }
    void open() { gate_->open(); }
    void finish() { route_.queue().finish(); }
    std::vector<double> seconds() const {
        std::vector<double> seconds;
        for (const std::unique_ptr<Mark>& end : ends_)
            seconds.push_back(route_.queue().seconds_between(*begin_, *end));
        return seconds;
    }

  private:
    CopyRoute& route_;
    std::unique_ptr<Gate> gate_;  ///< opens when something is thrown before
    std::unique_ptr<Mark> begin_;
    std::vector<std::unique_ptr<Mark>> ends_;
};

/// Bytes done at `seconds`.
double bytes_until(const CopyEnds& ends, double seconds) {
    double begin = 0, done = 0;
    for (const double end : ends.at) {
        if (end > seconds) return done + ends.bytes * (seconds - begin) / (end - begin);
        begin = end;
        done += ends.bytes;
    }
    return done;
}

/// The rate by the devices' clocks, `span` being the host's seconds from the start of both to the end of
/// both.
BothWays judged(const CopyEnds& one, const CopyEnds& other, double span) {
    const double longest = std::max(one.at.back(), other.at.back());
    const double bytes =
        one.bytes * static_cast<double>(one.at.size()) + other.bytes * static_cast<double>(other.at.size());
    // Each direction's time begins with its own first copy: that these began together is seen from the span.
    if (span > 0 && (span - longest > most_alone * span || longest <= 0)) return {bytes / span, false};
    return {common_rate(one, other), true};
}

BothWays both_held(CopyRoute& there, CopyRoute& back, int copies, Clock& clock,
                   const std::function<void()>& while_copying) {
    MarkedCopies one(there), other(back);
    for (int i = 0; i < copies; ++i) {
        one.add();
        other.add();
    }
    const Nanoseconds begin = clock.now();
    one.open();
    other.open();
    if (while_copying) while_copying();
    one.finish();
    other.finish();
    const double span = seconds_of(clock.now() - begin);
    const std::vector<double> ends = one.seconds(), other_ends = other.seconds();
    return judged({ends, static_cast<double>(there.bytes())}, {other_ends, static_cast<double>(back.bytes())},
                  span);
}

BothWays both_by_host(CopyRoute& there, CopyRoute& back, int copies, Clock& clock) {
    Nanoseconds begin{};
    std::barrier start(2, [&]() noexcept { begin = clock.now(); });
    std::vector<double> ends[2];
    std::exception_ptr thrown[2];
    const auto work = [&](int index, CopyRoute& route) {
        start.arrive_and_wait();
        try {
            for (int i = 0; i < copies; ++i) {
                route.enqueue(route.bytes());
                route.queue().finish();
                ends[index].push_back(seconds_of(clock.now() - begin));
            }
        } catch (...) {
            thrown[index] = std::current_exception();
        }
    };
    {
        std::jthread second(work, 1, std::ref(back));
        work(0, there);
    }
    for (const std::exception_ptr& exception : thrown)
        if (exception) std::rethrow_exception(exception);
    return {common_rate({ends[0], static_cast<double>(there.bytes())},
                        {ends[1], static_cast<double>(back.bytes())}),
            true};
}

}  // namespace

double seconds_one_way(CopyRoute& route, int copies, CopyMethod method, Clock& clock,
                       const std::function<void()>& while_copying) {
    if (method == CopyMethod::by_host) {
        const Nanoseconds begin = clock.now();
        for (int i = 0; i < copies; ++i) route.enqueue(route.bytes());
        route.queue().finish();
        return seconds_of(clock.now() - begin);
    }
    Queue& queue = route.queue();
    const std::unique_ptr<Gate> gate = queue.hold();
    const std::unique_ptr<Mark> begin = queue.mark();
    for (int i = 0; i < copies; ++i) route.enqueue(route.bytes());
    const std::unique_ptr<Mark> end = queue.mark();
    gate->open();
    if (while_copying) while_copying();
    queue.finish();
    return queue.seconds_between(*begin, *end);
}

BothWays both_ways(CopyRoute& there, CopyRoute& back, int copies, CopyMethod method, Clock& clock,
                   const std::function<void()>& while_copying) {
    return method == CopyMethod::held ? both_held(there, back, copies, clock, while_copying)
                                      : both_by_host(there, back, copies, clock);
}

double common_rate(const CopyEnds& one, const CopyEnds& other) {
    if (one.at.empty() || other.at.empty()) return 0;
    const double common = std::min(one.at.back(), other.at.back());
    if (common <= 0) return 0;
    return (bytes_until(one, common) + bytes_until(other, common)) / common;
}

}  // namespace assay::interconnect
