#include "probes/memory/capacity.h"

#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "kernels/cpu/address_pattern.h"
#include "kernels/cpu/thread_team.h"
#include "probes/memory/checked/pattern_check.h"
#include "probes/memory/checked/residency.h"
#include "probes/memory/memory.h"
#include "tests/probes/memory/memory_doubles.h"

namespace assay {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t mib = 1024 * kib;
constexpr std::uint64_t gib = 1024 * mib;

/// Memory of which only `real` bytes exist: the same pages again and again, as on a card that claims more
/// than it has.
class AliasedMemory final : public DeviceMemory {
  public:
    AliasedMemory(std::size_t bytes, std::size_t real) : bytes_(bytes) {
        const int file = memfd_create("aliased", 0);
        if (file < 0 || ftruncate(file, static_cast<off_t>(real)) != 0)
            throw std::system_error(errno, std::generic_category(), "memfd_create");
        begin_ = static_cast<std::byte*>(
            mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
        for (std::size_t at = 0; at < bytes; at += real)
            mmap(begin_ + at, std::min(real, bytes - at), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                 file, 0);
        close(file);
    }
    ~AliasedMemory() override { munmap(begin_, bytes_); }
    AliasedMemory(const AliasedMemory&) = delete;
    AliasedMemory& operator=(const AliasedMemory&) = delete;
    std::byte* host_pointer() override { return begin_; }
    std::size_t bytes() const override { return bytes_; }
    std::size_t page_bytes() const override { return 4096; }

  private:
    std::size_t bytes_;
    std::byte* begin_;
};

class UnreachableMemory final : public DeviceMemory {
  public:
    std::byte* host_pointer() override { return nullptr; }
    std::size_t bytes() const override { return 1; }
    std::size_t page_bytes() const override { return 4096; }
};

using Allocation = std::function<std::unique_ptr<DeviceMemory>(std::size_t bytes, int number)>;

/// A card whose memory is what a test makes it; it remembers what it handed out.
class FakeDevice final : public Device {
  public:
    explicit FakeDevice(Allocation allocation) : allocation_(std::move(allocation)) {
        info_ = {"cuda:0", "gpu", "Fake card", 1, 512 * mib};
    }
    const DeviceInfo& info() const override { return info_; }
    std::unique_ptr<DeviceMemory> allocate(std::size_t bytes, bool) override {
        std::unique_ptr<DeviceMemory> memory = allocation_(bytes, number_++);
        handed_out.push_back(memory->host_pointer());
        return memory;
    }
    std::vector<std::byte*> handed_out;

  private:
    Allocation allocation_;
    DeviceInfo info_;
    int number_ = 0;
};

std::unique_ptr<DeviceMemory> sound_memory(std::size_t bytes, int) {
    return std::make_unique<AliasedMemory>(bytes, bytes);
}

[[noreturn]] void refuse() {
    throw std::system_error(ENOMEM, std::generic_category(), "no memory left");
}

double value_of(const Outcome& outcome, const std::string& name) {
    for (const Metric& metric : outcome.metrics)
        if (metric.name == name) return metric.value;
    ADD_FAILURE() << name << " is missing";
    return 0;
}

class MemoryCapacity : public testing::Test {
  protected:
    Case make(std::map<std::string, std::string> given) { return make_case(probe_, given); }

    /// On a fake device; `at_stage` is called when a stage begins, before anything of it is done.
    Outcome on(FakeDevice& device, std::map<std::string, std::string> given,
               const std::function<void(const std::string&)>& at_stage = {}) {
        context_.device = &device;
        context_.progress = [at_stage](std::string_view stage, double) {
            if (at_stage) at_stage(std::string(stage));
        };
        given.emplace("threads", "1");
        return execute(probe_, make(given), context_);
    }

    SteadyClock clock_;
    Context context_{.clock = clock_};
    Probe probe_ = memory_capacity_probe();
};

TEST_F(MemoryCapacity, OfSoundMemoryIsVerifiedTwiceInFull) {
    const Outcome outcome = execute(probe_, make({{"bytes", "20M"}}), context_);
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_EQ(value_of(outcome, "memory.capacity.verified_bytes"), 20.0 * mib);
    EXPECT_GT(value_of(outcome, "memory.capacity.verified_share"), 0);
    EXPECT_LT(value_of(outcome, "memory.capacity.verified_share"), 1);
    EXPECT_GT(value_of(outcome, "memory.capacity.write_bandwidth"), 0);
    EXPECT_GT(value_of(outcome, "memory.capacity.verify_bandwidth"), 0);
    EXPECT_EQ(outcome.resolved.at("passes"), "2");
    EXPECT_EQ(outcome.resolved.at("bytes"), std::to_string(20 * mib));
    EXPECT_THAT(outcome.notes, Contains(HasSubstr("resident")));
    EXPECT_THAT(outcome.notes, Contains(AllOf(HasSubstr("Verified 20971520 of"), HasSubstr("%"))));
}

TEST_F(MemoryCapacity, WithoutHugePagesIsCheckedOnSmallOnesAndSaysSo) {
    doubles::WithoutHugePages device;
    context_.device = &device;
    const Outcome outcome = execute(probe_, make({{"bytes", "8M"}, {"page", "2M"}}), context_);
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_THAT(outcome.notes,
                Contains("2 MiB pages were asked for; the system gave them for 0 % of the memory."));
    EXPECT_EQ(outcome.resolved.at("huge_page_share"), "0.000");
    EXPECT_EQ(outcome.resolved.at("isa"),
              kernels::to_string(kernels::pattern_form(kernels::best_vector_isa())));
}

TEST_F(MemoryCapacity, OfACardWithHalfOfWhatItClaimsIsFoundAtTheFirstAddress) {
    FakeDevice card([](std::size_t bytes, int) { return std::make_unique<AliasedMemory>(bytes, bytes / 2); });
    const Outcome outcome = on(card, {{"bytes", "8M"}});
    EXPECT_EQ(outcome.status, Status::failed);
    // Four chunks, each of which overwrote its first half with its second.
    EXPECT_THAT(outcome.reason, HasSubstr("first at offset 0x0:"));
    EXPECT_THAT(outcome.reason, HasSubstr("two addresses share the same memory"));
    EXPECT_LE(value_of(outcome, "memory.capacity.verified_bytes"), 4.1 * mib);
    EXPECT_EQ(outcome.resolved.at("passes"), "1");
}

TEST_F(MemoryCapacity, NamesTheAddressLineThatHasNoEffect) {
    kernels::ThreadTeam team(1);
    AliasedMemory memory(4 * mib, 1 * mib);
    PatternCheck check(team, clock_, memory.bytes());
    check.add_chunk(memory);
    const kernels::AddressPattern pattern{3, false};
    check.write(pattern);
    WrongWords wrong;
    check.verify(pattern, wrong);
    EXPECT_EQ(wrong.count, 3 * mib / 8) << "only the last quarter is what was written last";
    EXPECT_EQ(wrong.first_index, 0u);
    const std::string text = describe_wrong(wrong, pattern, {}, memory.bytes());
    EXPECT_THAT(text, HasSubstr("written at offset 0x300000"));

    AliasedMemory half(4 * mib, 2 * mib);
    PatternCheck second(team, clock_, half.bytes());
    second.add_chunk(half);
    second.write(pattern);
    WrongWords of_half;
    second.verify(pattern, of_half);
    EXPECT_THAT(describe_wrong(of_half, pattern, {}, half.bytes()),
                HasSubstr("bit 21 of the offset has no effect"));
}

TEST_F(MemoryCapacity, OfMemoryThatFlipsABitNamesTheBitAndThePlace) {
    FakeDevice card(sound_memory);
    // Chunks of 1 MiB: the word lies in the third.
    const Outcome outcome = on(card, {{"bytes", "4M"}}, [&](const std::string& stage) {
        if (stage == "verifying the pattern") card.handed_out.at(2)[8 * 1234 + 1] ^= std::byte{0x10};
    });
    EXPECT_EQ(outcome.status, Status::failed);
    EXPECT_THAT(outcome.reason, HasSubstr("1 of 524288 words are wrong"));
    EXPECT_THAT(outcome.reason, HasSubstr(fmt::format("first at offset {:#x}:", 2 * mib + 8 * 1234)));
    EXPECT_THAT(outcome.reason, HasSubstr("0x0000000000001000 (1 of 64)"));
    EXPECT_EQ(value_of(outcome, "memory.capacity.verified_bytes"), 4.0 * mib - 8);
}

TEST_F(MemoryCapacity, OfMemoryThatFailsWithTurnedBitsOnlyIsFoundInTheSecondPass) {
    FakeDevice card(sound_memory);
    std::uint64_t stale[2] = {};
    const Outcome outcome = on(card, {{"bytes", "4M"}}, [&](const std::string& stage) {
        if (stage == "writing the inverted pattern") std::memcpy(stale, card.handed_out.at(1) + 4096, 16);
        if (stage == "verifying the inverted pattern") std::memcpy(card.handed_out.at(1) + 4096, stale, 16);
    });
    EXPECT_EQ(outcome.status, Status::failed);
    EXPECT_THAT(outcome.reason, HasSubstr("2 of 524288 words are wrong"));
    EXPECT_THAT(outcome.reason, HasSubstr(fmt::format("first at offset {:#x}:", mib + 4096)));
    EXPECT_THAT(outcome.reason, HasSubstr("what the pass before wrote"));
    EXPECT_EQ(outcome.resolved.at("passes"), "2");
}

TEST_F(MemoryCapacity, OfMemoryThatForgetsIsFound) {
    FakeDevice card(sound_memory);
    const Outcome outcome = on(card, {{"bytes", "4M"}}, [&](const std::string& stage) {
        if (stage == "verifying the pattern") std::memset(card.handed_out.at(0) + 64, 0, 64);
    });
    EXPECT_EQ(outcome.status, Status::failed);
    EXPECT_THAT(outcome.reason,
                AllOf(HasSubstr("8 of"), HasSubstr("offset 0x40:"), HasSubstr("reads as zero")));
}

TEST_F(MemoryCapacity, FindsTheFirstOfManyWhateverTheOrderAndTheThreads) {
    kernels::ThreadTeam team(kernels::allowed_cpus());
    AliasedMemory memory(3 * mib + 64 * kib, 4 * mib);
    PatternCheck check(team, clock_, memory.bytes());
    check.add_chunk(memory);
    const kernels::AddressPattern pattern{3, false};
    check.write(pattern);
    std::uint64_t* const words = reinterpret_cast<std::uint64_t*>(memory.host_pointer());
    for (const std::size_t index : {400000u, 77777u, 300001u, 5001u, 77776u}) words[index] ^= 1u << index % 3;
    WrongWords wrong;
    check.verify(pattern, wrong);
    EXPECT_EQ(wrong.count, 5u);
    EXPECT_EQ(wrong.first_index, 5001u);
    EXPECT_EQ(wrong.address, words + 5001);
    EXPECT_EQ(wrong.flipped, 1u | 2u | 4u);
    EXPECT_EQ(wrong.expected, kernels::pattern_word(pattern, 5001));
}

TEST(WrongWords, ThatComeAndGoCountAsErrors) {
    WrongWords wrong;
    wrong.add_passing(512, 0x10, nullptr);
    WrongWords other;
    other.add_passing(64, 0x2, nullptr);
    wrong.merge(other);
    EXPECT_EQ(wrong.count, 2u);
    EXPECT_THAT(describe_wrong(wrong, {}, std::nullopt, 1 << 20),
                AllOf(HasSubstr("2 blocks"), HasSubstr("offset 0x200"), HasSubstr("0x0000000000000012")));
    wrong.add(8, 0x1, 0x0, nullptr);
    EXPECT_THAT(describe_wrong(wrong, {}, std::nullopt, 1 << 20), HasSubstr("3 of"));
}

TEST_F(MemoryCapacity, GoesOnWhenAnAllocationInTheMiddleIsRefused) {
    FakeDevice card([](std::size_t bytes, int number) {
        if (number == 2) refuse();
        return sound_memory(bytes, number);
    });
    const Outcome outcome = on(card, {{"bytes", "40M"}});
    // The figures are there, but a part must not pass for the whole that was asked for.
    EXPECT_EQ(outcome.status, Status::failed);
    EXPECT_THAT(outcome.reason, HasSubstr("all that was asked for"));
    EXPECT_EQ(outcome.resolved.at("refused_allocations"), "1");
    EXPECT_LT(value_of(outcome, "memory.capacity.verified_bytes"), 40.0 * mib) << "16 MiB is the least chunk";
    EXPECT_THAT(outcome.notes, Contains(HasSubstr("no memory left")));
}

TEST_F(MemoryCapacity, TriesSmallerChunksBeforeItGivesUp) {
    // 8 GiB go in chunks of 32 MiB; none is really touched.
    FakeDevice card([](std::size_t bytes, int number) {
        if (bytes > 16 * mib || number > 20) refuse();
        return sound_memory(4096, number);
    });
    const TakingRules rules{false, [](std::uint64_t) { return 16 * gib; }, [](DeviceMemory&) {}};
    const TakenMemory taken = take_memory(card, {8 * gib, 0, ""}, rules, clock_);
    EXPECT_EQ(taken.bytes, 20 * 16 * mib);
    EXPECT_EQ(taken.refusals, 2u);
    EXPECT_THAT(taken.shortage, HasSubstr("335544320 of 8589934592 bytes"));
}

TEST_F(MemoryCapacity, IsSkippedWhereNothingIsHad) {
    FakeDevice card([](std::size_t, int) -> std::unique_ptr<DeviceMemory> { refuse(); });
    const Outcome outcome = on(card, {{"bytes", "8M"}});
    EXPECT_EQ(outcome.status, Status::skipped);
    EXPECT_THAT(outcome.reason, HasSubstr("no memory left"));
}

TEST_F(MemoryCapacity, StopsWhenFreeMemoryFalls) {
    FakeDevice card(sound_memory);
    context_.device = &card;
    context_.progress = [](std::string_view, double) {};
    int readings = 0;
    const Outcome outcome = check_capacity(make({{"bytes", "64M"}, {"threads", "1"}}), context_,
                                           [&](std::uint64_t) { return ++readings <= 3 ? gib : 70 * mib; });
    EXPECT_EQ(outcome.resolved.at("bytes"), std::to_string(32 * mib)) << "two chunks";
    EXPECT_THAT(outcome.notes, Contains(AllOf(HasSubstr("Stopped at 33554432 of 67108864 bytes"),
                                              HasSubstr("beside these 73400320 bytes (70 MiB) may be used"),
                                              HasSubstr("reserve"))));
    EXPECT_EQ(value_of(outcome, "memory.capacity.verified_bytes"), 32.0 * mib);
}

TEST_F(MemoryCapacity, StopsWhenTheSystemIsSlowToHandOutMemory) {
    class SlowClock final : public Clock {
      public:
        Nanoseconds now() override { return now_ += std::chrono::seconds(1); }
        void sleep_until(Nanoseconds) override {}

      private:
        Nanoseconds now_{0};
    } clock;
    FakeDevice card(sound_memory);
    TakingRules rules{false, [](std::uint64_t) { return 16 * gib; }, [](DeviceMemory&) {}, Seconds(3)};
    const TakenMemory some = take_memory(card, {gib, 0, ""}, rules, clock);
    EXPECT_EQ(some.bytes, 3 * 16 * mib);
    EXPECT_THAT(some.shortage, AllOf(HasSubstr("50331648 of 1073741824"), HasSubstr("3.0 s are allowed")));
    rules.time_limit = Seconds(0);
    EXPECT_EQ(take_memory(card, {gib, 0, ""}, rules, clock).bytes, 16 * mib) << "one chunk in any case";
}

TEST_F(MemoryCapacity, IsSkippedWhereTheHostCannotReachTheMemory) {
    FakeDevice card([](std::size_t, int) { return std::make_unique<UnreachableMemory>(); });
    const Outcome outcome = on(card, {{"bytes", "8M"}});
    EXPECT_EQ(outcome.status, Status::skipped);
    EXPECT_THAT(outcome.reason, HasSubstr("cannot reach the memory of cuda:0"));
}

TEST_F(MemoryCapacity, OfACardIsHeldAgainstWhatItClaims) {
    FakeDevice card(sound_memory);
    const Outcome outcome = on(card, {{"bytes", "16M"}});
    ASSERT_EQ(outcome.status, Status::measured) << outcome.reason;
    EXPECT_DOUBLE_EQ(value_of(outcome, "memory.capacity.verified_share"), 16.0 / 512);
    EXPECT_THAT(outcome.resolved.at("labelled_by"), HasSubstr("claims"));
}

TEST_F(MemoryCapacity, RefusesWhatCannotBe) {
    for (const auto& [name, value] :
         std::map<std::string, std::string>{{"bytes", "0"}, {"share", "0"}, {"page", "1G"}, {"threads", "0"}})
        EXPECT_THROW(make({{name, value}}), InputError) << name << '=' << value;
    EXPECT_THROW(probe_.check(make({{"threads", "100000"}}), context_), InputError);
    EXPECT_NO_THROW(probe_.check(make({}), context_));
}

TEST_F(MemoryCapacity, IsSkippedWithTheArithmeticWhereMoreIsAskedForThanMayBeUsed) {
    const Outcome outcome = execute(probe_, make({{"bytes", "1000T"}}), context_);
    EXPECT_EQ(outcome.status, Status::skipped);
    EXPECT_THAT(outcome.reason,
                AllOf(HasSubstr("1099511627776000 bytes (1000 TiB) were asked for"), HasSubstr("leaves")));
}

TEST_F(MemoryCapacity, SkipsADeviceThatIsNotThere) {
    const Outcome outcome = execute(probe_, make({{"device", "cuda:99"}}), context_);
    EXPECT_EQ(outcome.status, Status::skipped);
    EXPECT_THAT(outcome.reason, HasSubstr("cuda:99"));
    EXPECT_NO_THROW(probe_.estimate(make({{"device", "cuda:99"}}), context_));
}

TEST(CapacitySize, IsTheShareOfWhatMayBeUsedAndKeepsAReserve) {
    EXPECT_EQ(size_capacity(0, 0.5, 10 * gib, gib).bytes, 5 * gib);
    EXPECT_EQ(size_capacity(0, 0.5, 10 * gib, gib).reserve, gib);
    const CapacitySize most = size_capacity(0, 0.95, 1 * gib, 64 * mib);
    EXPECT_EQ(most.bytes, gib - 64 * mib) << "0.95 would leave less than the reserve";
    EXPECT_THAT(most.reason, HasSubstr("reserve of 67108864"));
}

TEST(CapacitySize, IsFourFifthsOfTheHostsMemoryUnlessAskedOtherwise) {
    const Probe probe = memory_capacity_probe();
    EXPECT_EQ(capacity_size(make_case(probe, {}), true, 10 * gib).bytes, 8 * gib);
    EXPECT_EQ(capacity_size(make_case(probe, {}), false, 100 * gib).bytes, 99 * gib);
    EXPECT_EQ(capacity_size(make_case(probe, {{"share", "0.5"}}), true, 10 * gib).bytes, 5 * gib);
}

TEST(CapacitySize, LeavesTheHostMoreThanACard) {
    EXPECT_EQ(reserve_bytes(true, 10 * gib), 512 * mib);
    EXPECT_EQ(reserve_bytes(true, 1000 * gib), 2 * gib);
    EXPECT_EQ(reserve_bytes(true, 100 * mib), 64 * mib);
    EXPECT_EQ(reserve_bytes(false, 100 * gib), gib);
}

TEST(CapacitySize, OfAGpuWithoutMemoryOfItsOwnIsWhatTheHostCanSpare) {
    std::uint64_t host = 20 * gib;
    const UsableBytes usable = usable_of_card(16 * gib, [&] { return host; });
    EXPECT_EQ(usable(0), 16 * gib);
    host = 19 * gib + 800 * mib;
    EXPECT_EQ(usable(10 * gib), 6 * gib) << "a card's own: the host's fell by a little";
    host = 10 * gib;
    EXPECT_EQ(usable(10 * gib), 6 * gib) << "the host's, which has more than that";
    host = 6 * gib;
    EXPECT_EQ(usable(14 * gib), 2 * gib);
    host = 2 * gib;
    EXPECT_EQ(usable(10 * gib), gib) << "less what the host keeps, a twentieth of 20 GiB";
    host = 512 * mib;
    EXPECT_EQ(usable(10 * gib), 1u);
    host = 0;
    EXPECT_EQ(usable(10 * gib), 6 * gib) << "a system that tells nothing";
}

TEST(CapacitySize, IsNothingWhereTheLimitIsBelowTheSmallestUsefulSize) {
    const CapacitySize size = size_capacity(0, 0.8, 70 * mib, 64 * mib);
    EXPECT_EQ(size.bytes, 0u);
    EXPECT_THAT(size.reason, AllOf(HasSubstr("73400320"), HasSubstr("67108864"), HasSubstr("leaves 6291456"),
                                   HasSubstr("16777216")));
    EXPECT_EQ(size_capacity(0, 0.8, 10 * mib, 64 * mib).bytes, 0u) << "less than the reserve itself";
}

TEST(CapacitySize, IsWhatWasAskedForWhereThatFits) {
    EXPECT_EQ(size_capacity(100 * mib + 5, 0.8, gib, 64 * mib).bytes, 100 * mib) << "whole pages";
    EXPECT_EQ(size_capacity(gib - 64 * mib, 0.8, gib, 64 * mib).bytes, gib - 64 * mib);
    EXPECT_EQ(size_capacity(gib - 63 * mib, 0.8, gib, 64 * mib).bytes, 0u);
    EXPECT_EQ(size_capacity(mib, 0.8, 0, 0).bytes, mib) << "a system that tells nothing";
    EXPECT_EQ(size_capacity(0, 0.8, 0, 0).bytes, 0u);
}

TEST(Residency, OfTouchedPagesIsSeenAndOfOthersIsNot) {
    const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t bytes = 64 * page;
    std::byte* const begin = static_cast<std::byte*>(
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(static_cast<void*>(begin), MAP_FAILED);
    madvise(begin, bytes, MADV_NOHUGEPAGE);
    for (std::size_t at = 0; at < bytes / 2; at += page) begin[at] = std::byte{1};
    EXPECT_EQ(resident_bytes(begin, bytes), bytes / 2);
    EXPECT_EQ(resident_bytes(begin, bytes / 2), bytes / 2);
    EXPECT_FALSE(physical_address(begin + bytes - 1)) << "a page that is not there is nowhere";
    if (const std::optional<std::uint64_t> physical = physical_address(begin + 8)) {
        EXPECT_EQ(*physical % page, 8u);
    }
    munmap(begin, bytes);
    EXPECT_FALSE(resident_bytes(begin, bytes)) << "no mapping";
    EXPECT_TRUE(swapped_bytes());
}

}  // namespace
}  // namespace assay
