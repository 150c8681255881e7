#include "probes/storage/engine/aio.h"

#include <cerrno>
#include <system_error>

namespace assay::storage {

AioContext::AioContext(int depth) {
    const int result = ::io_setup(depth, &context_);  // returns the negative errno
    if (result == -EAGAIN) {
        throw std::system_error(EAGAIN, std::generic_category(),
                                "io_setup (more requests than /proc/sys/fs/aio-max-nr has left)");
    }
    if (result < 0) throw std::system_error(-result, std::generic_category(), "io_setup");
}

AioContext::~AioContext() {
    ::io_destroy(context_);
}

void AioContext::submit(std::span<iocb*> requests) {
    while (!requests.empty()) {
        const int taken = ::io_submit(context_, static_cast<long>(requests.size()), requests.data());
        if (taken == -EINTR || taken == -EAGAIN) continue;
        if (taken < 0) throw std::system_error(-taken, std::generic_category(), "io_submit");
        requests = requests.subspan(static_cast<std::size_t>(taken));
    }
}

std::size_t AioContext::reap(std::span<io_event> events) {
    while (true) {
        const int got = ::io_getevents(context_, 1, static_cast<long>(events.size()), events.data(), nullptr);
        if (got == -EINTR) continue;
        if (got < 0) throw std::system_error(-got, std::generic_category(), "io_getevents");
        return static_cast<std::size_t>(got);
    }
}

}  // namespace assay::storage
