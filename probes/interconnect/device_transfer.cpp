#include "probes/interconnect/device_copies/copy_plan.h"
#include "probes/interconnect/device_copies/device_copies.h"
#include "probes/interconnect/interconnect.h"

namespace assay {

namespace interconnect {

namespace {

void check_case(const Case& the_case, const Context&) {
    check_copies(the_case);
}

Outcome run_copies(const Case& the_case, Context& context) {
    check_copies(the_case);
    Accelerator* const accelerator = context.device->accelerator();
    if (accelerator == nullptr) return skipped(the_case, context.device->info().id + " is no accelerator");
    return measure_device_copies(the_case, context, *accelerator, {});
}

Estimate estimate_copies(const Case& the_case, const Context& context) {
    constexpr std::size_t peers = 7;  // of a server with eight cards
    const std::size_t points =
        directions_of(the_case).size() * (target_of(the_case) == CopyTarget::peers ? peers : 1);
    const std::uint64_t bytes =
        the_case.is_auto("bytes") ? std::uint64_t{256} << 20 : the_case.bytes("bytes");
    const double sampling =
        the_case.is_auto("seconds") ? (context.quick ? 1.0 : 3.0) : the_case.seconds("seconds");
    // Random bytes are made, and compared, at about 1 GB/s.
    const double prepared = 6 * static_cast<double>(bytes) / 1e9;
    return {.seconds = 1 + static_cast<double>(points) * (sampling + 1.5 + prepared),
            .memory_bytes = 4 * bytes};
}

}  // namespace

}  // namespace interconnect

Probe interconnect_transfer_probe() {
    Probe probe;
    probe.name = "interconnect.transfer";
    probe.summary = "Copies between the host and a device, or between devices, and the PCIe link under them.";
    probe.parameters = {
        {"device", ParameterKind::device, "cuda:0", "whose memory one end is"},
        {"to", ParameterKind::text, "auto",
         "the other end: host (auto), another device (cuda:1), or peers: every other device in turn"},
        {"direction",
         ParameterKind::choice,
         "all",
         "which way: to_device, to_host or both with the host; device_to_device, back (to the device) or "
         "both "
         "with another device",
         0,
         0,
         {"all", "to_device", "to_host", "both", "device_to_device", "back"}},
        {"memory",
         ParameterKind::choice,
         "auto",
         "the host's memory: locked in place by the driver (auto), or as malloc gives it",
         0,
         0,
         {"pinned", "pageable"}},
        {"bytes", ParameterKind::bytes, "auto", "a copy; auto: 256 MiB, less where memory is scarce", 4096},
        {"seconds", ParameterKind::seconds, "auto",
         "how long each direction is sampled; auto: until the interval is narrow", 0.05, 3600},
    };
    probe.metrics = {
        {"interconnect.transfer.bandwidth",
         Unit::byte_per_second,
         Direction::higher,
         "bytes copied, both directions together where the direction is both",
         {"direction", "to"}},
        {"interconnect.transfer.latency",
         Unit::second,
         Direction::lower,
         "one small copy, from the call until it is done",
         {"direction", "to", "copy_bytes"}},
        {"interconnect.transfer.link_generation", Unit::count, Direction::higher,
         "PCIe generation of the card's link, read while copies run"},
        {"interconnect.transfer.link_width", Unit::count, Direction::higher,
         "PCIe lanes of the card's link, read while copies run"},
    };
    probe.run = interconnect::run_copies;
    probe.estimate = interconnect::estimate_copies;
    probe.check = interconnect::check_case;
    probe.tiny = {{"device", "opencl:0"}, {"bytes", "64K"}, {"seconds", "0.1"}};
    return probe;
}

}  // namespace assay
