// Both engines against pread and pwrite, on a nameless file of the build's disk.

#include "probes/storage/engine/engine.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <numeric>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/core/os/block_device.h"
#include "probes/core/os/file_descriptor.h"
#include "probes/core/os/mapping.h"
#include "probes/core/os/scratch_file.h"
#include "probes/core/random.h"

namespace assay::storage {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAreArray;

constexpr std::uint64_t block_bytes = 4096;
constexpr std::uint32_t block_size = 4096;
constexpr std::uint64_t blocks = 256;

class EngineTest : public testing::TestWithParam<EngineKind> {
  protected:
    void SetUp() override {
        buffered_ = os::make_nameless_file(std::filesystem::current_path());
        content_.resize(blocks * block_bytes);
        Random random(1, 0);
        for (std::byte& byte : content_) byte = static_cast<std::byte>(random.next());
        ASSERT_EQ(::pwrite(buffered_.get(), content_.data(), content_.size(), 0),
                  static_cast<ssize_t>(content_.size()));
        ASSERT_EQ(::fsync(buffered_.get()), 0);
        direct_ = os::open_file(os::path_of(buffered_), O_RDWR | O_DIRECT);
    }
    /// An engine upon `file`, and memory of 0xee for it.
    void make(int depth, int file, bool polled = false) {
        engine_.reset();
        memory_ = os::Mapping::anonymous(block_bytes * static_cast<std::uint64_t>(depth));
        std::fill(memory_.span().begin(), memory_.span().end(), std::byte{0xee});
        EngineOptions options;
        options.file = file;
        options.memory = memory_.span();
        options.slot_bytes = block_bytes;
        options.depth = depth;
        options.polled = polled;
        engine_ = make_engine(GetParam(), options);
        engine_->begin();
    }
    void make(int depth) { make(depth, direct_.get()); }

    std::int32_t result_of(const Transfer& transfer) {
        engine_->submit({&transfer, 1}, true);
        Completion done;
        EXPECT_EQ(engine_->reap({&done, 1}, 1), 1u);
        EXPECT_EQ(done.slot, transfer.slot);
        return done.result;
    }
    std::span<std::byte> slot(std::uint64_t number) const {
        return memory_.span().subspan(number * block_bytes, block_bytes);
    }
    std::span<const std::byte> block(std::uint64_t number) const {
        return std::span(content_).subspan(number * block_bytes, block_bytes);
    }
    static bool same(std::span<const std::byte> one, std::span<const std::byte> other) {
        return std::equal(one.begin(), one.end(), other.begin(), other.end());
    }

    std::vector<std::byte> content_;
    os::FileDescriptor buffered_;
    os::FileDescriptor direct_;
    os::Mapping memory_;
    std::unique_ptr<Engine> engine_;
};

TEST_P(EngineTest, ReadsTheRightBytesIntoTheRightSlots) {
    for (const int depth : {1, 3, 128}) {
        for (const bool at_once : {false, true}) {
            make(depth);
            Random random(2, static_cast<std::uint64_t>(depth));
            for (int round = 0; round < 5; ++round) {
                std::vector<std::uint64_t> wanted(static_cast<std::size_t>(depth));
                std::vector<Transfer> transfers;
                for (std::uint32_t i = 0; i < wanted.size(); ++i) {
                    wanted[i] = random.next() % blocks;
                    transfers.push_back({wanted[i] * block_bytes, block_size, i, false});
                }
                engine_->submit(transfers, at_once);
                std::vector<std::uint32_t> seen;
                std::vector<Completion> completions(wanted.size());
                while (seen.size() < wanted.size()) {
                    const std::size_t count = engine_->reap(completions, 1);
                    ASSERT_GE(count, 1u);
                    for (std::size_t i = 0; i < count; ++i) {
                        EXPECT_EQ(completions[i].result, static_cast<std::int32_t>(block_bytes));
                        seen.push_back(completions[i].slot);
                    }
                }
                std::vector<std::uint32_t> all(wanted.size());
                std::iota(all.begin(), all.end(), 0U);
                EXPECT_THAT(seen, UnorderedElementsAreArray(all)) << "each slot once";
                for (std::size_t i = 0; i < wanted.size(); ++i) {
                    ASSERT_TRUE(same(slot(i), block(wanted[i]))) << "depth " << depth << ", slot " << i;
                }
            }
        }
    }
}

TEST_P(EngineTest, WritesTheRightBytesAtTheRightPlacesAndNothingElse) {
    make(4);
    const std::array<std::uint64_t, 4> places = {7, 0, 255, 100};
    std::vector<Transfer> transfers;
    for (std::uint32_t i = 0; i < places.size(); ++i) {
        std::memset(slot(i).data(), static_cast<int>(i) + 1, block_bytes);
        transfers.push_back({places[i] * block_bytes, block_size, i, true});
        std::memset(content_.data() + places[i] * block_bytes, static_cast<int>(i) + 1, block_bytes);
    }
    engine_->submit(transfers, false);
    std::array<Completion, 4> completions;
    ASSERT_EQ(engine_->reap(completions, 4), 4u);
    for (const Completion& done : completions) EXPECT_EQ(done.result, static_cast<std::int32_t>(block_bytes));
    std::vector<std::byte> now(content_.size());
    ASSERT_EQ(::pread(buffered_.get(), now.data(), now.size(), 0), static_cast<ssize_t>(now.size()));
    EXPECT_TRUE(same(now, content_));
}

TEST_P(EngineTest, WaitsForAtLeastSoManyAndTakesNoMoreThanThereIsRoomFor) {
    make(16);
    std::vector<Transfer> transfers;
    for (std::uint32_t i = 0; i < 16; ++i) transfers.push_back({i * block_bytes, block_size, i, false});
    engine_->submit(transfers, false);
    std::array<Completion, 16> completions;
    std::size_t done = engine_->reap(std::span(completions).first(5), 5);
    EXPECT_EQ(done, 5u);
    const std::size_t second = engine_->reap(std::span(completions).first(4), 2);
    EXPECT_GE(second, 2u);
    EXPECT_LE(second, 4u);
    done += second;
    // None required: takes what there is, without waiting.
    done += engine_->reap(std::span(completions).first(3), 0);
    EXPECT_LE(done, 12u);
    const std::size_t rest = 16 - done;
    EXPECT_EQ(engine_->reap(std::span(completions).first(rest), rest), rest);
    EXPECT_EQ(engine_->reap(completions, 0), 0u) << "nothing is in flight any more";
}

TEST_P(EngineTest, TellsHowMuchWasReadAtTheEndOfTheFile) {
    ASSERT_EQ(::ftruncate(buffered_.get(), 10 * block_bytes + 1000), 0);
    make(1);
    EXPECT_EQ(result_of({9 * block_bytes, block_size, 0, false}), 4096);
    EXPECT_EQ(result_of({10 * block_bytes, block_size, 0, false}), 1000);
    EXPECT_EQ(result_of({11 * block_bytes, block_size, 0, false}), 0);
}

TEST_P(EngineTest, GivesErrorsOfSingleRequestsAsTheirResult) {
    make(2);
    EXPECT_EQ(result_of({1, block_size, 1, false}), -EINVAL) << "unaligned";
    // The engine goes on after it.
    EXPECT_EQ(result_of({block_bytes, block_size, 0, false}), 4096);
    EXPECT_TRUE(same(slot(0), block(1)));
    const os::FileDescriptor read_only = os::open_file(os::path_of(buffered_), O_RDONLY | O_DIRECT);
    make(1, read_only.get());
    const Transfer write{0, block_size, 0, true};
    if (GetParam() == EngineKind::libaio) {
        EXPECT_THROW(engine_->submit({&write, 1}, true), std::system_error);  // io_submit itself refuses
    } else {
        EXPECT_EQ(result_of(write), -EBADF);
    }
    std::vector<std::byte> now(block_bytes);
    ASSERT_EQ(::pread(buffered_.get(), now.data(), now.size(), 0), static_cast<ssize_t>(now.size()));
    EXPECT_TRUE(same(now, block(0)));
}

TEST_P(EngineTest, FailsOnADescriptorThatIsNotOpen) {
    int error = 0;
    try {
        make(1, 987654);
        error = -result_of({0, block_size, 0, false});
    } catch (const std::system_error& thrown) {
        error = thrown.code().value();
    }
    EXPECT_EQ(error, EBADF);
}

TEST_P(EngineTest, LeavesNothingInFlightBehindWhenItEnds) {
    for (int round = 0; round < 20; ++round) {
        make(64);
        std::vector<Transfer> transfers;
        for (std::uint32_t i = 0; i < 64; ++i) transfers.push_back({i * block_bytes, block_size, i, false});
        engine_->submit(transfers, true);
        engine_.reset();
        const std::vector<std::byte> then(memory_.span().begin(), memory_.span().end());
        ::usleep(2000);
        ASSERT_TRUE(same(then, memory_.span())) << "a request wrote into the memory afterwards";
    }
}

TEST_P(EngineTest, LetsGoOfTheFileAtOnce) {
    const std::filesystem::path path = std::filesystem::current_path() / "assay-engine-lease";
    os::FileDescriptor file = os::open_file(path, O_CREAT | O_RDWR | O_DIRECT);
    ASSERT_EQ(::ftruncate(file.get(), 4096), 0);
    const os::FileDescriptor reader = os::open_file(path, O_RDONLY);
    ASSERT_EQ(::unlink(path.c_str()), 0);
    make(1, file.get());
    EXPECT_EQ(result_of({0, block_size, 0, false}), 4096);
    EXPECT_NE(::fcntl(reader.get(), F_SETLEASE, F_RDLCK), 0) << "it is open for writing";
    engine_.reset();
    file = {};
    // The kernel lends it to nobody as long as anybody has it open for writing.
    EXPECT_EQ(::fcntl(reader.get(), F_SETLEASE, F_RDLCK), 0) << std::strerror(errno);
}

TEST_P(EngineTest, SaysThatPolledCompletionIsNotToBeHad) {
    struct stat status {};
    ASSERT_EQ(::fstat(buffered_.get(), &status), 0);
    const std::optional<os::BlockDevice> device = os::block_device_of(status.st_dev);
    if (device) {
        for (const os::BlockDevice& leaf : os::leaf_devices(*device)) {
            if (os::queue_settings(leaf)["io_poll"] == "1") GTEST_SKIP() << "this disk has poll queues";
        }
    }
    make(2, direct_.get(), true);
    EXPECT_EQ(result_of({3 * block_bytes, block_size, 1, false}), 4096);
    EXPECT_TRUE(same(slot(1), block(3)));
    EXPECT_THAT(engine_->flags(), Not(Contains(HasSubstr("polled"))));
    if (GetParam() != EngineKind::io_uring) return;
    EXPECT_THAT(engine_->refused(), Contains(HasSubstr("polled completion (")));
    EXPECT_THAT(engine_->flags(), Contains("registered file"));
}

TEST_P(EngineTest, RefusesMemoryThatIsTooSmall) {
    const os::Mapping memory = os::Mapping::anonymous(block_bytes);
    EngineOptions options;
    options.file = direct_.get();
    options.memory = memory.span();
    options.slot_bytes = block_bytes;
    options.depth = 2;
    EXPECT_THROW(make_engine(GetParam(), options), std::logic_error);
}

INSTANTIATE_TEST_SUITE_P(Each, EngineTest, testing::Values(EngineKind::libaio, EngineKind::io_uring),
                         [](const testing::TestParamInfo<EngineKind>& kind) {
                             return std::string(to_string(kind.param));
                         });

TEST(EngineKind, HasANameThatLeadsBack) {
    for (const EngineKind kind : {EngineKind::libaio, EngineKind::io_uring}) {
        EXPECT_EQ(engine_from_string(to_string(kind)), kind);
    }
    EXPECT_FALSE(engine_from_string("auto"));
}

}  // namespace
}  // namespace assay::storage
