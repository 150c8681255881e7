#include "probes/storage/load/load.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "probes/storage/load/job.h"

namespace assay::storage {

struct Load::Shared {
    LoadOptions options;
    JobSignals signals;
    std::vector<std::unique_ptr<Job>> jobs;
    SteadyClock clock;
    std::int64_t begin_ns = 0;  ///< of the running slice
};

Histogram LoadSlice::latency() const {
    Histogram all = read_latency;
    all.merge(write_latency);
    return all;
}

void Verification::add(const Verification& other) {
    operations += other.operations;
    read_bytes += other.read_bytes;
    written_bytes += other.written_bytes;
    verified += other.verified;
    wrong += other.wrong;
    if (first_wrong_offset || !other.first_wrong_offset) return;
    first_wrong_offset = other.first_wrong_offset;
    first_wrong_target = other.first_wrong_target;
}

std::vector<std::vector<int>> pinned_cpus(const LoadOptions& options) {
    std::vector<std::vector<int>> pinned(options.targets.size());
    std::set<int> taken;
    for (int number = 0; number < options.jobs; ++number) {
        for (std::size_t target = 0; target < pinned.size(); ++target) {
            const std::vector<int>& cpus = options.targets[target].cpus;
            const std::vector<int>::const_iterator nearest =
                std::find_if(cpus.begin(), cpus.end(), [&](int cpu) { return !taken.contains(cpu); });
            if (nearest == cpus.end()) return {};
            taken.insert(*nearest);
            pinned[target].push_back(*nearest);
        }
    }
    return pinned;
}

Load::Load(const LoadOptions& options) : shared_(std::make_unique<Shared>()) {
    shared_->options = options;
    const std::vector<std::vector<int>> pinned = pinned_cpus(options);
    for (std::size_t target = 0; target < options.targets.size(); ++target) {
        for (int number = 0; number < options.jobs; ++number) {
            const int cpu = pinned.empty() ? -1 : pinned[target][static_cast<std::size_t>(number)];
            shared_->jobs.push_back(
                std::make_unique<Job>(shared_->signals, shared_->options, target, number, cpu));
        }
    }
    // All that can fail is done before the first of them runs.
    try {
        shared_->begin_ns = shared_->clock.now().count();
        for (const std::unique_ptr<Job>& job : shared_->jobs) job->start();
    } catch (...) {
        end();
        throw;
    }
}

Load::~Load() {
    end();
}

void Load::end() {
    shared_->signals.stop.store(true, std::memory_order_relaxed);
    for (const std::unique_ptr<Job>& job : shared_->jobs) job->join();
}

void Load::rethrow() const {
    for (const std::unique_ptr<Job>& job : shared_->jobs) {
        if (job->ended.load(std::memory_order_acquire) && job->error) std::rethrow_exception(job->error);
    }
}

LoadSlice Load::next_slice() {
    const std::uint64_t finished = shared_->signals.slice.load(std::memory_order_relaxed);
    const std::int64_t boundary = shared_->clock.now().count();
    shared_->signals.boundary_ns.store(boundary, std::memory_order_relaxed);
    shared_->signals.slice.store(finished + 1, std::memory_order_release);
    LoadSlice sum;
    sum.seconds = static_cast<double>(std::max<std::int64_t>(1, boundary - shared_->begin_ns)) * 1e-9;
    shared_->begin_ns = boundary;
    if (shared_->options.targets.size() > 1) sum.target_rates.resize(shared_->options.targets.size(), 0);
    for (const std::unique_ptr<Job>& job : shared_->jobs) {
        // A job sees the new number when its next request comes back.
        while (job->seen_slice.load(std::memory_order_acquire) != finished + 1) {
            if (job->ended.load(std::memory_order_acquire)) {
                rethrow();
                throw std::logic_error("a job of the load ended by itself");
            }
            std::this_thread::sleep_for(std::chrono::microseconds(20));
        }
        Book& book = job->books[finished % 2];
        const double rate = book.operations / sum.seconds;
        sum.operations += book.read_latency.count() + book.write_latency.count();
        sum.rate += rate;
        if (!sum.target_rates.empty()) sum.target_rates[job->target_number] += rate;
        sum.in_flight += book.in_flight_ns * 1e-9 / sum.seconds;
        sum.in_flight_seconds += book.in_flight_ns * 1e-9;
        sum.carried_seconds += static_cast<double>(book.end_age_ns - book.begin_age_ns) * 1e-9;
        sum.read_latency.merge(book.read_latency);
        sum.write_latency.merge(book.write_latency);
        sum.submission.merge(book.submission);
        sum.completion.merge(book.completion);
        book.clear();
    }
    return sum;
}

Verification Load::stop() {
    end();
    rethrow();
    Verification sum;
    for (const std::unique_ptr<Job>& job : shared_->jobs) {
        if (shared_->options.writes()) job->verify_written();
        sum.add(job->total);
    }
    return sum;
}

std::vector<std::string> Load::united(std::vector<std::string> Job::*texts) const {
    std::vector<std::string> order;
    std::map<std::string, std::vector<const Job*>> owners;
    for (const std::unique_ptr<Job>& job : shared_->jobs) {
        for (const std::string& text : (*job).*texts) {
            std::vector<const Job*>& known = owners[text];
            if (known.empty()) order.push_back(text);
            known.push_back(job.get());
        }
    }
    const std::vector<LoadTarget>& targets = shared_->options.targets;
    for (std::string& text : order) {
        const std::vector<const Job*>& having = owners[text];
        if (having.size() == shared_->jobs.size()) continue;
        std::set<std::string> places;
        for (const Job* const job : having) places.insert(targets[job->target_number].name);
        text += fmt::format(" ({} of {} jobs", having.size(), shared_->jobs.size());
        text += targets.size() > 1 ? fmt::format(", on {})", fmt::join(places, " and ")) : ")";
    }
    return order;
}

std::vector<std::string> Load::engine_flags() const {
    return united(&Job::engine_flags);
}

std::vector<std::string> Load::engine_refused() const {
    return united(&Job::engine_refused);
}

}  // namespace assay::storage
