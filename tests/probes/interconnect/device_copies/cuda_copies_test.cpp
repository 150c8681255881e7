// Copies through the CUDA device, on the tests' driver (tests/fake_cuda): streams are threads, a gate is the
// product's own spinning kernel, and a call with pageable memory behind it really blocks.

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/interconnect/interconnect.h"
#include "tests/fake_cuda/fake_cuda.h"

namespace assay::interconnect {
namespace {

using fake_cuda::Card;
using fake_cuda::Fresh;
using testing::Contains;
using testing::HasSubstr;

class CudaCopies : public testing::Test {
  protected:
    Outcome measure(std::map<std::string, std::string> given) {
        Context context{.clock = clock_};
        context.sampling.minimum_samples = 3;
        context.sampling.minimum_time = Seconds(0.01);
        context.sampling.maximum_time = Seconds(0.1);
        context.sampling.maximum_warm_up = Seconds(0.01);
        context.quick = true;
        given.emplace("bytes", "300001");
        const Probe probe = interconnect_transfer_probe();
        const Case the_case = make_case(probe, given);
        probe.check(the_case, context);
        return execute(probe, the_case, context);
    }
    static int bandwidths_of(const Outcome& outcome) {
        return static_cast<int>(
            std::count_if(outcome.metrics.begin(), outcome.metrics.end(), [](const Metric& metric) {
                return metric.name == "interconnect.transfer.bandwidth" && metric.value > 0;
            }));
    }
    SteadyClock clock_;
};

TEST_F(CudaCopies, WithTheHostAreMeasuredPinnedBehindAGateAndPageableWithout) {
    for (const std::string memory : {"pinned", "pageable"}) {
        const Fresh driver;  // one card
        const Outcome outcome = measure({{"memory", memory}});
        ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
        EXPECT_EQ(bandwidths_of(outcome), 3);
        EXPECT_EQ(fake_cuda::count_of("cuLaunchKernel") > 0, memory == "pinned") << "the kernel that spins";
        // The made card's PCI address is no device of this machine.
        EXPECT_THAT(outcome.notes, Contains(HasSubstr("tells no link of 0000:65:00.0")));
    }
}

TEST_F(CudaCopies, BeyondWhatIsFreeOfACardAreSkipped) {
    const Fresh driver(std::vector<Card>{{.memory_bytes = 1 << 20, .used_by_others = (1 << 20) - 1000}});
    const Outcome outcome = measure({{"memory", "pinned"}});
    EXPECT_EQ(outcome.status, Status::skipped);
    EXPECT_THAT(outcome.reason, HasSubstr("of which 1000 bytes are free now"));
}

TEST_F(CudaCopies, BetweenTwoCardsGoFromPeerToPeer) {
    const Fresh driver(std::vector<Card>{{.name = "One"}, {.name = "Two", .pci_address = "0000:66:00.0"}});
    const Outcome outcome = measure({{"to", "peers"}});
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_EQ(bandwidths_of(outcome), 3);
    EXPECT_EQ(outcome.resolved.at("peer_access_cuda:1"), "yes");
    EXPECT_GT(fake_cuda::count_of("cuMemcpyPeerAsync"), 0);
    EXPECT_GT(fake_cuda::count_of("cuLaunchKernel"), 0);
}

TEST_F(CudaCopies, BetweenCardsThatDoNotReachEachOtherAreNotHeldBack) {
    const Fresh driver(std::vector<Card>{{}, {.pci_address = "0000:66:00.0", .reaches_peers = false}});
    const Outcome outcome = measure({{"to", "cuda:1"}, {"direction", "device_to_device"}});
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_EQ(outcome.resolved.at("peer_access_cuda:1"), "no");
    EXPECT_EQ(fake_cuda::count_of("cuLaunchKernel"), 0);
}

TEST_F(CudaCopies, OfACardAloneHaveNoPeer) {
    const Fresh driver;  // one card
    const Outcome outcome = measure({{"to", "peers"}});
    EXPECT_EQ(outcome.status, Status::skipped);
    EXPECT_THAT(outcome.reason, HasSubstr("cuda:0 has no peer"));
    EXPECT_EQ(measure({{"to", "cuda:1"}}).status, Status::skipped);
}

TEST_F(CudaCopies, WhoseDriverFailsFailWithItsReason) {
    struct Trouble {
        std::string call;
        int error, at;
        std::string said;
    };
    for (const Trouble& trouble : {Trouble{"cuMemcpyHtoDAsync_v2", 719, 30, "CUDA_ERROR_LAUNCH_FAILED"},
                                   Trouble{"cuMemHostAlloc", 2, 1, "CUDA_ERROR_OUT_OF_MEMORY"},
                                   Trouble{"cuMemAlloc_v2", 2, 2, "CUDA_ERROR_OUT_OF_MEMORY"},
                                   Trouble{"cuStreamSynchronize", 214, 20, "CUDA_ERROR_ECC_UNCORRECTABLE"},
                                   Trouble{"cuEventRecord", 700, 5, "CUDA_ERROR_ILLEGAL_ADDRESS"}}) {
        const Fresh driver;  // one card
        driver.fail(trouble.call, trouble.error, trouble.at);
        const Outcome outcome = measure({{"direction", "both"}});
        EXPECT_EQ(outcome.status, Status::failed) << trouble.call;
        EXPECT_THAT(outcome.reason, HasSubstr(trouble.said)) << trouble.call;
    }
}

TEST_F(CudaCopies, LargerThanTheCardAreSkippedWithTheArithmetic) {
    const Fresh driver(std::vector<Card>{{.memory_bytes = 1 << 20}});
    const Outcome outcome = measure({{"bytes", "600K"}});
    EXPECT_EQ(outcome.status, Status::skipped);
    EXPECT_THAT(outcome.reason, HasSubstr("1048576 bytes (1 MiB) that cuda:0 has"));
}

}  // namespace
}  // namespace assay::interconnect
