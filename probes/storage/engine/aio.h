#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include <libaio.h>

namespace assay::storage {

/// Owner of a Linux native asynchronous I/O context for up to `depth` requests in flight. Errors are
/// std::system_error naming the call. Destroying it waits for what is in flight.
class AioContext {
  public:
    explicit AioContext(int depth);
    ~AioContext();
    AioContext(const AioContext&) = delete;
    AioContext& operator=(const AioContext&) = delete;

    /// Submits all of them, again where the kernel took only some.
    void submit(std::span<iocb*> requests);
    /// Waits for at least one and takes up to events.size(); how many.
    std::size_t reap(std::span<io_event> events);

  private:
    io_context_t context_ = nullptr;
};

/// What an event says of its request: bytes moved, or the negative errno.
inline std::int64_t result_of(const io_event& event) {
    return static_cast<std::int64_t>(event.res);
}

}  // namespace assay::storage
