#pragma once

#include "probes/interconnect/transfer.h"

namespace assay::interconnect {

/// The probe's outcome of a transfer: metrics, checks and notes. Pure.
Outcome tcp_outcome(const Case& the_case, const TransferOptions& options, const TransferResult& result);

}  // namespace assay::interconnect
