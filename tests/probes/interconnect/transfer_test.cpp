#include "probes/interconnect/transfer.h"

#include <csignal>
#include <filesystem>
#include <future>
#include <iterator>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probes/interconnect/interconnect.h"
#include "probes/interconnect/peer_process.h"
#include "probes/interconnect/tcp.h"

namespace assay::interconnect {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::HasSubstr;

/// A context whose sampler takes a few slices and no more.
class ShortContext {
  public:
    explicit ShortContext(int slices = 3) : context{.clock = clock_} {
        context.sample = [slices](const SamplingPolicy&, const std::function<double()>& take) {
            SampleSet set;
            for (int i = 0; i < slices; ++i) {
                set.values.push_back(take());
                set.at.push_back(0.1 * (i + 1));
            }
            return set;
        };
        context.progress = [](std::string_view, double) {};
    }

  private:
    SteadyClock clock_;

  public:
    Context context;
};

TransferOptions small_transfer(int streams, bool initiator_sends) {
    TransferOptions options;
    options.streams = streams;
    options.initiator_sends = initiator_sends;
    options.latency_time = Seconds(0.02);
    return options;
}

/// A responder on a thread of this process, and where it listens.
struct Served {
    Token token = random_token();
    std::uint16_t port = 0;
    std::future<int> refused;

    explicit Served(std::chrono::milliseconds limit = 5s) {
        os::FileDescriptor listener = listen_on_loopback();
        port = port_of(listener);
        refused = std::async(std::launch::async, [this, limit, own = std::move(listener)]() mutable {
            return respond(std::move(own), token, limit);
        });
    }
};

std::size_t open_descriptors() {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

/// True when nothing listens on the port any more.
bool is_closed(std::uint16_t port) {
    try {
        connect_to_loopback(port, random_token(), Role::control);
    } catch (const std::system_error& error) {
        return error.code() == std::errc::connection_refused;
    }
    return false;
}

class EitherDirection : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Transfer, EitherDirection, ::testing::Values(true, false),
                         [](const ::testing::TestParamInfo<bool>& direction) {
                             return direction.param ? "sending" : "receiving";
                         });

TEST_P(EitherDirection, EveryByteSentIsReceivedOnEveryStream) {
    Served served;
    ShortContext context;
    const TransferResult result =
        measure(served.port, served.token, small_transfer(2, GetParam()), context.context);
    EXPECT_EQ(served.refused.get(), 0);
    ASSERT_EQ(result.sender.stream_bytes.size(), 2u);
    EXPECT_EQ(result.sender.stream_bytes, result.receiver.stream_bytes);
    EXPECT_GT(result.receiver.stream_bytes[0], 0u);
    EXPECT_GT(result.receiver.stream_bytes[1], 0u);
    EXPECT_EQ(result.receiver.wrong_chunks, 0u);
    EXPECT_GT(result.receiver.compared_bytes, result.receiver.bytes() / 64);
    EXPECT_EQ(result.bandwidth.values.size(), 3u);
    for (const double value : result.bandwidth.values) EXPECT_GT(value, 0);
}

TEST_P(EitherDirection, SlicesAddUpToWhatWasReceived) {
    Served served;
    ShortContext context(5);
    const TransferResult result =
        measure(served.port, served.token, small_transfer(1, GetParam()), context.context);
    double bits = 0;
    for (const double value : result.bandwidth.values) bits += value * 0.1;
    // The slices are at least a tenth of a second long, and slow start and the end are not among them.
    EXPECT_LE(bits, static_cast<double>(result.receiver.bytes()) * 8 * 1.001);
    EXPECT_GT(bits, static_cast<double>(result.receiver.bytes()) * 8 * 0.1);
}

TEST_P(EitherDirection, ADamagedPayloadIsNoticed) {
    Served served;
    ShortContext context;
    TransferOptions options = small_transfer(1, GetParam());
    options.stream.damaged_message = 7;
    const TransferResult result = measure(served.port, served.token, options, context.context);
    EXPECT_GT(result.receiver.wrong_chunks, 0u);
    EXPECT_EQ(result.sender.bytes(), result.receiver.bytes()) << "damage changes no length";
    const Probe probe = interconnect_tcp_probe();
    const Outcome outcome = tcp_outcome(make_case(probe, {}), options, result);
    ASSERT_EQ(outcome.checks.size(), 2u);
    EXPECT_TRUE(outcome.checks[0].passed);
    EXPECT_FALSE(outcome.checks[1].passed);
}

TEST(Transfer, AStrangerWithAWrongTokenIsRefusedAndThePeerServed) {
    Served served;
    Token wrong = served.token;
    wrong.back() ^= std::byte{1};
    EXPECT_THROW(connect_to_loopback(served.port, wrong, Role::control), std::runtime_error);
    ShortContext context;
    const TransferResult result =
        measure(served.port, served.token, small_transfer(1, true), context.context);
    EXPECT_EQ(served.refused.get(), 1);
    EXPECT_EQ(result.refused, 1);
    EXPECT_GT(result.receiver.bytes(), 0u);
}

TEST(Transfer, APeerThatAsksForAnotherRoleIsRefused) {
    Served served(300ms);
    EXPECT_THROW(connect_to_loopback(served.port, served.token, Role::data), std::runtime_error);
    EXPECT_THROW(served.refused.get(), std::runtime_error);
}

TEST(Transfer, TheResponderStopsListeningWhenNobodyComes) {
    Served served(50ms);
    EXPECT_THROW(served.refused.get(), std::runtime_error);
    EXPECT_TRUE(is_closed(served.port));
}

TEST(Transfer, ThePortIsClosedWhileTheLoadRunsAndAfterwards) {
    Served served;
    ShortContext context;
    bool closed_meanwhile = false;
    context.context.sample = [&](const SamplingPolicy&, const std::function<double()>& take) {
        closed_meanwhile = is_closed(served.port);
        return SampleSet{.values = {take()}, .at = {0.1}};
    };
    measure(served.port, served.token, small_transfer(1, true), context.context);
    served.refused.get();
    EXPECT_TRUE(closed_meanwhile);
    EXPECT_TRUE(is_closed(served.port));
}

TEST(Transfer, ListensOnTheLoopbackAddressAlone) {
    const os::FileDescriptor listener = listen_on_loopback();
    const auto reached_at = [&](const std::string& address) {
        const std::string target = "/dev/tcp/" + address + '/' + std::to_string(port_of(listener));
        return std::system(("bash -c 'exec 3<>" + target + "' 2>/dev/null").c_str()) == 0;
    };
    EXPECT_TRUE(reached_at("127.0.0.1"));
    // Another loopback address stands for any other address of this machine.
    EXPECT_FALSE(reached_at("127.0.0.2"));
}

TEST(Transfer, APeerThatDiesInTheMiddleIsAnErrorAndNoHang) {
    const Token token = random_token();
    os::FileDescriptor listener = listen_on_loopback();
    const std::uint16_t port = port_of(listener);
    PeerProcess peer([&listener, &token] { return respond(std::move(listener), token, 5s); });
    listener.reset();
    ShortContext context;
    context.context.sample = [&](const SamplingPolicy&, const std::function<double()>& take) {
        ::kill(peer.id(), SIGKILL);
        SampleSet set;
        for (int i = 0; i < 50; ++i) set.values.push_back(take());
        return set;
    };
    EXPECT_THROW(measure(port, token, small_transfer(2, true), context.context), std::runtime_error);
    EXPECT_EQ(peer.wait(), 128 + SIGKILL);
}

TEST(Streams, AConnectionThatBreaksIsAnErrorOfTheTransfer) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    std::vector<os::FileDescriptor> sockets;
    sockets.emplace_back(ends[0]);
    ::close(ends[1]);
    Streams streams(Streams::Kind::send, std::move(sockets), {});
    EXPECT_THROW(streams.finish(), std::system_error);
}

TEST(PeerProcess, IsGoneWhenItsOwnerIs) {
    pid_t id = -1;
    {
        const PeerProcess peer([] {
            ::pause();
            return 0;
        });
        id = peer.id();
        EXPECT_EQ(::kill(id, 0), 0);
    }
    EXPECT_EQ(::kill(id, 0), -1);
    EXPECT_EQ(errno, ESRCH);
}

TEST(PeerProcess, TellsHowItEnded) {
    EXPECT_EQ(PeerProcess([] { return 7; }).wait(), 7);
    EXPECT_EQ(PeerProcess([]() -> int { throw std::runtime_error("no"); }).wait(), 70);
}

TEST(PeerProcess, DiesWithAParentThatIsKilled) {
    // This process takes the place of init, so that it learns how its grandchild ended.
    ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t parent = ::fork();
    if (parent == 0) {
        const PeerProcess peer([&ends] {
            const pid_t id = ::getpid();  // told from within: by now it is set up
            if (::write(ends[1], &id, sizeof id) == sizeof id) ::pause();
            return 0;
        });
        ::pause();
        ::_exit(1);
    }
    pid_t grandchild = -1;
    ASSERT_EQ(::read(ends[0], &grandchild, sizeof grandchild), static_cast<ssize_t>(sizeof grandchild));
    ::kill(parent, SIGKILL);
    ::waitpid(parent, nullptr, 0);
    int status = 0;
    pid_t ended = 0;
    for (int i = 0; i < 500 && ended == 0; ++i) {
        ended = ::waitpid(grandchild, &status, WNOHANG);
        if (ended == 0) std::this_thread::sleep_for(10ms);
    }
    EXPECT_EQ(ended, grandchild) << "it lives on";
    if (ended == 0) ::kill(grandchild, SIGKILL);
    EXPECT_TRUE(WIFSIGNALED(status));
    ::close(ends[0]);
    ::close(ends[1]);
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST(Tcp, MeasuresBothMetricsOverLoopbackAndLeavesNothingBehind) {
    const Probe probe = interconnect_tcp_probe();
    const std::size_t before = open_descriptors();
    SteadyClock clock;
    Context context{.clock = clock};
    const Outcome outcome = execute(probe, make_case(probe, probe.tiny), context);
    EXPECT_EQ(outcome.status, Status::measured) << outcome.reason;
    ASSERT_EQ(outcome.metrics.size(), 2u);
    for (const Metric& metric : outcome.metrics) {
        EXPECT_EQ(metric.labels.at("network"), "loopback");
        EXPECT_GT(metric.value, 0);
    }
    EXPECT_TRUE(outcome.metrics[1].histogram);
    EXPECT_THAT(outcome.notes, Contains(HasSubstr("the stack, not a network")));
    EXPECT_EQ(open_descriptors(), before);
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
}

TEST(Tcp, RefusesAnyOtherPeerBeforeRunning) {
    const Probe probe = interconnect_tcp_probe();
    SteadyClock clock;
    const Context context{.clock = clock};
    EXPECT_NO_THROW(probe.check(make_case(probe, {}), context));
    try {
        probe.check(make_case(probe, {{"peer", "192.168.1.100"}}), context);
        FAIL() << "accepted";
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(), HasSubstr("interconnect.tcp.peer"));
        EXPECT_THAT(error.what(), HasSubstr("accepted: loopback"));
    }
}

TEST(Tcp, BytesThatGotLostFailTheCheck) {
    TransferResult result;
    result.sender.stream_bytes = {1000, 2000};
    result.receiver.stream_bytes = {2000, 1000};  // the sums agree, the streams do not
    result.receiver.compared_bytes = 3000;
    result.bandwidth = {.values = {1e9, 1e9}, .at = {0.1, 0.2}};
    result.latency.slices.emplace_back().record(1000);
    result.latency.ends = {0.1};
    const Probe probe = interconnect_tcp_probe();
    EXPECT_FALSE(tcp_outcome(make_case(probe, {}), {}, result).checks[0].passed);
    result.receiver.stream_bytes = result.sender.stream_bytes;
    EXPECT_TRUE(tcp_outcome(make_case(probe, {}), {}, result).checks[0].passed);
    result.receiver.compared_bytes = 0;
    EXPECT_FALSE(tcp_outcome(make_case(probe, {}), {}, result).checks[1].passed) << "nothing was compared";
}

}  // namespace
}  // namespace assay::interconnect
