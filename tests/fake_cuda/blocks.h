#pragma once

#include <functional>
#include <string>

#include "tests/fake_cuda/simt.h"

namespace assay::simt {

/// Runs `kernel` once for each thread of each block, block after block. Returns what is wrong with the
/// kernel: threads that wait for others which never come; empty: nothing.
std::string run_grid(const dim3& grid, const dim3& block, const std::function<void()>& kernel);

}  // namespace assay::simt
