#pragma once

#include <vector>

#include "kernels/device/device.h"
#include "reports/short_table.h"

namespace assay {

/// What other programs reached on cards of the models that are in this machine (catalogue data, with
/// sources).
std::vector<PeerFigure> peers_of(const DeviceSurvey& survey);

}  // namespace assay
