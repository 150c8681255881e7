// Linux native asynchronous I/O. Requests are handed over in batches by io_submit; completions are taken from
// the ring that the kernel shares with the process, so that io_getevents is called only to wait.

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <system_error>

#include <libaio.h>

#include "probes/storage/engine/engine.h"

namespace assay::storage {
namespace {

/// The head of the memory that an io_context_t points to (fs/aio.c, struct aio_ring). It is no documented
/// interface, but its `magic` and `incompatible` fields are there for those who read it.
struct AioRing {
    unsigned id;
    unsigned entries;
    unsigned head;  ///< where the next reader takes; moved by readers
    unsigned tail;  ///< where the kernel puts the next completion
    unsigned magic;
    unsigned compatible;
    unsigned incompatible;
    unsigned header_bytes;  ///< the completions follow
};
constexpr unsigned ring_magic = 0xa10a10a1;

class LibaioEngine final : public Engine {
  public:
    explicit LibaioEngine(const EngineOptions& options)
        : options_(options),
          requests_(static_cast<std::size_t>(options.depth)),
          pointers_(requests_.size()),
          events_(requests_.size()) {
        const int result = ::io_setup(options.depth, &context_);  // returns the negative errno
        if (result == -EAGAIN) {
            throw std::system_error(EAGAIN, std::generic_category(),
                                    "io_setup (more requests than /proc/sys/fs/aio-max-nr has left)");
        }
        if (result < 0) throw std::system_error(-result, std::generic_category(), "io_setup");
        AioRing* const ring = reinterpret_cast<AioRing*>(context_);
        if (ring->magic == ring_magic && ring->incompatible == 0) ring_ = ring;
        for (std::size_t slot = 0; slot < requests_.size(); ++slot) {
            iocb& request = requests_[slot];
            ::io_prep_pread(&request, options.file, options.memory.data() + slot * options.slot_bytes,
                            options.slot_bytes, 0);
            request.data = reinterpret_cast<void*>(slot);
        }
    }
    ~LibaioEngine() override { ::io_destroy(context_); }  // waits for what is in flight
    LibaioEngine(const LibaioEngine&) = delete;
    LibaioEngine& operator=(const LibaioEngine&) = delete;

    void submit(std::span<const Transfer> transfers, bool) override {
        for (std::size_t i = 0; i < transfers.size(); ++i) {
            const Transfer& transfer = transfers[i];
            iocb& request = requests_[transfer.slot];
            request.aio_lio_opcode = transfer.write ? IO_CMD_PWRITE : IO_CMD_PREAD;
            request.u.c.nbytes = transfer.bytes;
            request.u.c.offset = static_cast<long long>(transfer.offset);
            pointers_[i] = &request;
        }
        std::span<iocb*> left(pointers_.data(), transfers.size());
        while (!left.empty()) {
            const int taken = ::io_submit(context_, static_cast<long>(left.size()), left.data());
            if (taken == -EINTR || taken == -EAGAIN) continue;
            if (taken < 0) throw std::system_error(-taken, std::generic_category(), "io_submit");
            left = left.subspan(static_cast<std::size_t>(taken));
        }
    }

    std::size_t reap(std::span<Completion> completions, std::size_t at_least) override {
        std::size_t taken = take_from_ring(completions);
        while (taken < at_least) {
            const std::span<Completion> rest = completions.subspan(taken);
            const int got = ::io_getevents(context_, static_cast<long>(at_least - taken),
                                           static_cast<long>(std::min(rest.size(), events_.size())),
                                           events_.data(), nullptr);
            if (got == -EINTR) continue;
            if (got < 0) throw std::system_error(-got, std::generic_category(), "io_getevents");
            for (int i = 0; i < got; ++i)
                completions[taken++] = completion_of(events_[static_cast<std::size_t>(i)]);
        }
        return taken;
    }

    std::vector<std::string> flags() const override {
        if (ring_ == nullptr) return {};
        return {"completions read from the shared ring"};
    }

  private:
    static Completion completion_of(const io_event& event) {
        return {static_cast<std::uint32_t>(reinterpret_cast<std::size_t>(event.data)),
                static_cast<std::int32_t>(static_cast<std::int64_t>(event.res))};
    }

    std::size_t take_from_ring(std::span<Completion> completions) {
        if (ring_ == nullptr) return 0;
        std::size_t taken = 0;
        unsigned head = ring_->head;  // we are its only reader
        const unsigned tail = std::atomic_ref<unsigned>(ring_->tail).load(std::memory_order_acquire);
        while (head != tail && taken < completions.size()) {
            completions[taken++] = completion_of(reinterpret_cast<const io_event*>(ring_ + 1)[head]);
            if (++head == ring_->entries) head = 0;
        }
        if (taken > 0) std::atomic_ref<unsigned>(ring_->head).store(head, std::memory_order_release);
        return taken;
    }

    EngineOptions options_;
    std::vector<iocb> requests_;
    std::vector<iocb*> pointers_;
    std::vector<io_event> events_;
    io_context_t context_ = nullptr;
    AioRing* ring_ = nullptr;
};

}  // namespace

std::unique_ptr<Engine> make_libaio_engine(const EngineOptions& options) {
    return std::make_unique<LibaioEngine>(options);
}

}  // namespace assay::storage
