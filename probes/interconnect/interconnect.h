#pragma once

#include "probes/core/probe.h"

namespace assay {

Probe interconnect_tcp_probe();

}  // namespace assay
