#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/core/accelerator_facts.h"
#include "probes/core/probe.h"
#include "probes/memory/capacity.h"
#include "probes/memory/memory.h"
#include "probes/memory/offloaded/address_check.h"
#include "tests/fake_cuda/fake_cuda.h"
#include "tests/kernels/faulty_accelerator.h"

namespace assay {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

constexpr std::uint64_t mib = std::uint64_t{1} << 20;

std::unique_ptr<Device> opened(const std::string& id) {
    std::variant<std::unique_ptr<Device>, Absent> device = open_device(id);
    if (const Absent* absent = std::get_if<Absent>(&device)) throw std::runtime_error(absent->reason);
    return std::move(std::get<std::unique_ptr<Device>>(device));
}

double value_of(const Outcome& outcome, const std::string& name) {
    for (const Metric& metric : outcome.metrics)
        if (metric.name == name) return metric.value;
    ADD_FAILURE() << name << " is missing";
    return 0;
}

/// PoCL as a card of `memory_bytes`.
class FakeCard final {
  public:
    explicit FakeCard(Faults faults, std::uint64_t memory_bytes = 64 * mib)
        : card(opened("opencl:0"), faults) {
        card.described().kind = "gpu";
        card.described().name = "Made Card";
        card.described().memory_bytes = memory_bytes;
    }
    FaultyAccelerator card;
};

/// Counters that a test turns on while the run's watch reads them.
class Counters final : public Telemetry {
  public:
    TelemetryReading read() override {
        TelemetryReading reading;
        reading.ecc_corrected = corrected;
        reading.ecc_uncorrected = uncorrected;
        return reading;
    }
    std::string source() const override { return "made"; }
    std::atomic<std::uint64_t> corrected = 40, uncorrected = 2;
};

class OffloadedCapacity : public testing::Test {
  protected:
    /// `at_stage` is called when a stage begins, before anything of it is done.
    Outcome run(Device* device, std::map<std::string, std::string> given,
                const std::function<void(const std::string&)>& at_stage = {}) {
        given.insert({"device", "opencl:0"});
        const Case the_case = make_case(probe_, given);
        probe_.check(the_case, context_);
        Context context = context_;
        context.device = device;
        context.progress = [at_stage](std::string_view stage, double) {
            if (at_stage) at_stage(std::string(stage));
        };
        return execute(probe_, the_case, context);
    }

    SteadyClock clock_;
    Context context_{.clock = clock_};
    Probe probe_ = memory_capacity_probe();
};

TEST_F(OffloadedCapacity, OfADeviceThatIsTheCpuIsVerifiedTwiceAndHeldAgainstTheHost) {
    const Outcome outcome = run(nullptr, {{"bytes", "20M"}});
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_EQ(value_of(outcome, "memory.capacity.verified_bytes"), 20.0 * mib);
    EXPECT_GT(value_of(outcome, "memory.capacity.write_bandwidth"), 0);
    EXPECT_GT(value_of(outcome, "memory.capacity.verify_bandwidth"), 0);
    EXPECT_EQ(outcome.resolved.at("passes"), "2");
    EXPECT_THAT(outcome.resolved.at("labelled_by"), Not(HasSubstr("claims")));
    EXPECT_THAT(outcome.notes, Contains(HasSubstr("its memory is the host's")));
    EXPECT_THAT(outcome.notes, Contains(HasSubstr("ECC errors are not told")));
}

TEST_F(OffloadedCapacity, OfACardIsNearlyAllOfIt) {
    FakeCard made({});
    const Outcome outcome = run(&made.card, {});
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_GE(value_of(outcome, "memory.capacity.verified_share"), 0.98);
    EXPECT_LE(value_of(outcome, "memory.capacity.verified_share"), 0.99);
    EXPECT_EQ(outcome.resolved.at("labelled_by"), "what the device claims");
    EXPECT_THAT(outcome.notes, Contains(HasSubstr("may stand in caches")));
}

TEST_F(OffloadedCapacity, OnCudaIsVerifiedByItsKernels) {
    const fake_cuda::Fresh driver(std::vector<fake_cuda::Card>{{.memory_bytes = 48 * mib}});
    const Outcome outcome = run(nullptr, {{"device", "cuda:0"}});
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_GE(value_of(outcome, "memory.capacity.verified_share"), 0.9);
    EXPECT_EQ(outcome.resolved.at("passes"), "2");
    EXPECT_EQ(fake_cuda::allocated_bytes(), 0u) << "all given back";
}

TEST_F(OffloadedCapacity, OfMoreThanThereIsFallsBelowTheLabel) {
    // 16 MiB a chunk: the fourth is refused, and there is none smaller. Some is what the check itself takes.
    FakeCard made({.memory_bytes = 50 * mib});
    const Outcome outcome = run(&made.card, {});
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_EQ(value_of(outcome, "memory.capacity.verified_bytes"), 48.0 * mib);
    EXPECT_DOUBLE_EQ(value_of(outcome, "memory.capacity.verified_share"), 0.75);
    EXPECT_EQ(outcome.resolved.at("refused_allocations"), "1");
    EXPECT_THAT(outcome.notes,
                Contains(AllOf(HasSubstr("Only 50331648 of"), HasSubstr("planted, no memory"))));
    // What was asked for by name must be there.
    FakeCard again({.memory_bytes = 50 * mib});
    EXPECT_THAT(run(&again.card, {{"bytes", "60M"}}).reason, HasSubstr("all that was asked for was had"));
}

TEST_F(OffloadedCapacity, IsHeldAgainstTheDatasheetOrTheGreaterClaim) {
    AcceleratorFacts facts;
    facts.product = "Made Card 128";
    facts.vendor = "nvidia";
    facts.match = {"Made Card"};
    facts.memory_bytes = 128 * mib;
    context_.accelerator_facts = {&facts, 1};
    FakeCard made({});
    const Outcome half = run(&made.card, {{"bytes", "32M"}});
    EXPECT_DOUBLE_EQ(value_of(half, "memory.capacity.verified_share"), 0.25);
    EXPECT_EQ(half.resolved.at("labelled_by"),
              fmt::format("the datasheet of Made Card 128; the device claims {}", 64 * mib));
    facts.memory_bytes = 60 * mib;
    const Outcome claimed = run(&made.card, {{"bytes", "32M"}});
    EXPECT_DOUBLE_EQ(value_of(claimed, "memory.capacity.verified_share"), 0.5);
    EXPECT_THAT(claimed.resolved.at("labelled_by"), HasSubstr("what the device claims; the datasheet"));
}

TEST_F(OffloadedCapacity, OfACardWhoseMemoryRepeatsIsFoundAtTheFirstAddress) {
    // Allocation 0 is the check's own; from the third chunk on the first one answers.
    FakeCard made({.repeats_from_allocate = 3});
    const Outcome outcome = run(&made.card, {});
    EXPECT_EQ(outcome.status, Status::failed);
    EXPECT_THAT(outcome.reason, HasSubstr("first at offset 0x0:"));
    EXPECT_THAT(outcome.reason, HasSubstr("two addresses share the same memory"));
    EXPECT_THAT(outcome.reason, HasSubstr("0x0 bytes into chunk 1 of 4"));
    EXPECT_LE(value_of(outcome, "memory.capacity.verified_bytes"), 48.0 * mib);
    EXPECT_EQ(outcome.resolved.at("passes"), "1");
}

TEST_F(OffloadedCapacity, OfALineThatHasNoEffectNamesIt) {
    const std::unique_ptr<Device> device = opened("opencl:0");
    Accelerator& accelerator = *device->accelerator();
    OffloadedAddressCheck check(accelerator, clock_);
    const std::unique_ptr<DeviceMemory> memory = accelerator.allocate(4 * mib, true);
    check.add_chunk(*memory);
    const kernels::AddressPattern pattern{3, false};
    check.write(pattern);
    accelerator.queue().copy(*memory, 0, *memory, 2 * mib, 2 * mib);
    WrongWords wrong;
    check.verify(pattern, wrong);
    EXPECT_EQ(wrong.count, 2 * mib / 8);
    EXPECT_THAT(describe_wrong(wrong, pattern, {}, 4 * mib), HasSubstr("bit 21 of the offset has no effect"));
}

TEST_F(OffloadedCapacity, OfAWordThatIsRightWhenReadAgainIsAnErrorThatComesAndGoes) {
    const std::unique_ptr<Device> device = opened("opencl:0");
    Accelerator& accelerator = *device->accelerator();
    OffloadedAddressCheck check(accelerator, clock_);
    std::unique_ptr<DeviceMemory> chunks[3];
    for (std::unique_ptr<DeviceMemory>& chunk : chunks)
        check.add_chunk(*(chunk = accelerator.allocate(mib, true)));
    const kernels::AddressPattern pattern{3, false};
    check.write(pattern);
    const std::uint64_t right = kernels::pattern_word(pattern, mib / 8 + 77), wrong_word = right ^ 0x10;
    accelerator.queue().write(*chunks[1], 77 * 8, &wrong_word, 8);
    WrongWords wrong;
    check.verify(pattern, wrong);
    EXPECT_EQ(wrong.count, 1u);
    EXPECT_EQ(wrong.flipped, 0x10u);
    EXPECT_EQ(wrong.first_index, mib / 8 + 77);
    EXPECT_EQ(wrong.expected, right);
    EXPECT_THAT(check.describe_place(wrong),
                AllOf(HasSubstr("0x268 bytes into chunk 2 of 3"), Not(HasSubstr("once more"))));
    accelerator.queue().write(*chunks[1], 77 * 8, &right, 8);
    EXPECT_THAT(check.describe_place(wrong), HasSubstr("read once more it is right"));
}

TEST_F(OffloadedCapacity, CountsWhatEccCountsMeanwhile) {
    const auto with = [&](std::uint64_t corrected, std::uint64_t uncorrected) {
        FakeCard made({});
        Counters counters;
        made.card.watched = &counters;
        return run(&made.card, {{"bytes", "16M"}}, [&](const std::string& stage) {
            if (stage != "verifying the pattern") return;
            counters.corrected += corrected;
            counters.uncorrected += uncorrected;
        });
    };
    const Outcome quiet = with(0, 0);
    EXPECT_EQ(quiet.status, Status::measured) << quiet.reason;
    EXPECT_THAT(quiet.notes, Contains(HasSubstr("ECC corrected 0 errors")));
    const Outcome corrected = with(3, 0);
    EXPECT_EQ(corrected.status, Status::measured) << corrected.reason;
    EXPECT_THAT(corrected.notes,
                Contains(HasSubstr("ECC corrected 3 errors meanwhile (40 before, 43 after)")));
    const Outcome uncorrected = with(0, 1);
    EXPECT_EQ(uncorrected.status, Status::failed);
    EXPECT_THAT(uncorrected.reason, HasSubstr("no uncorrected ECC error: 2 before and 3 after"));
}

TEST_F(OffloadedCapacity, MissingWorkLossAndLackOfMemoryAreFailures) {
    // 16 MiB are four chunks: as many launches write, then as many check.
    FakeCard idle({.launch_not_made = 0});
    EXPECT_THAT(run(&idle.card, {{"bytes", "16M"}}).reason, HasSubstr("where 524288 were to be checked"));
    FakeCard unchecked({.launch_not_made = 6});
    EXPECT_THAT(run(&unchecked.card, {{"bytes", "16M"}}).reason,
                HasSubstr("where 524288 were to be checked"));
    // A count of wrong words of the first group, without any bit that was wrong.
    FakeCard wrong({.wrong_byte_at = 8, .wrong_bits = 0x01});
    EXPECT_THAT(run(&wrong.card, {{"bytes", "16M"}}).reason, HasSubstr("says of wrong words cannot be"));
    FakeCard lost({.lost_at_launch = 5});
    EXPECT_THAT(run(&lost.card, {{"bytes", "16M"}}).reason, HasSubstr("the device is lost"));
    FakeCard full({.out_of_memory_at_allocate = 1});
    const Outcome none = run(&full.card, {{"bytes", "16M"}});
    EXPECT_EQ(none.status, Status::failed);
    EXPECT_THAT(none.reason, AllOf(HasSubstr("Only 0 of 16777216 bytes"), HasSubstr("no memory")));
}

TEST_F(OffloadedCapacity, OfMemoryThatKeepsWhatWasThereSaysSo) {
    const std::unique_ptr<Device> device = opened("opencl:0");
    OffloadedAddressCheck check(*device->accelerator(), clock_);
    const std::unique_ptr<DeviceMemory> memory = device->allocate(mib, true);
    check.add_chunk(*memory);
    WrongWords wrong;
    check.verify({3, false}, wrong);
    EXPECT_EQ(wrong.count, mib / 8);
    EXPECT_THAT(check.describe_place(wrong), HasSubstr("what was there before anything was written"));
}

TEST_F(OffloadedCapacity, RefusesWhatIsOfTheCpuAlone) {
    EXPECT_THROW(run(nullptr, {{"threads", "1"}}), InputError);
    EXPECT_THROW(run(nullptr, {{"page", "2M"}}), InputError);
    EXPECT_THROW(run(nullptr, {{"bytes", "16M"}, {"share", "0.5"}}), InputError);
    EXPECT_NO_THROW(probe_.estimate(make_case(probe_, {{"device", "cuda:7"}}), context_));
}

}  // namespace
}  // namespace assay
