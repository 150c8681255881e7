#include "probes/interconnect/tcp.h"

#include <algorithm>
#include <system_error>

#include <fmt/format.h>

#include "kernels/cpu/thread_team.h"
#include "probes/interconnect/interconnect.h"
#include "probes/interconnect/peer_process.h"

namespace assay {
namespace interconnect {
namespace {

constexpr std::chrono::milliseconds peer_limit{10'000};

bool is_loopback(const std::string& peer) {
    return peer == "loopback" || peer == "localhost" || peer == "127.0.0.1";
}

void check_case(const Case& the_case, const Context&) {
    const std::string& peer = the_case.text("peer");
    if (!is_loopback(peer)) {
        throw InputError(
            fmt::format("interconnect.tcp.peer: {} cannot be measured by this version, which measures "
                        "only between two processes of this machine; accepted: loopback",
                        peer));
    }
}

/// A thread a stream on either side: more streams than CPUs only wait for one another.
int streams_of(const Case& the_case) {
    constexpr int enough = 4;
    if (the_case.is_auto("streams")) return std::clamp(kernels::allowed_cpus(), 1, enough);
    return static_cast<int>(the_case.integer("streams"));
}

Seconds latency_time_of(const Case& the_case) {
    return Seconds(std::clamp(the_case.seconds("seconds") / 3, 0.1, 2.0));
}

std::string cpus(double cpu_seconds, double seconds) {
    return fmt::format("{:.2f} s, {:.2f} CPUs", cpu_seconds, seconds > 0 ? cpu_seconds / seconds : 0);
}

void add_checks(const TransferResult& result, Outcome& outcome) {
    Check accounting;
    accounting.name = "received bytes equal sent bytes";
    accounting.passed =
        result.sender.stream_bytes == result.receiver.stream_bytes && result.receiver.bytes() > 0;
    accounting.detail = fmt::format("{} sent, {} received", result.sender.bytes(), result.receiver.bytes());
    outcome.checks.push_back(accounting);

    Check payload;
    payload.name = "payload is what was sent";
    payload.passed = result.receiver.wrong_chunks == 0 && result.receiver.compared_bytes > 0;
    payload.error = static_cast<double>(result.receiver.wrong_chunks);
    payload.detail = fmt::format("{} of {} bytes compared, {} chunks differ", result.receiver.compared_bytes,
                                 result.receiver.bytes(), result.receiver.wrong_chunks);
    outcome.checks.push_back(payload);
}

void add_notes(const TransferResult& result, const TransferOptions& options, Outcome& outcome) {
    std::uint64_t round_trips = 0;
    for (const Histogram& slice : result.latency.slices) round_trips += slice.count();
    outcome.notes.push_back(
        "the stack, not a network: both ends are processes of this machine, joined by 127.0.0.1");
    outcome.notes.push_back(
        fmt::format("bandwidth: bytes that the receiver counted in slices of 100 ms over {} streams, a "
                    "thread each side; the "
                    "first 200 ms (slow start) are left out",
                    options.streams));
    outcome.notes.push_back(
        fmt::format("latency: half the round trip of one byte (TCP_NODELAY), {} round trips one after "
                    "another on a connection of "
                    "its own, before the load",
                    round_trips));
    const double gigabytes = static_cast<double>(result.receiver.bytes()) / 1e9;
    if (gigabytes > 0) {
        outcome.notes.push_back(
            fmt::format("CPU time for each GB: {:.3f} s sending, {:.3f} s receiving; "
                        "{:.0f} % of the payload was compared",
                        result.sender.cpu_seconds / gigabytes, result.receiver.cpu_seconds / gigabytes,
                        static_cast<double>(result.receiver.compared_bytes) /
                            static_cast<double>(result.receiver.bytes()) * 100));
    }
    if (result.refused > 0) {
        outcome.notes.push_back(
            fmt::format("{} connections without the token were turned away", result.refused));
    }
}

TransferOptions options_of(const Case& the_case, const Context& context) {
    TransferOptions options;
    options.streams = streams_of(the_case);
    options.initiator_sends = the_case.text("direction") == "send";
    options.stream.message_bytes = the_case.bytes("message_bytes");
    options.stream.seed = context.seed;
    options.latency_time = latency_time_of(the_case);
    options.bandwidth = context.sampling;
    const double seconds = the_case.seconds("seconds");
    options.bandwidth.fixed_time = true;
    options.bandwidth.minimum_time = Seconds(seconds);
    options.bandwidth.maximum_time = Seconds(seconds);
    options.bandwidth.maximum_warm_up = Seconds(std::min(seconds / 3, 1.0));
    return options;
}

Outcome run(const Case& the_case, Context& context) {
    check_case(the_case, context);
    const TransferOptions options = options_of(the_case, context);
    const Token token = random_token();

    TransferResult result;
    try {
        os::FileDescriptor listener = listen_on_loopback();
        const std::uint16_t port = port_of(listener);
        PeerProcess peer([&listener, &token] {
            respond(std::move(listener), token, peer_limit);
            return 0;
        });
        listener.reset();  // the peer has its own
        result = measure(port, token, options, context);
        if (const int code = peer.wait(); code != 0) {
            return failed(the_case, fmt::format("the peer process ended with code {}", code));
        }
    } catch (const std::system_error& error) {
        const bool no_loopback = error.code() == std::errc::network_unreachable ||
                                 error.code() == std::errc::address_not_available;
        if (no_loopback)
            return skipped(the_case, fmt::format("the loopback interface is down ({})", error.what()));
        throw;
    }

    return tcp_outcome(the_case, options, result);
}

Estimate estimate(const Case& the_case, const Context&) {
    const double seconds = the_case.seconds("seconds");
    return {.seconds = seconds + std::min(seconds / 3, 1.0) + latency_time_of(the_case).count() + 0.5};
}

}  // namespace

Outcome tcp_outcome(const Case& the_case, const TransferOptions& options, const TransferResult& result) {
    const Probe probe = interconnect_tcp_probe();
    Outcome outcome;
    outcome.the_case = the_case;
    const Labels axes = {{"network", "loopback"}};
    outcome.metrics.push_back(
        make_metric(probe.metric("interconnect.tcp.bandwidth"), result.bandwidth, Statistic::median, axes));
    outcome.metrics.push_back(make_latency_metric(probe.metric("interconnect.tcp.latency"),
                                                  result.latency.slices, result.latency.ends, Statistic::p50,
                                                  axes));
    outcome.resolved = {
        {"network", "loopback"},
        {"streams", std::to_string(options.streams)},
        {"message_bytes", std::to_string(options.stream.message_bytes)},
        {"congestion_control", result.congestion_control},
        {"retransmits", std::to_string(result.sender.retransmits)},
        {"cpu_sender", cpus(result.sender.cpu_seconds, result.load_seconds)},
        {"cpu_receiver", cpus(result.receiver.cpu_seconds, result.load_seconds)},
    };
    add_checks(result, outcome);
    add_notes(result, options, outcome);
    return outcome;
}

}  // namespace interconnect

Probe interconnect_tcp_probe() {
    Probe probe;
    probe.name = "interconnect.tcp";
    probe.summary = "TCP bandwidth and latency between two processes.";
    probe.parameters = {
        {"peer", ParameterKind::text, "loopback", "where the other end is; loopback: a second process here"},
        {"streams", ParameterKind::integer, "auto", "connections at once; auto: one a CPU, 4 at most", 1, 64},
        {"direction",
         ParameterKind::choice,
         "send",
         "which way the data goes, seen from here",
         0,
         0,
         {"send", "receive"}},
        {"seconds", ParameterKind::seconds, "3", "how long the bandwidth is sampled", 0.2, 3600},
        {"message_bytes", ParameterKind::bytes, "128K", "bytes handed to the system at once", 64, 16 << 20},
    };
    probe.metrics = {
        {"interconnect.tcp.bandwidth",
         Unit::bit_per_second,
         Direction::higher,
         "payload that arrives, all streams together",
         {"network"}},
        {"interconnect.tcp.latency",
         Unit::second,
         Direction::lower,
         "half the round trip of one byte",
         {"network"}},
    };
    probe.run = interconnect::run;
    probe.estimate = interconnect::estimate;
    probe.check = interconnect::check_case;
    probe.tiny = {{"seconds", "0.3"}, {"streams", "1"}};
    return probe;
}

}  // namespace assay
