#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "kernels/cuda/driver_types.h"
#include "tests/fake_cuda/fake_cuda.h"
#include "tests/fake_cuda/kernel_registry.h"

namespace assay::cuda {

struct ContextObject {
    int card = 0;
    int retained = 0;
    std::set<int> peers;
};
struct ModuleObject {
    std::string program;
};
struct FunctionObject {
    const fake_cuda::HostKernel* kernel = nullptr;
};
struct EventObject {
    std::mutex mutex;
    bool recorded = false, passed = false;
    double seconds = 0;
};

/// A thread that does one thing after the other.
struct StreamObject {
    StreamObject();
    ~StreamObject();
    void add(std::function<void()> work);
    void wait_until_done();

  private:
    void work();
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> queued_;
    std::size_t undone_ = 0;
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace assay::cuda

namespace assay::fake_cuda {

using namespace cuda;

struct Piece {
    std::uint64_t bytes = 0;         ///< asked for
    std::uint64_t mapped_bytes = 0;  ///< with what follows it, which is closed
    int card = 0;                    ///< -1: the host's, page-locked
};

/// A failure or a hang to come.
struct Planned {
    std::string call;
    Result error = error::none;
    int at = 1;
    bool hangs = false;
    int seen = 0;
};

/// All that the driver knows. Lives as long as the process.
struct State {
    std::mutex mutex;
    std::vector<Card> cards;
    std::vector<ContextObject> contexts;  ///< one for each card
    int driver_version = 13000;
    bool initialized = false;
    std::atomic<Result> lost = error::none;  ///< what every call returns from now on
    std::vector<Planned> planned;
    std::vector<std::string> calls;
    int launches_left = -1;  ///< before launches do nothing; negative: all do
    std::map<Address, Piece> pieces;
    std::set<Stream> streams;
    std::set<void*> handles;  ///< live streams, events, modules, functions
    std::map<std::string, FunctionObject> functions;
    std::vector<EventObject*> destroyed_events;  ///< a stream may still be on its way to them
};
State& state();

/// Records a call and does what is planned for it; what it returns, but for error::none, is the call's
/// result.
Result begin_call(const char* name, bool needs_context = true);
ContextObject* current_context();
void set_current_context(ContextObject* context);

/// Remembers an error after which a card does nothing more.
Result remember(Result error);
bool is_live(void* handle);
/// True when [address, address + bytes) lies in one piece of memory, of a card or page-locked.
bool is_mapped(Address address, std::uint64_t bytes);
StreamObject& stream_of(Stream stream);

}  // namespace assay::fake_cuda
