#include "tests/fake_cuda/blocks.h"

#include <array>
#include <deque>
#include <memory>
#include <vector>

#include "tests/fake_cuda/fiber.h"

namespace assay::simt {

thread_local Place* place = nullptr;

namespace {

struct Thread {
    Place place;
    unsigned number = 0;
    Fiber* fiber = nullptr;
    bool ended = false;
};

/// Lanes of one warp that meet under one mask.
struct Meeting {
    std::uint32_t mask = 0, arrived = 0;
    unsigned round = 0;  ///< what was given in the last one is still there while the next begins
    std::array<std::array<std::uint64_t, 32>, 2> given{};
    std::array<std::uint32_t, 2> gave{};
    std::vector<Thread*> waiting;
};

struct Warp {
    std::uint32_t alive = 0;
    std::deque<Meeting> meetings;
};

class Runner;
thread_local Runner* running = nullptr;
thread_local Thread* current = nullptr;

/// One block at a time; its fibers serve all blocks.
class Runner {
  public:
    explicit Runner(const std::function<void()>& kernel) : kernel_(kernel) {}

    bool run(const dim3& grid, const dim3& size, const uint3& block) {
        const unsigned count = size.x * size.y * size.z;
        threads_.assign(count, Thread());
        warps_.assign((count + 31) / 32, Warp());
        for (unsigned i = 0; i < count; ++i) {
            const uint3 index = {i % size.x, i / size.x % size.y, i / (size.x * size.y)};
            threads_[i].place = {index, block, size, grid};
            threads_[i].number = i;
            warps_[i / 32].alive |= 1u << (i % 32);
        }
        not_begun_ = 0;
        ended_ = 0;
        at_barrier_.clear();
        // Threads that can go on come first; each new one gets a fiber that has nothing to do.
        while (true) {
            Fiber* next = nullptr;
            if (!ready_.empty()) {
                Thread* const thread = ready_.front();
                ready_.pop_front();
                enter(*thread);
                next = thread->fiber;
            } else if (not_begun_ < count) {
                if (idle_.empty()) {
                    fibers_.push_back(std::make_unique<Fiber>(&Runner::body, this));
                    idle_.push_back(fibers_.back().get());
                }
                next = idle_.back();
                idle_.pop_back();
                running_fiber_ = next;
            } else {
                break;
            }
            main_.switch_to(*next);
        }
        return ended_ == count;
    }

    void wait_for_block() {
        at_barrier_.push_back(current);
        release_block();
        sleep();
    }

    /// Returns the meeting's round, of which all have given.
    std::pair<Meeting*, unsigned> meet(std::uint32_t mask, std::uint64_t given) {
        Warp& warp = warps_[current->number / 32];
        const std::uint32_t own = 1u << (current->number % 32);
        Meeting* meeting = nullptr;
        for (Meeting& present : warp.meetings)
            if (present.mask == mask) meeting = &present;
        if (meeting == nullptr) {
            warp.meetings.emplace_back();
            meeting = &warp.meetings.back();
            meeting->mask = mask;
        }
        const unsigned round = meeting->round % 2;
        if (meeting->arrived == 0) meeting->gave[round] = 0;
        meeting->arrived |= own;
        meeting->gave[round] |= own;
        meeting->given[round][current->number % 32] = given;
        meeting->waiting.push_back(current);
        release(warp, *meeting);
        sleep();
        return {meeting, round};
    }

  private:
    void enter(Thread& thread) {
        current = &thread;
        place = &thread.place;
    }

    void sleep() {
        Thread* const self = current;
        self->fiber->switch_to(main_);
    }

    void release_block() {
        if (at_barrier_.size() + ended_ != threads_.size()) return;
        ready_.insert(ready_.end(), at_barrier_.begin(), at_barrier_.end());
        at_barrier_.clear();
    }

    void release(Warp& warp, Meeting& meeting) {
        if (meeting.arrived == 0 || (meeting.mask & warp.alive & ~meeting.arrived) != 0) return;
        meeting.arrived = 0;
        ++meeting.round;
        ready_.insert(ready_.end(), meeting.waiting.begin(), meeting.waiting.end());
        meeting.waiting.clear();
    }

    /// Begins threads that have not begun, one after the other; one that waits keeps its fiber.
    static void body(void* self) {
        Runner& runner = *static_cast<Runner*>(self);
        Fiber* const fiber = runner.running_fiber_;
        while (true) {
            while (runner.not_begun_ < runner.threads_.size()) {
                Thread& thread = runner.threads_[runner.not_begun_++];
                thread.fiber = fiber;
                runner.enter(thread);
                runner.kernel_();
                runner.end(thread);
            }
            runner.idle_.push_back(fiber);
            fiber->switch_to(runner.main_);
        }
    }

    void end(Thread& thread) {
        thread.ended = true;
        ++ended_;
        Warp& warp = warps_[thread.number / 32];
        warp.alive &= ~(1u << (thread.number % 32));
        for (Meeting& meeting : warp.meetings) release(warp, meeting);
        if (!at_barrier_.empty()) release_block();
    }

    const std::function<void()>& kernel_;
    std::vector<Thread> threads_;
    std::vector<Warp> warps_;
    std::size_t not_begun_ = 0, ended_ = 0;
    std::vector<Thread*> at_barrier_;
    std::deque<Thread*> ready_;
    Fiber main_;
    std::vector<std::unique_ptr<Fiber>> fibers_;
    std::vector<Fiber*> idle_;
    Fiber* running_fiber_ = nullptr;
};

}  // namespace

void block_barrier() {
    running->wait_for_block();
}

void warp_barrier(std::uint32_t mask) {
    running->meet(mask, 0);
}

std::uint64_t exchange(std::uint32_t mask, std::uint64_t given, unsigned source) {
    const auto [meeting, round] = running->meet(mask, given);
    const bool there = source < 32 && (meeting->gave[round] >> source & 1) != 0;
    return there ? meeting->given[round][source] : ~std::uint64_t{0};
}

std::uint32_t ballot(std::uint32_t mask, bool given) {
    const auto [meeting, round] = running->meet(mask, given);
    std::uint32_t bits = 0;
    for (unsigned lane = 0; lane < 32; ++lane)
        if ((meeting->gave[round] >> lane & 1) != 0 && meeting->given[round][lane] != 0) bits |= 1u << lane;
    return bits;
}

unsigned lane() {
    return current->number % 32;
}

std::string run_grid(const dim3& grid, const dim3& block, const std::function<void()>& kernel) {
    Runner runner(kernel);
    running = &runner;
    std::string wrong;
    for (unsigned y = 0; y < grid.y && wrong.empty(); ++y)
        for (unsigned x = 0; x < grid.x && wrong.empty(); ++x)
            if (!runner.run(grid, block, {x, y, 0}))
                wrong = "block (" + std::to_string(x) + ", " + std::to_string(y) +
                        "): threads wait for others that do not come";
    running = nullptr;
    place = nullptr;
    return wrong;
}

}  // namespace assay::simt
