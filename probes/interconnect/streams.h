#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "probes/core/os/file_descriptor.h"

namespace assay::interconnect {

struct StreamOptions {
    std::size_t message_bytes = 128 * 1024;
    std::uint64_t seed = 1;
    /// For tests: every byte of this message (counted from 0, of each stream) is sent wrong.
    std::optional<std::uint64_t> damaged_message;
};

/// What one side of a transfer saw.
struct SideReport {
    std::vector<std::uint64_t> stream_bytes;  ///< sent or received, a stream each
    std::uint64_t compared_bytes = 0;         ///< of the received ones
    std::uint64_t wrong_chunks = 0;
    std::uint64_t retransmits = 0;  ///< of the sender's connections
    double cpu_seconds = 0;         ///< of the whole process, user and system

    std::uint64_t bytes() const;
};
std::string to_line(const SideReport& report);
SideReport side_report_from(const std::string& line);

/// CPU time of this process so far, user and system, all threads.
double process_cpu_seconds();

/// One side of a transfer: a thread a connection. Destroying it ends the connections.
class Streams {
  public:
    enum class Kind { send, receive };
    Streams(Kind kind, std::vector<os::FileDescriptor> sockets, const StreamOptions& options);
    ~Streams();
    Streams(const Streams&) = delete;
    Streams& operator=(const Streams&) = delete;

    std::uint64_t bytes() const;  ///< moved so far; may be asked while they run
    /// Senders stop after the message at hand and close their direction.
    void stop() { stopping_ = true; }
    /// Waits for every thread (receivers run until the senders close) and reports. What a thread threw is
    /// thrown here.
    SideReport finish();

  private:
    struct alignas(64) Stream {  // a cache line each: the counters are written all the time
        os::FileDescriptor socket;
        std::atomic<std::uint64_t> bytes{0};
        std::uint64_t compared = 0, wrong = 0, retransmits = 0;
        std::thread thread;
    };
    void send(Stream& stream, std::uint64_t seed);
    void receive(Stream& stream, std::uint64_t seed);
    void keep(std::exception_ptr failure);

    StreamOptions options_;
    std::vector<std::unique_ptr<Stream>> streams_;
    std::atomic<bool> stopping_{false};
    double cpu_at_start_ = 0;
    std::mutex mutex_;
    std::exception_ptr failure_;
};

}  // namespace assay::interconnect
