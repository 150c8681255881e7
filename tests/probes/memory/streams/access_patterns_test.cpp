#include "probes/memory/streams/access_patterns.h"

#include <set>

#include <gtest/gtest.h>

#include "probes/core/probe.h"
#include "probes/memory/streams/kernel_run.h"

namespace assay {
namespace {

using kernels::Isa;
using kernels::StreamKernel;

TEST(AccessPatterns, BeginWithThePlainLoopOnThePeersPagesAndCoverEverySet) {
    for (const std::size_t sets : {1u, 2u}) {
        const std::vector<Candidate> candidates =
            candidates_for({StreamKernel::copy, true}, Isa::portable, sets);
        EXPECT_EQ(candidates.front(), (Candidate{plain_pattern(Isa::portable, true), 0}));
        std::set<std::size_t> seen;
        for (std::size_t i = 0; i < candidates.size(); ++i) {
            seen.insert(candidates[i].set);
            EXPECT_TRUE(candidates[i].pattern.non_temporal);
            for (std::size_t other = 0; other < i; ++other) EXPECT_FALSE(candidates[i] == candidates[other]);
        }
        EXPECT_EQ(seen.size(), sets);
    }
}

TEST(AccessPatterns, PrefetchNothingForAKernelThatReadsNothing) {
    for (const Candidate& candidate : candidates_for({StreamKernel::write, false}, Isa::portable, 2))
        EXPECT_EQ(candidate.pattern.prefetch, kernels::Prefetch::none);
}

TEST(AccessPatterns, AreDescribedInWords) {
    kernels::StreamPattern pattern = plain_pattern(Isa::portable, false);
    EXPECT_EQ(describe(pattern), "plain loop");
    pattern.streams = 2;
    EXPECT_EQ(describe(pattern), "2 streams a thread");
    pattern.prefetch = kernels::Prefetch::non_temporal;
    pattern.prefetch_bytes = 1024;
    EXPECT_EQ(describe(pattern), "2 streams a thread, non-temporal prefetch 1024 bytes ahead");
    pattern.streams = 1;
    pattern.prefetch = kernels::Prefetch::all_caches;
    EXPECT_EQ(describe(pattern), "prefetch 1024 bytes ahead");
}

/// Every section takes as long as the one before, but those in a window of calls.
class FasterOnce final : public Clock {
  public:
    /// Calls come in pairs around a timing; `fast` says which timings (from 0) take half the time.
    explicit FasterOnce(std::set<int> fast) : fast_(std::move(fast)) {}
    Nanoseconds now() override {
        const bool ends = calls_ % 2 == 1;
        const bool fast = fast_.contains(calls_ / 2);
        ++calls_;
        if (ends) now_ += std::chrono::milliseconds(fast ? 1 : 2);
        return now_;
    }
    void sleep_until(Nanoseconds) override {}

  private:
    std::set<int> fast_;
    int calls_ = 0;
    Nanoseconds now_{0};
};

class BestCandidate : public testing::Test {
  protected:
    Candidate best_with(std::set<int> fast) {
        FasterOnce clock(std::move(fast));
        Context context{.clock = clock};
        kernels::ThreadTeam team(1);
        const std::unique_ptr<Device> device = std::get<std::unique_ptr<Device>>(open_device("cpu:0"));
        StreamArraySet arrays(*device, team, 1, 1 << 16, false, 1);
        KernelRun run({&arrays}, {StreamKernel::read, false}, Isa::portable, context);
        return run.best();
    }
    const std::vector<Candidate> candidates_ = candidates_for({StreamKernel::read, false}, Isa::portable, 1);
    const int first_round_ = 1;  // timing 0 is the constructor's
    const int finals_ = first_round_ + static_cast<int>(candidates_.size());
};

TEST_F(BestCandidate, IsThePlainLoopWhereNoneIsFaster) {
    EXPECT_EQ(best_with({}), candidates_.front());
}

TEST_F(BestCandidate, IsTheOneThatStaysFasterInTheLastRounds) {
    // The seventh is fast in the first round, thus second in the finals of seven, and fast again there.
    EXPECT_EQ(best_with({first_round_ + 6, finals_ + 1, finals_ + 8, finals_ + 15}), candidates_[6]);
}

TEST_F(BestCandidate, IsNotTheOneThatWasFastOnce) {
    EXPECT_EQ(best_with({first_round_ + 6, finals_ + 1}), candidates_.front());
}

}  // namespace
}  // namespace assay
