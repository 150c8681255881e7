#include "probes/storage/load/read_load.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <stdexcept>
#include <system_error>
#include <thread>

#include <fcntl.h>

#include <fmt/format.h>

#include "kernels/cpu/affinity.h"
#include "probes/core/os/file_descriptor.h"
#include "probes/core/os/mapping.h"
#include "probes/storage/engine/aio.h"
#include "probes/storage/target/block_pattern.h"

namespace assay::storage {
namespace {

/// One read in so many is compared with what was written: often enough to find rot, too seldom to cost.
constexpr std::uint32_t verify_every = 512;

/// xoshiro256++ (Blackman and Vigna 2019), one stream a job.
class RandomOffsets {
  public:
    RandomOffsets(std::uint64_t seed, std::uint64_t blocks, std::uint64_t block_bytes)
        : blocks_(blocks), block_bytes_(block_bytes) {
        for (std::uint64_t& word : state_) {  // splitmix64, as its authors advise
            seed += 0x9e37'79b9'7f4a'7c15U;
            std::uint64_t mixed = (seed ^ (seed >> 30)) * 0xbf58'476d'1ce4'e5b9U;
            mixed = (mixed ^ (mixed >> 27)) * 0x94d0'49bb'1331'11ebU;
            word = mixed ^ (mixed >> 31);
        }
    }

    /// Uniform over all blocks (Lemire's multiplication; its bias is below blocks / 2^64).
    long long next() {
        const std::uint64_t result = rotate(state_[0] + state_[3], 23) + state_[0];
        const std::uint64_t shifted = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = rotate(state_[3], 45);
        __extension__ typedef unsigned __int128 Wide;
        const std::uint64_t block = static_cast<std::uint64_t>((static_cast<Wide>(result) * blocks_) >> 64);
        return static_cast<long long>(block * block_bytes_);
    }

  private:
    static std::uint64_t rotate(std::uint64_t value, int by) { return (value << by) | (value >> (64 - by)); }
    std::array<std::uint64_t, 4> state_{};
    std::uint64_t blocks_;
    std::uint64_t block_bytes_;
};

/// What a job counts in one slice.
struct Book {
    Histogram latency;
    std::int64_t begin_ns = 0;
    std::int64_t end_ns = 0;
    double in_flight_ns = 0;  ///< requests in flight, integrated over time

    void clear() {
        latency.clear();
        in_flight_ns = 0;
    }
};

}  // namespace

struct ReadLoad::Shared {
    ReadLoadOptions options;
    std::atomic<std::uint64_t> slice{0};  ///< which slice runs; a job writes into book slice % 2
    std::atomic<bool> stop{false};
};

struct ReadLoad::Job {
    Job(const Shared& everyone, int job_number, int job_cpu)
        : shared(everyone),
          options(everyone.options),
          cpu(job_cpu),
          file(os::open_file(options.path, O_RDONLY | O_DIRECT)),
          memory(
              os::Mapping::anonymous(options.block_bytes * static_cast<std::uint64_t>(options.queue_depth))),
          requests(static_cast<std::size_t>(options.queue_depth)),
          submitted_ns(requests.size()),
          ready(requests.size()),
          events(requests.size()),
          context(options.queue_depth),
          offsets(options.seed * 1000003 + static_cast<std::uint64_t>(job_number),
                  options.span_bytes / options.block_bytes, options.block_bytes) {}

    void run() {
        try {
            if (cpu >= 0) kernels::CpuSet::single(cpu).apply(0);  // refused: the scheduler chooses
            work();
        } catch (...) {
            error = std::current_exception();
        }
        // Only now does the reader of slices stop waiting for this job.
        ended.store(true, std::memory_order_release);
    }

    void work();
    void take(const io_event& event, std::int64_t now);
    void verify(const iocb& request);

    const Shared& shared;
    const ReadLoadOptions& options;
    const int cpu;
    os::FileDescriptor file;
    os::Mapping memory;
    std::vector<iocb> requests;
    std::vector<std::int64_t> submitted_ns;
    std::vector<iocb*> ready;  ///< to be submitted next: the first `ready_count`
    std::size_t ready_count = 0;
    std::vector<io_event> events;
    AioContext context;  ///< after the memory: destroying it waits for the reads into that
    RandomOffsets offsets;
    SteadyClock clock;

    std::array<Book, 2> books;
    Book* book = books.data();
    std::uint32_t until_verify = verify_every;
    ReadVerification total;

    std::atomic<std::uint64_t> seen_slice{0};
    std::atomic<bool> ended{false};
    std::exception_ptr error;
    std::thread thread;
};

void ReadLoad::Job::verify(const iocb& request) {
    const std::span<const std::byte> data(static_cast<const std::byte*>(request.u.c.buf), request.u.c.nbytes);
    const std::uint64_t offset = static_cast<std::uint64_t>(request.u.c.offset);
    ++total.verified;
    // Of a long read its first and last block, so that the comparison stays short.
    const std::size_t part = std::min<std::size_t>(data.size(), pattern_bytes);
    if (part_is_right(data.first(part), offset, *options.pattern_seed) &&
        part_is_right(data.last(part), offset + data.size() - part, *options.pattern_seed)) {
        return;
    }
    ++total.wrong;
    if (!total.first_wrong_offset) total.first_wrong_offset = offset;
}

void ReadLoad::Job::take(const io_event& event, std::int64_t now) {
    const std::size_t slot = reinterpret_cast<std::size_t>(event.data);
    iocb& request = requests[slot];
    const std::int64_t result = result_of(event);
    if (result != static_cast<std::int64_t>(options.block_bytes)) {
        const std::string what = fmt::format("read of {} bytes at {} of {}", options.block_bytes,
                                             request.u.c.offset, options.path.string());
        if (result < 0) throw std::system_error(static_cast<int>(-result), std::generic_category(), what);
        throw std::runtime_error(fmt::format("{} returned only {}: was it truncated?", what, result));
    }
    book->latency.record(static_cast<std::uint64_t>(now - submitted_ns[slot]));
    ++total.reads;
    if (options.pattern_seed && --until_verify == 0) {
        until_verify = verify_every;
        verify(request);
    }
    request.u.c.offset = offsets.next();
    ready[ready_count++] = &request;
}

void ReadLoad::Job::work() {
    const std::size_t depth = requests.size();
    for (std::size_t slot = 0; slot < depth; ++slot) {
        ::io_prep_pread(&requests[slot], file.get(), memory.data() + slot * options.block_bytes,
                        options.block_bytes, offsets.next());
        requests[slot].data = reinterpret_cast<void*>(slot);
        ready[slot] = &requests[slot];
    }
    ready_count = depth;
    std::size_t in_flight = 0;
    std::uint64_t slice = 0;
    std::int64_t last = clock.now().count();
    book->begin_ns = last;

    while (true) {
        const bool stopping = shared.stop.load(std::memory_order_relaxed);
        if (!stopping && ready_count > 0) {
            const std::int64_t now = clock.now().count();
            for (std::size_t i = 0; i < ready_count; ++i) {
                submitted_ns[reinterpret_cast<std::size_t>(ready[i]->data)] = now;
            }
            book->in_flight_ns += static_cast<double>(in_flight) * static_cast<double>(now - last);
            last = now;
            context.submit({ready.data(), ready_count});
            in_flight += ready_count;
            ready_count = 0;
        }
        if (in_flight == 0) break;

        const std::size_t count = context.reap(events);
        const std::int64_t now = clock.now().count();
        book->in_flight_ns += static_cast<double>(in_flight) * static_cast<double>(now - last);
        last = now;
        in_flight -= count;
        for (std::size_t i = 0; i < count; ++i) take(events[i], now);

        const std::uint64_t wanted = shared.slice.load(std::memory_order_acquire);
        if (wanted != slice) {
            book->end_ns = now;
            slice = wanted;
            book = &books[slice % 2];
            book->begin_ns = now;
            seen_slice.store(slice, std::memory_order_release);
        }
    }
}

ReadLoad::ReadLoad(const ReadLoadOptions& options) : shared_(std::make_unique<Shared>()) {
    shared_->options = options;
    for (int number = 0; number < options.jobs; ++number) {
        const int cpu =
            options.cpus.empty() ? -1 : options.cpus[static_cast<std::size_t>(number) % options.cpus.size()];
        jobs_.push_back(std::make_unique<Job>(*shared_, number, cpu));
    }
    // All that can fail is done before the first of them runs.
    try {
        for (const std::unique_ptr<Job>& job : jobs_) {
            job->thread = std::thread([&running = *job] { running.run(); });
        }
    } catch (...) {
        end_jobs();
        throw;
    }
}

ReadLoad::~ReadLoad() {
    end_jobs();
}

void ReadLoad::end_jobs() {
    shared_->stop.store(true, std::memory_order_relaxed);
    for (const std::unique_ptr<Job>& job : jobs_) {
        if (job->thread.joinable()) job->thread.join();
    }
}

void ReadLoad::rethrow() const {
    for (const std::unique_ptr<Job>& job : jobs_) {
        if (job->ended.load(std::memory_order_acquire) && job->error) std::rethrow_exception(job->error);
    }
}

ReadSlice ReadLoad::next_slice() {
    const std::uint64_t finished = shared_->slice.load(std::memory_order_relaxed);
    shared_->slice.store(finished + 1, std::memory_order_release);
    ReadSlice sum;
    for (const std::unique_ptr<Job>& job : jobs_) {
        // A job sees the new number when its next read comes back.
        while (job->seen_slice.load(std::memory_order_acquire) != finished + 1) {
            if (job->ended.load(std::memory_order_acquire)) {
                rethrow();
                throw std::logic_error("a job of the load ended by itself");
            }
            std::this_thread::sleep_for(std::chrono::microseconds(20));
        }
        Book& book = job->books[finished % 2];
        const double nanoseconds =
            static_cast<double>(std::max<std::int64_t>(1, book.end_ns - book.begin_ns));
        sum.reads += book.latency.count();
        sum.rate += static_cast<double>(book.latency.count()) * 1e9 / nanoseconds;
        sum.seconds += nanoseconds * 1e-9 / static_cast<double>(jobs_.size());
        sum.in_flight_seconds += book.in_flight_ns * 1e-9;
        sum.latency.merge(book.latency);
        book.clear();
    }
    return sum;
}

ReadVerification ReadLoad::stop() {
    end_jobs();
    rethrow();
    ReadVerification sum;
    for (const std::unique_ptr<Job>& job : jobs_) {
        sum.reads += job->total.reads;
        sum.verified += job->total.verified;
        sum.wrong += job->total.wrong;
        if (!sum.first_wrong_offset) sum.first_wrong_offset = job->total.first_wrong_offset;
    }
    return sum;
}

}  // namespace assay::storage
