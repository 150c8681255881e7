#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/core/outcome.h"
#include "reports/assessment.h"
#include "reports/report.h"

namespace assay {

/// Something that a selection finds in a run: a metric of a measured case, or a case that should have given
/// one and did not (then `metric` is null and the outcome's status says what happened).
struct Candidate {
    const Outcome* outcome = nullptr;
    const Metric* metric = nullptr;
};

/// Every candidate, in the order of the outcomes. Metrics match by name and labels. A case that is not
/// measured matches when its probe is the one that the metric belongs to and neither its parameters nor what
/// was settled at run time contradict the labels; `all` and `each:gpu` among its parameters contradict
/// nothing that they stand for.
/// Where the selection says each:gpu, only devices match that are known to be GPUs.
std::vector<Candidate> candidates_for(const Selection& selection, const Evidence& evidence);

/// Why there is no candidate, with its id for machines.
struct Absence {
    std::string reason;
    std::string reason_id;
};
Absence why_absent(const Selection& selection, const Evidence& evidence);

/// The metric's name with the labels that tell which one it is: those that the selection asks for, and those
/// in which its candidates differ.
std::string telling_metric_name(const Selection& selection, const Candidate& candidate,
                                const std::vector<Candidate>& all);

/// True for an id that is not the host's: cuda:0, opencl:1, each:gpu. OpenCL's may still be a CPU.
bool names_accelerator(std::string_view device);

}  // namespace assay
