#include "kernels/cpu/thread_team.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

#include "kernels/cpu/affinity.h"

namespace assay::kernels {

namespace {

/// How long a thread spins before it sleeps: more than lies between two products of a decoder's layer, far
/// less than a scheduler's slice.
constexpr std::chrono::microseconds spin_time{100};

void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/// Returns when `value` is no longer `old`.
void wait_for_change(const std::atomic<int>& value, int old) {
    const std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::now() + spin_time;
    do {
        for (int round = 0; round < 32; ++round) {
            if (value.load(std::memory_order_acquire) != old) return;
            relax();
        }
    } while (std::chrono::steady_clock::now() < deadline);
    while (value.load(std::memory_order_acquire) == old) value.wait(old, std::memory_order_acquire);
}

/// CPUs that the calling thread had before a team pinned it; a second team, and allowed_cpus(), go by these.
thread_local const std::vector<int>* cpus_before_pinning = nullptr;

std::vector<int> usable_cpus() {
    return cpus_before_pinning != nullptr ? *cpus_before_pinning : cpus_by_core();
}

}  // namespace

struct ThreadTeam::State {
    std::vector<int> cpus;
    CpuSet caller_affinity = CpuSet::of_calling_thread();
    pid_t caller = gettid();
    const std::vector<int>* outer_cpus = cpus_before_pinning;

    // The two words that threads wait on, each on its own line.
    alignas(64) std::atomic<int> generation{0};
    alignas(64) std::atomic<int> remaining{0};
    alignas(64) const std::function<void(int)>* work = nullptr;
    bool stopping = false;
    bool running = false;
    std::vector<std::exception_ptr> failures;
    std::vector<std::thread> threads;

    void call(int member) {
        try {
            (*work)(member);
        } catch (...) {
            failures[static_cast<std::size_t>(member)] = std::current_exception();
        }
    }

    void serve(int member) {
        // A refusal (a cpuset that shrank meanwhile) costs steadiness, not correctness.
        CpuSet::single(cpus[static_cast<std::size_t>(member)]).apply(0);
        cpus_before_pinning = &cpus;
        int seen = 0;
        while (true) {
            wait_for_change(generation, seen);
            // By one, not to the newest: a run is never skipped, since it waits for every member.
            ++seen;
            if (stopping) return;
            call(member);
            if (remaining.fetch_sub(1, std::memory_order_acq_rel) == 1) remaining.notify_one();
        }
    }

    void begin_generation() {
        generation.fetch_add(1, std::memory_order_release);
        generation.notify_all();
    }

    void stop() {
        stopping = true;
        begin_generation();
        for (std::thread& thread : threads) thread.join();
        cpus_before_pinning = outer_cpus;
        caller_affinity.apply(caller);
    }
};

ThreadTeam::ThreadTeam(int threads) : state_(std::make_unique<State>()) {
    state_->cpus = usable_cpus();
    const int allowed = static_cast<int>(state_->cpus.size());
    if (threads < 1 || threads > allowed)
        throw std::invalid_argument("a team of " + std::to_string(threads) + " threads: 1 to " +
                                    std::to_string(allowed) + " are possible here");
    start(threads);
}

ThreadTeam::ThreadTeam(const std::vector<int>& cpus) : state_(std::make_unique<State>()) {
    const std::vector<int> usable = usable_cpus();
    for (const int cpu : cpus)
        if (std::find(usable.begin(), usable.end(), cpu) == usable.end())
            throw std::invalid_argument("a team on CPU " + std::to_string(cpu) + ", which is not allowed");
    if (cpus.empty()) throw std::invalid_argument("a team on no CPU");
    state_->cpus = cpus;
    start(static_cast<int>(cpus.size()));
}

void ThreadTeam::start(int threads) {
    state_->failures.resize(static_cast<std::size_t>(threads));
    try {
        for (int member = 1; member < threads; ++member)
            state_->threads.emplace_back([state = state_.get(), member] { state->serve(member); });
    } catch (...) {
        state_->stop();
        throw;
    }
    cpus_before_pinning = &state_->cpus;
    CpuSet::single(state_->cpus.front()).apply(0);
}

ThreadTeam::~ThreadTeam() {
    state_->stop();
}

int ThreadTeam::size() const {
    return static_cast<int>(state_->failures.size());
}

void ThreadTeam::run(const std::function<void(int)>& work) {
    State& state = *state_;
    if (std::exchange(state.running, true)) throw std::logic_error("ThreadTeam::run inside of itself");
    state.work = &work;
    state.remaining.store(size() - 1, std::memory_order_relaxed);
    if (size() > 1) state.begin_generation();
    state.call(0);
    for (int left = state.remaining.load(std::memory_order_acquire); left != 0;
         left = state.remaining.load(std::memory_order_acquire))
        wait_for_change(state.remaining, left);
    state.running = false;
    std::exception_ptr first;
    for (std::exception_ptr& failure : state.failures) {
        if (failure && !first) first = failure;
        failure = nullptr;
    }
    if (first) std::rethrow_exception(first);
}

ItemRange member_range(std::size_t items, std::size_t multiple, int member, int members) {
    const std::size_t units = (items + multiple - 1) / multiple;
    const auto boundary = [&](int index) {
        return std::min(
            items, units * static_cast<std::size_t>(index) / static_cast<std::size_t>(members) * multiple);
    };
    return {boundary(member), boundary(member + 1)};
}

int allowed_cpus() {
    return static_cast<int>(usable_cpus().size());
}

int allowed_cores() {
    return cores_among(usable_cpus());
}

}  // namespace assay::kernels
