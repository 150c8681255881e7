#pragma once

#include <optional>
#include <string>

#include "probes/core/outcome.h"

namespace assay {

/// What disturbed a case so much that no verdict may rest on it.
struct Disturbance {
    std::string reason;     ///< "7.3 % of the CPU time went to the hypervisor; up to 5 % is accepted"
    std::string reason_id;  ///< the condition's name: "cpu_steal"
};

/// The first condition of the case beyond its limit; the limits and why they are what they are stand in
/// disturbance.cpp. A condition that the system does not tell disturbs nothing.
std::optional<Disturbance> disturbance_of(const Outcome& outcome);

/// What of the device's clock a verdict must say, whether or not it disturbs: "the device's clock was
/// limited: software power cap (97 % of the time)". Empty: nothing.
std::string clock_remark(const Outcome& outcome);

}  // namespace assay
