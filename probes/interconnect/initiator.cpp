#include <memory>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>

#include "probes/interconnect/slices.h"
#include "probes/interconnect/transfer.h"

namespace assay::interconnect {
namespace {

/// The rest of the next line, which must begin with `word`. A responder in trouble says so in words.
std::string expect(LineChannel& control, const std::string& word) {
    const std::string line = control.receive();
    if (line.starts_with("error ")) throw std::runtime_error("the peer failed: " + line.substr(6));
    if (line != word && !line.starts_with(word + ' ')) {
        throw std::runtime_error(fmt::format("the peer said '{}' where '{}' was expected", line, word));
    }
    return line.size() > word.size() ? line.substr(word.size() + 1) : std::string();
}

Slice slice_from(const std::string& text) {
    Slice slice;
    std::istringstream words(text);
    words >> slice.seconds >> slice.bytes;
    if (!words || slice.seconds <= 0) throw std::runtime_error("the peer's slice cannot be read: " + text);
    return slice;
}

LatencySlices ping_pong(const os::FileDescriptor& socket, Seconds time, Clock& clock) {
    const auto round_trip = [&socket] {
        std::byte byte{0x55};
        send_all(socket, {&byte, 1});
        if (!receive_all(socket, {&byte, 1})) throw std::runtime_error("the peer stopped answering");
    };
    constexpr int warm_up = 200;
    for (int i = 0; i < warm_up; ++i) round_trip();

    LatencySlices result;
    const Nanoseconds begin = clock.now();
    const Nanoseconds end = begin + std::chrono::duration_cast<Nanoseconds>(time);
    for (Nanoseconds now = begin; now < end;) {
        Histogram slice;
        const Nanoseconds slice_end = now + SliceCounter::length;
        while (now < slice_end) {
            round_trip();
            const Nanoseconds after = clock.now();
            slice.record(static_cast<std::uint64_t>((after - now).count() / 2));
            now = after;
        }
        result.slices.push_back(std::move(slice));
        result.ends.push_back(seconds_of(now - begin));
    }
    return result;
}

}  // namespace

TransferResult measure(std::uint16_t port, const Token& token, const TransferOptions& options,
                       Context& context) {
    TransferResult result;
    LineChannel control(connect_to_loopback(port, token, Role::control));
    const StreamOptions& stream = options.stream;
    control.send(fmt::format("open {} {} {} {} {}", options.streams,
                             options.initiator_sends ? "send" : "receive", stream.message_bytes, stream.seed,
                             stream.damaged_message ? static_cast<long long>(*stream.damaged_message) : -1));
    const os::FileDescriptor latency = connect_to_loopback(port, token, Role::latency);
    std::vector<os::FileDescriptor> sockets;
    for (int i = 0; i < options.streams; ++i) sockets.push_back(connect_to_loopback(port, token, Role::data));
    result.congestion_control = congestion_control_of(sockets.front());
    result.refused = std::stoi(expect(control, "ready"));

    context.progress("latency", 0.0);
    result.latency = ping_pong(latency, options.latency_time, context.clock);

    context.progress("bandwidth", 0.3);
    control.send("start");
    expect(control, "running");
    const Nanoseconds begin = context.clock.now();
    Streams streams(options.initiator_sends ? Streams::Kind::send : Streams::Kind::receive,
                    std::move(sockets), stream);
    SliceCounter own(context.clock, streams);
    // The receiver's bytes are the truth, so its slices are taken, wherever it is.
    const auto next_slice = [&] {
        if (options.initiator_sends) return slice_from(expect(control, "slice")).bits_per_second();
        own.wait();
        return own.take().bits_per_second();
    };
    constexpr int slow_start_slices = 2;
    for (int i = 0; i < slow_start_slices; ++i) next_slice();
    result.bandwidth = context.sample(options.bandwidth, next_slice);

    streams.stop();
    control.send("stop");
    const SideReport ours = streams.finish();
    std::string line = control.receive();
    while (line.starts_with("slice ")) line = control.receive();  // those that were under way
    result.load_seconds = seconds_of(context.clock.now() - begin);
    if (!line.starts_with("done ")) throw std::runtime_error("the peer ended with: " + line);
    const SideReport theirs = side_report_from(line.substr(5));
    result.sender = options.initiator_sends ? ours : theirs;
    result.receiver = options.initiator_sends ? theirs : ours;
    control.send("bye");
    return result;
}

}  // namespace assay::interconnect
