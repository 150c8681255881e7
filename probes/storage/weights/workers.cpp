#include "probes/storage/weights/workers.h"

#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace assay::storage {

void run_workers(int count, const std::function<void(int worker)>& work) {
    std::exception_ptr first;
    std::mutex guard;
    const auto guarded = [&](int worker) {
        try {
            work(worker);
        } catch (...) {
            const std::lock_guard<std::mutex> lock(guard);
            if (!first) first = std::current_exception();
        }
    };
    std::vector<std::thread> threads;
    threads.reserve(static_cast<std::size_t>(count));
    try {
        for (int worker = 0; worker < count; ++worker) threads.emplace_back(guarded, worker);
    } catch (...) {
        // The system refused a thread: those that run are waited for all the same.
        const std::lock_guard<std::mutex> lock(guard);
        if (!first) first = std::current_exception();
    }
    for (std::thread& thread : threads) thread.join();
    if (first) std::rethrow_exception(first);
}

}  // namespace assay::storage
