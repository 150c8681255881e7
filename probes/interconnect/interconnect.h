#pragma once

#include "probes/core/probe.h"

namespace assay {

Probe interconnect_tcp_probe();
Probe interconnect_transfer_probe();

}  // namespace assay
