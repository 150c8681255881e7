#pragma once

#include <functional>

namespace assay::storage {

/// Runs `work(0)` to `work(count - 1)`, each in a thread of its own, and waits for all of them. Throws the
/// first exception that one of them threw, after the last has ended.
void run_workers(int count, const std::function<void(int worker)>& work);

}  // namespace assay::storage
