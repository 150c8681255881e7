#include "probes/interconnect/streams.h"

#include <numeric>
#include <sstream>
#include <stdexcept>

#include <sys/resource.h>
#include <sys/socket.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "probes/interconnect/pattern.h"
#include "probes/interconnect/socket.h"

namespace assay::interconnect {

std::uint64_t SideReport::bytes() const {
    return std::accumulate(stream_bytes.begin(), stream_bytes.end(), std::uint64_t{0});
}

std::string to_line(const SideReport& report) {
    return fmt::format("{} {} {} {} {} {}", report.stream_bytes.size(), fmt::join(report.stream_bytes, " "),
                       report.compared_bytes, report.wrong_chunks, report.retransmits, report.cpu_seconds);
}

SideReport side_report_from(const std::string& line) {
    SideReport report;
    std::istringstream words(line);
    std::size_t streams = 0;
    words >> streams;
    for (std::size_t i = 0; i < streams && words; ++i) {
        report.stream_bytes.push_back(0);
        words >> report.stream_bytes.back();
    }
    words >> report.compared_bytes >> report.wrong_chunks >> report.retransmits >> report.cpu_seconds;
    if (!words) throw std::runtime_error("the peer's report cannot be read: " + line);
    return report;
}

double process_cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Streams::Streams(Kind kind, std::vector<os::FileDescriptor> sockets, const StreamOptions& options)
    : options_(options), cpu_at_start_(process_cpu_seconds()) {
    for (os::FileDescriptor& socket : sockets) {
        streams_.push_back(std::make_unique<Stream>());
        streams_.back()->socket = std::move(socket);
    }
    for (std::size_t i = 0; i < streams_.size(); ++i) {
        Stream& stream = *streams_[i];
        const std::uint64_t seed = options_.seed + i;
        stream.thread = std::thread([this, kind, &stream, seed] {
            try {
                kind == Kind::send ? send(stream, seed) : receive(stream, seed);
            } catch (...) {
                keep(std::current_exception());
            }
        });
    }
}

Streams::~Streams() {
    stopping_ = true;
    for (const std::unique_ptr<Stream>& stream : streams_) {
        if (stream->socket) ::shutdown(stream->socket.get(), SHUT_RDWR);
    }
    for (const std::unique_ptr<Stream>& stream : streams_) {
        if (stream->thread.joinable()) stream->thread.join();
    }
}

void Streams::keep(std::exception_ptr failure) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = failure;
}

void Streams::send(Stream& stream, std::uint64_t seed) {
    const Pattern pattern(seed, options_.message_bytes);
    std::uint64_t position = 0;
    for (std::uint64_t message = 0; !stopping_.load(std::memory_order_relaxed); ++message) {
        std::span<const std::byte> payload = pattern.at(position, options_.message_bytes);
        std::vector<std::byte> damaged;
        if (options_.damaged_message == message) {
            damaged.assign(payload.begin(), payload.end());
            for (std::byte& byte : damaged) byte = ~byte;
            payload = damaged;
        }
        send_all(stream.socket, payload);
        position += payload.size();
        stream.bytes.store(position, std::memory_order_relaxed);
    }
    stream.retransmits = retransmits_of(stream.socket);
    ::shutdown(stream.socket.get(), SHUT_WR);
    // The connection stays until the receiver has taken everything and closed: then nothing is left behind.
    std::byte nothing{};
    receive_some(stream.socket, {&nothing, 1});
}

void Streams::receive(Stream& stream, std::uint64_t seed) {
    std::vector<std::byte> buffer(options_.message_bytes);
    PatternCheck check(seed, options_.message_bytes);
    while (true) {
        const std::size_t got = receive_some(stream.socket, buffer);
        if (got == 0) break;
        check.chunk(std::span(buffer).first(got));
        stream.bytes.store(check.position(), std::memory_order_relaxed);
    }
    stream.compared = check.compared_bytes();
    stream.wrong = check.wrong_chunks();
    ::shutdown(stream.socket.get(), SHUT_RDWR);
}

std::uint64_t Streams::bytes() const {
    std::uint64_t sum = 0;
    for (const std::unique_ptr<Stream>& stream : streams_)
        sum += stream->bytes.load(std::memory_order_relaxed);
    return sum;
}

SideReport Streams::finish() {
    for (const std::unique_ptr<Stream>& stream : streams_) {
        if (stream->thread.joinable()) stream->thread.join();
    }
    if (failure_) std::rethrow_exception(failure_);
    SideReport report;
    for (const std::unique_ptr<Stream>& stream : streams_) {
        report.stream_bytes.push_back(stream->bytes);
        report.compared_bytes += stream->compared;
        report.wrong_chunks += stream->wrong;
        report.retransmits += stream->retransmits;
    }
    report.cpu_seconds = process_cpu_seconds() - cpu_at_start_;
    return report;
}

}  // namespace assay::interconnect
