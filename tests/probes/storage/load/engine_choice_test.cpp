#include "probes/storage/load/engine_choice.h"

#include <cerrno>

#include <sys/syscall.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/probes/storage/load/load_fixture.h"
#include "tests/probes/storage/storage_fixture.h"
#include "tests/probes/storage/without_calls.h"

namespace assay::storage {
namespace {

using test::without_calls;
using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;

const std::vector<int> io_uring_calls = {SYS_io_uring_setup};
const std::vector<int> libaio_calls = {SYS_io_setup};

TEST(EngineAbsence, TellsWhichEngineIsMissingAndWhy) {
    EXPECT_FALSE(engine_absence(EngineKind::libaio));
    EXPECT_FALSE(engine_absence(EngineKind::io_uring));
    const auto absence = [](EngineKind kind) { return engine_absence(kind).value_or("present"); };
    for (const int error : {ENOSYS, EPERM}) {
        EXPECT_THAT(without_calls(io_uring_calls, error, [&] { return absence(EngineKind::io_uring); }),
                    AllOf(StartsWith("io_uring cannot be used here"), HasSubstr(std::strerror(error))));
    }
    EXPECT_EQ(without_calls(io_uring_calls, EPERM, [&] { return absence(EngineKind::libaio); }), "present");
    EXPECT_THAT(without_calls(libaio_calls, ENOSYS, [&] { return absence(EngineKind::libaio); }),
                StartsWith("libaio cannot be used here: io_setup"));
}

class EngineChoiceTest : public LoadFixture {
  protected:
    std::string chosen(const std::string& asked) {
        const EngineChoice choice = choose_engine(asked, options_, 0.1, context_);
        return fmt::format("{}: {}", choice.engine ? to_string(*choice.engine) : "none", choice.how);
    }
    SteadyClock clock_;
    Context context_{.clock = clock_};
};

TEST_F(EngineChoiceTest, TakesWhatIsAskedFor) {
    EXPECT_THAT(chosen("libaio"), StartsWith("libaio: as asked"));
    EXPECT_THAT(chosen("io_uring"), StartsWith("io_uring: as asked"));
}

TEST_F(EngineChoiceTest, TriesBothAndSaysWhatEachDid) {
    EXPECT_THAT(chosen("auto"), AllOf(AnyOf(StartsWith("libaio: tried"), StartsWith("io_uring: tried")),
                                      HasSubstr("libaio "), HasSubstr("io_uring ")));
}

TEST_F(EngineChoiceTest, FallsBackOnTheOneThatThereIs) {
    EXPECT_THAT(without_calls(io_uring_calls, ENOSYS, [&] { return chosen("auto"); }),
                StartsWith("libaio: io_uring cannot be used here"));
    EXPECT_THAT(without_calls(libaio_calls, ENOSYS, [&] { return chosen("auto"); }),
                StartsWith("io_uring: libaio cannot be used here"));
    EXPECT_THAT(without_calls({SYS_io_setup, SYS_io_uring_setup}, ENOSYS, [&] { return chosen("auto"); }),
                AllOf(StartsWith("none: "), HasSubstr("libaio cannot"), HasSubstr("io_uring cannot")));
    EXPECT_THAT(without_calls(io_uring_calls, EPERM, [&] { return chosen("io_uring"); }),
                AllOf(StartsWith("none: io_uring cannot"), HasSubstr("container")));
}

TEST_F(EngineChoiceTest, TakesTheOtherWhereThereIsNotEnoughOfOneForTheLoad) {
    const auto with_few = [&](const std::vector<int>& calls, int error) {
        return without_calls({}, 0, [&] {
            for (const int call : calls) {
                if (!test::forbid_above(call, 1, error)) return std::string("no filter");
            }
            return chosen("auto");
        });
    };
    EXPECT_THAT(with_few(libaio_calls, EAGAIN),
                AllOf(StartsWith("io_uring: libaio cannot be used here: io_setup"), HasSubstr("aio-max-nr")));
    EXPECT_THAT(with_few(io_uring_calls, ENOMEM),
                StartsWith("libaio: io_uring cannot be used here: io_uring_setup"));
    EXPECT_THAT(with_few({SYS_io_setup, SYS_io_uring_setup}, ENOMEM),
                AllOf(StartsWith("none: libaio cannot"), HasSubstr("; io_uring cannot")));
}

TEST_F(EngineChoiceTest, DoesNotTakeAFailedReadForAMissingEngine) {
    const std::filesystem::path folder = std::filesystem::current_path();
    options_.targets[0].open = [folder] { return os::open_file(folder, O_RDONLY | O_DIRECTORY); };
    EXPECT_THROW(choose_engine("auto", options_, 0.1, context_), std::system_error);
    options_.targets[0].open = [] { return os::open_file("/nonexistent", O_RDONLY); };
    EXPECT_THROW(choose_engine("auto", options_, 0.1, context_), std::system_error);
}

TEST_F(EngineChoiceTest, DoesNotSwallowAWrongBlock) {
    options_.targets[0].span_bytes = 8 * pattern_bytes;
    for (std::uint64_t block = 0; block < 8; ++block)
        put_on_disk(block, std::vector<std::byte>(pattern_bytes, std::byte{1}));
    EXPECT_THROW(choose_engine("auto", options_, 0.1, context_), std::runtime_error);
}

/// A whole case where the kernel refuses an engine.
class MissingEngineTest : public test::StorageFixture {};

TEST_F(MissingEngineTest, SkipsWhatAsksForItAndMeasuresOtherwise) {
    const auto told = [&](const std::string& engine) {
        const Outcome outcome = run({{"engine", engine}});
        const auto found = outcome.resolved.find("engine");
        return fmt::format("{} {} {}", to_string(outcome.status),
                           found == outcome.resolved.end() ? "" : found->second, outcome.reason);
    };
    EXPECT_THAT(without_calls(io_uring_calls, EPERM, [&] { return told("io_uring"); }),
                StartsWith("skipped  io_uring cannot be used here"));
    EXPECT_THAT(without_calls(io_uring_calls, EPERM, [&] { return told("auto"); }),
                StartsWith("measured libaio"));
    EXPECT_THAT(without_calls(libaio_calls, ENOSYS, [&] { return told("auto"); }),
                StartsWith("measured io_uring"))
        << "the scratch file is written by whichever engine there is";
    EXPECT_EQ(entries(), 0u);
}

TEST_F(MissingEngineTest, TellsTheSettingsThatTheKernelRefuses) {
    for (const Probe& probe : {storage_random_read_probe(), storage_latency_curve_probe()}) {
        probe_ = probe;
        const std::string told = without_calls({SYS_io_uring_register}, EPERM, [&] {
            const Outcome outcome = run({{"engine", "io_uring"}});
            const auto found = outcome.resolved.find("engine_refused");
            return fmt::format("{}; refused: {}; {}", to_string(outcome.status),
                               found == outcome.resolved.end() ? "nothing" : found->second, outcome.reason);
        });
        EXPECT_THAT(told, StartsWith("measured; refused: "));
        for (const char* const setting : {"registered file (", "registered buffers (", "registered ring ("}) {
            EXPECT_THAT(told, HasSubstr(std::string(setting) + std::strerror(EPERM) + ")"));
        }
    }
}

}  // namespace
}  // namespace assay::storage
