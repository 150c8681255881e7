#include "kernels/cpu/thread_team.h"

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sched.h>

#include "kernels/cpu/affinity.h"

namespace assay::kernels {
namespace {

std::vector<int> team_sizes() {
    std::vector<int> sizes = {1};
    if (allowed_cpus() > 1) sizes.push_back(allowed_cpus());
    return sizes;
}

TEST(ThreadTeam, RunsTheWorkOnceOnEveryMember) {
    for (const int size : team_sizes()) {
        ThreadTeam team(size);
        ASSERT_EQ(team.size(), size);
        std::vector<std::atomic<int>> calls(static_cast<std::size_t>(size));
        team.run([&](int member) { ++calls.at(static_cast<std::size_t>(member)); });
        for (const std::atomic<int>& count : calls) EXPECT_EQ(count, 1);
    }
}

TEST(ThreadTeam, LosesNoRunOfThousands) {
    ThreadTeam team(allowed_cpus());
    std::vector<long> sums(static_cast<std::size_t>(team.size()) * 8);
    constexpr int runs = 3000;
    for (int i = 0; i < runs; ++i)
        team.run([&](int member) { sums[static_cast<std::size_t>(member) * 8] += i; });
    for (int member = 0; member < team.size(); ++member)
        EXPECT_EQ(sums[static_cast<std::size_t>(member) * 8], static_cast<long>(runs) * (runs - 1) / 2);
}

TEST(ThreadTeam, WakesMembersThatFellAsleep) {
    ThreadTeam team(allowed_cpus());
    std::atomic<int> calls = 0;
    for (int i = 0; i < 5; ++i) {
        team.run([&](int) { ++calls; });
        std::this_thread::sleep_for(std::chrono::milliseconds(3));
    }
    EXPECT_EQ(calls, 5 * team.size());
}

TEST(ThreadTeam, WaitsForASlowMember) {
    ThreadTeam team(allowed_cpus());
    std::atomic<int> done = 0;
    team.run([&](int member) {
        if (member == team.size() - 1) std::this_thread::sleep_for(std::chrono::milliseconds(5));
        ++done;
    });
    EXPECT_EQ(done, team.size());
}

TEST(ThreadTeam, ThrowsWhatAMemberThrewAndGoesOn) {
    for (const int size : team_sizes()) {
        ThreadTeam team(size);
        for (int thrower = 0; thrower < size; ++thrower) {
            std::atomic<int> calls = 0;
            try {
                team.run([&](int member) {
                    ++calls;
                    if (member == thrower) throw std::runtime_error("member " + std::to_string(member));
                });
                FAIL() << "nothing was thrown";
            } catch (const std::runtime_error& error) {
                EXPECT_EQ(error.what(), "member " + std::to_string(thrower));
            }
            EXPECT_EQ(calls, size) << "every member still ran";
        }
        EXPECT_NO_THROW(team.run([](int) {}));
    }
}

TEST(ThreadTeam, RefusesSizesThatTheMachineDoesNotHave) {
    EXPECT_THROW(ThreadTeam(0), std::invalid_argument);
    EXPECT_THROW(ThreadTeam(-1), std::invalid_argument);
    EXPECT_THROW(ThreadTeam(allowed_cpus() + 1), std::invalid_argument);
}

TEST(ThreadTeam, RefusesToRunInsideOfItself) {
    ThreadTeam team(1);
    EXPECT_THROW(team.run([&](int) { team.run([](int) {}); }), std::logic_error);
    EXPECT_NO_THROW(team.run([](int) {}));
}

TEST(ThreadTeam, PinsEveryMemberToACpuOfItsOwn) {
    const std::vector<int> before = CpuSet::of_calling_thread().members();
    {
        ThreadTeam team(allowed_cpus());
        std::mutex mutex;
        std::set<int> cpus;
        team.run([&](int) {
            const std::vector<int> mine = CpuSet::of_calling_thread().members();
            const std::lock_guard<std::mutex> lock(mutex);
            EXPECT_EQ(mine.size(), 1u);
            cpus.insert(mine.front());
        });
        EXPECT_EQ(cpus, std::set<int>(before.begin(), before.end()));
    }
    EXPECT_EQ(CpuSet::of_calling_thread().members(), before) << "the caller gets its CPUs back";
}

TEST(ThreadTeam, StaysOnTheCpusThatItWasGiven) {
    const std::vector<int> cpus = cpus_by_core();
    const std::vector<int> given(cpus.rbegin(), cpus.rbegin() + 1);
    ThreadTeam team(given);
    ASSERT_EQ(team.size(), 1);
    team.run([&](int) { EXPECT_EQ(CpuSet::of_calling_thread().members(), given); });
    EXPECT_THROW(ThreadTeam(std::vector<int>{}), std::invalid_argument);
    EXPECT_THROW(ThreadTeam(std::vector<int>{1 << 20}), std::invalid_argument);
}

TEST(ThreadTeam, DoesNotShrinkWhatIsAllowedWhileItLives) {
    const int before = allowed_cpus();
    ThreadTeam outer(1);
    EXPECT_EQ(allowed_cpus(), before);
    {
        ThreadTeam inner(before);
        EXPECT_EQ(inner.size(), before);
        EXPECT_EQ(allowed_cpus(), before);
    }
    EXPECT_EQ(allowed_cpus(), before);
}

TEST(ThreadTeam, MemberRangesCoverEveryItemOnceAndBeginOnMultiples) {
    for (const std::size_t items : {0u, 1u, 7u, 64u, 1000u, 4097u}) {
        for (const std::size_t multiple : {1u, 8u, 512u}) {
            for (const int members : {1, 2, 3, 7}) {
                std::size_t next = 0;
                std::size_t largest = 0;
                for (int member = 0; member < members; ++member) {
                    const ItemRange range = member_range(items, multiple, member, members);
                    EXPECT_EQ(range.begin, next);
                    EXPECT_LE(range.begin, range.end);
                    if (range.begin < items) {
                        EXPECT_EQ(range.begin % multiple, 0u);
                    }
                    largest = std::max(largest, range.end - range.begin);
                    next = range.end;
                }
                EXPECT_EQ(next, items);
                EXPECT_LE(largest, items / static_cast<std::size_t>(members) + multiple);
            }
        }
    }
}

}  // namespace
}  // namespace assay::kernels
