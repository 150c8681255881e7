#include "probes/interconnect/device_copies/copy_pair.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "probes/interconnect/device_copies/copy_plan.h"
#include "probes/interconnect/device_copies/small_copies.h"
#include "probes/interconnect/interconnect.h"

namespace assay::interconnect {

namespace {

constexpr int warm_up_copies = 4;
constexpr double sample_seconds = 0.02;
constexpr int most_copies = 64;
constexpr std::size_t small_bytes[] = {4, 4096};

/// Faster than its limit by more than this is no error of measurement.
constexpr double tolerance = 1.02;

}  // namespace

CopyPair::CopyPair(const Case& the_case, Context& context, Accelerator& device, Accelerator* other,
                   NearCard& near, LinkRecord& links, Outcome& outcome)
    : context_(context),
      device_(device),
      other_(other),
      near_(near),
      links_(links),
      outcome_(outcome),
      probe_(interconnect_transfer_probe()),
      pinned_(the_case.text("memory") != "pageable"),
      label_(other == nullptr ? "host" : other->info().id),
      facts_(find_accelerator(context.accelerator_facts, device.info())) {
    if (other_ != nullptr) {
        // Each direction is pushed by its sender.
        const bool there = device_.reach(*other_);
        const bool back = other_->reach(device_);
        reached_ = there && back;
    }
    // What blocks until it is done must not stand behind a gate: see CopyMethod.
    method_ = (other_ == nullptr ? pinned_ : reached_) ? CopyMethod::held : CopyMethod::by_host;
}

void CopyPair::measure(const std::string& direction, std::size_t bytes, const SamplingPolicy& policy) {
    if (direction == "both")
        measure_both(bytes, policy);
    else
        measure_one_way(direction, bytes, policy);
}

std::unique_ptr<DeviceMemory> CopyPair::host_memory(std::size_t bytes) {
    std::unique_ptr<DeviceMemory> memory = device_.allocate_host(bytes, pinned_);
    if (!pinned_) near_.bind(*memory);
    return memory;
}

CopyRoute CopyPair::route(const std::string& direction, std::size_t bytes) {
    CopyEnd own{&device_, device_.allocate(bytes, false)};
    CopyEnd far{other_, other_ != nullptr ? other_->allocate(bytes, false) : host_memory(bytes)};
    DeviceMemory& far_memory = *far.memory;
    const bool away = direction == "to_host" || direction == "device_to_device";
    CopyRoute route = away ? CopyRoute(direction, std::move(own), std::move(far), context_.seed)
                           : CopyRoute(direction, std::move(far), std::move(own), context_.seed);
    if (other_ == nullptr) near_.look_at(far_memory);
    return route;
}

void CopyPair::read_links() {
    if (other_ == nullptr && device_.is_card()) links_.read();
}

/// Warms the route up and says how many copies make a sample long enough.
int CopyPair::copies_of(CopyRoute& route, int at_least) {
    double seconds = 0;
    for (int i = 0; i < warm_up_copies; ++i)
        seconds = seconds_one_way(route, 1, CopyMethod::by_host, context_.clock, {});
    // What a gate needs is made with the first: while one queue is held, allocating for another may block.
    if (method_ == CopyMethod::held) seconds_one_way(route, 1, method_, context_.clock, {});
    // Copies that block are over when the host could look: right after one the link is still awake.
    read_links();
    const double wanted = seconds > 0 ? std::ceil(sample_seconds / seconds) : most_copies;
    return static_cast<int>(std::clamp<double>(wanted, at_least, most_copies));
}

void CopyPair::measure_one_way(const std::string& direction, std::size_t bytes,
                               const SamplingPolicy& policy) {
    CopyRoute route = this->route(direction, bytes);
    for (const std::size_t small : small_bytes) add_latency(route, small);
    const int copies = copies_of(route, 1);
    const auto take = [&] {
        const double seconds =
            seconds_one_way(route, copies, method_, context_.clock, [this] { read_links(); });
        if (seconds <= 0)
            throw DeviceError(fmt::format("the clock of {} tells no time of {} copies of {} bytes",
                                          device_.info().id, copies, bytes));
        return static_cast<double>(bytes) * copies / seconds;
    };
    const SampleSet set = context_.sample(policy, take);
    // The target is poisoned again: what arrives now shows that a sample copies.
    route.poison();
    take();
    outcome_.checks.push_back(route.verify(bytes));
    add_bandwidth(direction, set, copies);
}

void CopyPair::measure_both(std::size_t bytes, const SamplingPolicy& policy) {
    const bool with_host = other_ == nullptr;
    CopyRoute there = route(with_host ? "to_device" : "device_to_device", bytes);
    CopyRoute back = route(with_host ? "to_host" : "back", bytes);
    const int copies = std::max(copies_of(there, 2), copies_of(back, 2));
    const auto take = [&] {
        const BothWays both =
            both_ways(there, back, copies, method_, context_.clock, [this] { read_links(); });
        ++both_samples_;
        if (!both.side_by_side) ++apart_;
        return both.bytes_per_second;
    };
    const SampleSet set = context_.sample(policy, take);
    there.poison();
    back.poison();
    take();
    for (CopyRoute* route : {&there, &back}) {
        Check check = route->verify(bytes);
        check.name = "both ways, " + check.name;
        outcome_.checks.push_back(std::move(check));
    }
    add_bandwidth("both", set, copies);
}

void CopyPair::add_bandwidth(const std::string& direction, const SampleSet& set, int copies) {
    bandwidths_.push_back(outcome_.metrics.size());
    outcome_.metrics.push_back(make_metric(probe_.metric("interconnect.transfer.bandwidth"), set,
                                           Statistic::median, axes(direction)));
    fastest_way_ = std::max(fastest_way_, outcome_.metrics.back().value / ways(direction));
    outcome_.resolved["copies_" + direction] = std::to_string(copies);
}

void CopyPair::add_latency(CopyRoute& route, std::size_t bytes) {
    if (bytes > route.bytes()) return;
    SmallCopies small = time_small_copies(route, bytes, Seconds(context_.quick ? 0.1 : 0.3), context_.clock);
    Labels labels = axes(route.direction());
    labels["copy_bytes"] = std::to_string(bytes);
    outcome_.metrics.push_back(make_latency_metric(probe_.metric("interconnect.transfer.latency"),
                                                   small.slices, small.ends, Statistic::p50, labels));
    outcome_.checks.push_back(std::move(small.check));
}

void CopyPair::add_limits() {
    std::optional<Limit> limit;
    if (other_ == nullptr && device_.is_card()) limit = link_limit(links_, facts_, fastest_way_ / tolerance);
    if (other_ != nullptr && reached_) limit = peer_limit(facts_);
    for (const std::size_t index : bandwidths_) {
        Metric& metric = outcome_.metrics[index];
        metric.limit = metric.labels.at("direction") == "both" ? of_both(limit) : limit;
    }
    if (other_ == nullptr && links_.known() && !limit)
        outcome_.notes.push_back(
            "Copies were faster than the PCIe link can be: they do not go over it, and it is no limit.");
}

void CopyPair::finish() {
    add_limits();
    if (other_ != nullptr) {
        outcome_.resolved["peer_access_" + label_] = reached_ ? "yes" : "no";
        outcome_.notes.push_back(
            reached_
                ? fmt::format("{} and {} reach each other's memory (peer access).", device_.info().id, label_)
                : fmt::format("{} and {} do not reach each other's memory: these copies go by the host.",
                              device_.info().id, label_));
    }
    outcome_.notes.push_back(
        method_ == CopyMethod::held
            ? "Bandwidth: the queue is held back while the copies of a sample are queued, then let go; the "
              "device's clock between marks before and after them, so that no call of the host is in it."
            : "Bandwidth: the host's clock from the first call until all copies of a sample are done; such "
              "copies return when they are done, so that no queue can be held back meanwhile.");
    if (both_samples_ == 0) return;
    outcome_.notes.push_back(
        "Both ways: two queues begin together, and the bytes of both count until the first is through.");
    if (apart_ > 0)
        outcome_.notes.push_back(
            fmt::format("In {} of {} samples both ways the copies did not run side by side: all their bytes "
                        "over the whole time count.",
                        apart_, both_samples_));
}

}  // namespace assay::interconnect
