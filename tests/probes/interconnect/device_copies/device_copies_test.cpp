#include "probes/interconnect/device_copies/device_copies.h"

#include <map>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/interconnect/interconnect.h"
#include "tests/kernels/faulty_accelerator.h"
#include "tests/probes/interconnect/device_copies/made_card.h"
#include "tests/probes/interconnect/device_copies/made_system.h"

namespace assay::interconnect {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

DeviceInfo card_named(const std::string& id) {
    DeviceInfo info;
    info.id = id;
    info.kind = "gpu";
    info.name = "Test card";
    info.memory_bytes = std::uint64_t{1} << 30;
    info.pci_address = MadeSystem::address;
    return info;
}

/// The metric `name` with these among its labels; null where there is none.
const Metric* metric_of(const Outcome& outcome, const std::string& name, const Labels& labels = {}) {
    for (const Metric& metric : outcome.metrics) {
        const bool named = metric.name == "interconnect.transfer." + name;
        const bool fits = std::all_of(labels.begin(), labels.end(), [&](const auto& label) {
            return metric.labels.contains(label.first) && metric.labels.at(label.first) == label.second;
        });
        if (named && fits) return &metric;
    }
    return nullptr;
}

class DeviceCopies : public testing::Test {
  protected:
    DeviceCopies() {
        system_.links("32.0 GT/s PCIe", "16", "32.0 GT/s PCIe", "16");
        context_.sampling.minimum_samples = 3;
        context_.sampling.minimum_time = Seconds(0.01);
        context_.sampling.maximum_time = Seconds(0.1);
        context_.sampling.maximum_warm_up = Seconds(0.01);
        context_.quick = true;
        facts_[0].vendor = "nvidia";
        facts_[0].product = "Test card";
        facts_[0].match = {"Test card"};
        facts_[0].peer_bandwidth_both_directions = 900e12;
        context_.accelerator_facts = facts_;
    }

    std::unique_ptr<MadeCard> card(const std::string& id, Behaviour behaviour = {}) {
        return std::make_unique<MadeCard>(pocl_, card_named(id), behaviour);
    }

    /// cuda:0 is the device; `others` are what else can be listed and opened.
    Outcome measure(Accelerator& device, std::map<std::string, std::string> given,
                    std::vector<std::unique_ptr<MadeCard>> others = {}) {
        std::map<std::string, std::unique_ptr<MadeCard>> there;
        Surroundings surroundings;
        surroundings.root = system_.root();
        DeviceSurvey survey;
        survey.devices.push_back(device.info());
        survey.devices.push_back(card_named("opencl:0"));
        for (std::unique_ptr<MadeCard>& other : others) {
            survey.devices.push_back(other->info());
            const std::string id = other->info().id;
            there[id] = std::move(other);
        }
        surroundings.survey = [&] { return survey; };
        surroundings.open = [&](const std::string& id) -> std::variant<std::unique_ptr<Device>, Absent> {
            if (!there.contains(id)) return Absent{"there is no " + id};
            return std::unique_ptr<Device>(std::move(there[id]));
        };
        // What execute() does around a probe: exceptions and checks that failed.
        const auto run = [&](const Case& the_case, Context& context) {
            return measure_device_copies(the_case, context, device, surroundings);
        };
        given.emplace("device", device.info().id);
        given.emplace("bytes", "100001");
        static std::function<Outcome(const Case&, Context&)> current;
        current = run;
        Probe probe = interconnect_transfer_probe();
        probe.run = [](const Case& the_case, Context& context) { return current(the_case, context); };
        context_.device = &device;
        return execute(probe, make_case(probe, given), context_);
    }

    std::shared_ptr<Device> pocl_ = pocl();
    MadeSystem system_;
    SteadyClock clock_;
    AcceleratorFacts facts_[1];
    Context context_{.clock = clock_};
};

TEST_F(DeviceCopies, OnPoclAreMeasuredEveryWayAndHaveNoLink) {
    for (const std::string memory : {"pinned", "pageable"}) {
        const Probe probe = interconnect_transfer_probe();
        const Case the_case =
            make_case(probe, {{"device", "opencl:0"}, {"bytes", "3000001"}, {"memory", memory}});
        const Outcome outcome = execute(probe, the_case, context_);
        ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
        for (const std::string direction : {"to_device", "to_host", "both"}) {
            const Metric* const metric =
                metric_of(outcome, "bandwidth", {{"direction", direction}, {"to", "host"}});
            ASSERT_NE(metric, nullptr) << direction;
            EXPECT_GT(metric->value, 0);
            EXPECT_FALSE(metric->limit);
            if (direction == "both") continue;
            for (const std::string bytes : {"4", "4096"}) {
                const Metric* const latency =
                    metric_of(outcome, "latency", {{"direction", direction}, {"copy_bytes", bytes}});
                ASSERT_NE(latency, nullptr) << direction << bytes;
                EXPECT_GT(latency->value, 0);
            }
        }
        EXPECT_EQ(outcome.checks.size(), 8u);
        EXPECT_EQ(metric_of(outcome, "link_generation"), nullptr);
        EXPECT_EQ(metric_of(outcome, "link_width"), nullptr);
        EXPECT_THAT(outcome.notes, Contains(HasSubstr("copies within it, over no link")));
        EXPECT_EQ(outcome.resolved.at("memory"), memory);
    }
}

TEST_F(DeviceCopies, OfACardTellItsLinkUnderLoad) {
    const std::unique_ptr<MadeCard> device = card("cuda:0");
    const Outcome outcome = measure(*device, {{"direction", "to_device"}});
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    ASSERT_NE(metric_of(outcome, "link_generation"), nullptr);
    EXPECT_EQ(metric_of(outcome, "link_generation")->value, 5);
    EXPECT_EQ(metric_of(outcome, "link_width")->value, 16);
    EXPECT_GT(metric_of(outcome, "link_width")->samples.size(), 3u);
    EXPECT_EQ(outcome.resolved.at("link"), "PCIe 5.0 x16");
}

TEST_F(DeviceCopies, OfPinnedMemoryAreQueuedBehindAGateAndRunWhenItOpens) {
    const std::unique_ptr<MadeCard> device = card("cuda:0");
    ASSERT_EQ(measure(*device, {{"direction", "to_host"}}).status, Status::measured);
    const std::string calls = fmt::format("{}", fmt::join(device->calls(), " "));
    EXPECT_THAT(calls, ContainsRegex("hold0 mark0( read0)+ mark0 open0 finish0"));
    EXPECT_THAT(calls, Not(ContainsRegex("hold0 (mark0 |read0 )*finish0"))) << "finished while held";
}

TEST_F(DeviceCopies, BothWaysAreHeldTogetherBeforeEitherCopies) {
    const std::unique_ptr<MadeCard> device = card("cuda:0");
    const Outcome outcome = measure(*device, {{"direction", "both"}});
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    const std::string calls = fmt::format("{}", fmt::join(device->calls(), " "));
    EXPECT_THAT(calls, ContainsRegex("hold0 mark0 hold1 mark1( write0 mark0 read1 mark1)+ open0 open1 "
                                     "finish0 finish1"));
    // A queue's first gate makes what it needs; it must not be the one beside a queue that is held.
    EXPECT_LT(calls.find("hold1"), calls.find("hold0 mark0 hold1"));
}

TEST_F(DeviceCopies, OneAfterTheOtherAreNotTakenForBothWays) {
    const std::unique_ptr<MadeCard> apart = card("cuda:0", {.one_after_another = true});
    const Outcome outcome = measure(*apart, {{"direction", "both"}, {"bytes", "4000000"}});
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_THAT(outcome.notes, Contains(HasSubstr("did not run side by side")));
}

TEST_F(DeviceCopies, OfPageableMemoryNeverWaitBehindAGate) {
    for (const std::string direction : {"to_device", "to_host", "both"}) {
        const std::unique_ptr<MadeCard> device = card("cuda:0", {.pageable_blocks = true});
        const Outcome outcome = measure(*device, {{"direction", direction}, {"memory", "pageable"}});
        EXPECT_EQ(outcome.status, Status::measured) << outcome.reason;
        EXPECT_FALSE(device->hung());
        EXPECT_THAT(device->calls(), Not(Contains(HasSubstr("hold"))));
    }
}

TEST_F(DeviceCopies, WithAChangedByteFailAndSayWhere) {
    for (const std::string direction : {"to_device", "to_host", "both"}) {
        const std::unique_ptr<MadeCard> device = card("cuda:0", {.changed_byte = 77'777});
        const Outcome outcome = measure(*device, {{"direction", direction}});
        EXPECT_EQ(outcome.status, Status::failed) << direction;
        EXPECT_THAT(outcome.reason, AllOf(HasSubstr("1 of 100001 bytes differ"), HasSubstr("at byte 77777")));
    }
    const std::unique_ptr<MadeCard> device = card("cuda:0", {.changed_byte = 3});
    EXPECT_THAT(measure(*device, {{"direction", "to_device"}}).reason, HasSubstr("4 bytes are the source's"));
}

TEST_F(DeviceCopies, ThatEndEarlyFail) {
    // The first ones arrive, so that what a later sample should have brought is there already.
    for (const std::string direction : {"to_device", "to_host", "both"}) {
        const std::unique_ptr<MadeCard> device = card("cuda:0", {.short_from_copy = 12});
        const Outcome outcome = measure(*device, {{"direction", direction}});
        EXPECT_EQ(outcome.status, Status::failed) << direction;
        EXPECT_THAT(outcome.reason, HasSubstr("of 100001 bytes differ"));
    }
}

TEST_F(DeviceCopies, OnADeviceLostInTheMiddleFailWithThatReason) {
    for (const std::string memory : {"pinned", "pageable"}) {
        const std::unique_ptr<MadeCard> device = card("cuda:0", {.lost_at_copy = 20});
        const Outcome outcome = measure(*device, {{"direction", "both"}, {"memory", memory}});
        EXPECT_EQ(outcome.status, Status::failed);
        EXPECT_THAT(outcome.reason, HasSubstr("the device is lost"));
    }
}

TEST_F(DeviceCopies, WithoutMemoryInTheMiddleFailAndTooLargeOnesAreSkipped) {
    FaultyAccelerator full(std::get<std::unique_ptr<Device>>(open_device("opencl:0")),
                           {.memory_bytes = 150'000});
    const Outcome outcome = measure(full, {{"direction", "both"}});
    EXPECT_EQ(outcome.status, Status::failed);
    EXPECT_THAT(outcome.reason, HasSubstr("no memory"));

    const std::unique_ptr<MadeCard> device = card("cuda:0");
    const Outcome large = measure(*device, {{"bytes", "600M"}});
    EXPECT_EQ(large.status, Status::skipped);
    EXPECT_THAT(large.reason, AllOf(HasSubstr("2 buffers of 629145600 bytes"), HasSubstr("1073741824")));
}

TEST_F(DeviceCopies, BetweenCardsAreMeasuredThereBackAndBoth) {
    const std::unique_ptr<MadeCard> device = card("cuda:0");
    std::vector<std::unique_ptr<MadeCard>> others;
    others.push_back(card("cuda:1"));
    const Outcome outcome = measure(*device, {{"to", "cuda:1"}}, std::move(others));
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    for (const std::string direction : {"device_to_device", "back", "both"}) {
        const Metric* const metric =
            metric_of(outcome, "bandwidth", {{"direction", direction}, {"to", "cuda:1"}});
        ASSERT_NE(metric, nullptr) << direction;
        ASSERT_TRUE(metric->limit);
        EXPECT_DOUBLE_EQ(metric->limit->value, direction == "both" ? 900e12 : 450e12);
        EXPECT_THAT(metric->limit->source, HasSubstr("datasheet of Test card"));
    }
    EXPECT_EQ(metric_of(outcome, "link_generation"), nullptr) << "it is not this link that was under load";
    EXPECT_THAT(outcome.notes, Contains(HasSubstr("reach each other's memory (peer access)")));
    EXPECT_THAT(device->calls(), Contains("copy0")) << "each direction is pushed by its sender";
}

TEST_F(DeviceCopies, BetweenCardsThatDoNotReachEachOtherGoByTheHostAndHaveNoLimit) {
    const std::unique_ptr<MadeCard> device = card("cuda:0", {.peers_reach = false});
    std::vector<std::unique_ptr<MadeCard>> others;
    others.push_back(card("cuda:1"));
    const Outcome outcome =
        measure(*device, {{"to", "cuda:1"}, {"direction", "device_to_device"}}, std::move(others));
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_FALSE(metric_of(outcome, "bandwidth")->limit);
    EXPECT_EQ(outcome.resolved.at("peer_access_cuda:1"), "no");
    EXPECT_THAT(outcome.notes, Contains(HasSubstr("these copies go by the host")));
    EXPECT_THAT(device->calls(), Not(Contains(HasSubstr("hold"))));
}

TEST_F(DeviceCopies, ToPeersGoToEveryOtherCardOfTheInterface) {
    const std::unique_ptr<MadeCard> device = card("cuda:0");
    const Outcome alone = measure(*device, {{"to", "peers"}});
    EXPECT_EQ(alone.status, Status::skipped);
    EXPECT_THAT(alone.reason, HasSubstr("cuda:0 has no peer"));

    std::vector<std::unique_ptr<MadeCard>> others;
    others.push_back(card("cuda:1"));
    others.push_back(card("cuda:2", {.changed_byte = 5}));
    const Outcome outcome = measure(*device, {{"to", "peers"}, {"direction", "back"}}, std::move(others));
    EXPECT_NE(metric_of(outcome, "bandwidth", {{"to", "cuda:1"}}), nullptr);
    EXPECT_NE(metric_of(outcome, "bandwidth", {{"to", "cuda:2"}}), nullptr);
    EXPECT_EQ(outcome.status, Status::failed) << "what cuda:2 sends is changed";
}

TEST_F(DeviceCopies, ToWhatIsNotThereAreSkipped) {
    const std::unique_ptr<MadeCard> device = card("cuda:0");
    const Outcome outcome = measure(*device, {{"to", "cuda:7"}});
    EXPECT_EQ(outcome.status, Status::skipped);
    EXPECT_THAT(outcome.reason, HasSubstr("there is no cuda:7"));
    const std::unique_ptr<MadeCard> opencl = card("opencl:0");
    EXPECT_EQ(measure(*opencl, {{"to", "opencl:1"}}).status, Status::skipped);
}

TEST_F(DeviceCopies, ThatMakeNoSenseAreRefusedBeforehand) {
    const Probe probe = interconnect_transfer_probe();
    const std::map<std::string, std::string> wrong[] = {
        {{"device", "cpu:0"}},
        {{"device", "cuda:0"}, {"to", "cuda:0"}},
        {{"device", "opencl:0"}, {"to", "cuda:0"}},
        {{"device", "cuda:0"}, {"to", "cpu:0"}},
        {{"device", "cuda:0"}, {"to", "the moon"}},
        {{"device", "cuda:0"}, {"to", "cuda:1"}, {"memory", "pageable"}},
        {{"device", "cuda:0"}, {"to", "cuda:1"}, {"direction", "to_host"}},
        {{"device", "cuda:0"}, {"direction", "device_to_device"}},
    };
    for (const std::map<std::string, std::string>& given : wrong)
        EXPECT_THROW(probe.check(make_case(probe, given), context_), InputError)
            << fmt::format("{}", fmt::join(given, " "));
    for (const char* const to : {"auto", "host", "peers", "cuda:1"})
        EXPECT_NO_THROW(probe.check(make_case(probe, {{"to", to}}), context_)) << to;
}

}  // namespace
}  // namespace assay::interconnect
