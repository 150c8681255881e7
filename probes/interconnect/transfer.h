#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "probes/core/histogram.h"
#include "probes/core/probe.h"
#include "probes/interconnect/socket.h"
#include "probes/interconnect/streams.h"

/// A TCP measurement between an initiator, which decides, and a responder, which serves one of them.
namespace assay::interconnect {

/// Serves one initiator that knows `token`, from its first connection to its last command, and returns how
/// many strangers were turned away. Listens no longer than it takes to accept the initiator's connections.
/// Throws when none comes within `limit`.
int respond(os::FileDescriptor listener, const Token& token, std::chrono::milliseconds limit);

struct TransferOptions {
    int streams = 1;
    bool initiator_sends = true;
    StreamOptions stream;
    Seconds latency_time{1.0};
    SamplingPolicy bandwidth;  ///< how long the load is sampled
};

/// Half round trips of one byte, a histogram a slice of a tenth of a second.
struct LatencySlices {
    std::vector<Histogram> slices;
    std::vector<double> ends;  ///< seconds since the first began
};

struct TransferResult {
    LatencySlices latency;
    SampleSet bandwidth;  ///< bit/second, a sample a slice, counted by the receiver
    SideReport sender, receiver;
    double load_seconds = 0;  ///< from the first byte to the last
    std::string congestion_control;
    int refused = 0;  ///< strangers that the responder turned away
};

/// Measures against the responder at 127.0.0.1:`port`: first the latency on an idle connection, then the
/// bandwidth.
TransferResult measure(std::uint16_t port, const Token& token, const TransferOptions& options,
                       Context& context);

}  // namespace assay::interconnect
