#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <variant>

#include <benchmark/benchmark.h>

#include "kernels/cpu/stream.h"
#include "kernels/cpu/thread_team.h"
#include "kernels/device/device.h"
#include "tests/benchmarks/benchmarks.h"
#include "tests/benchmarks/threads.h"

namespace assay::benchmarks {

namespace {

/// One array read over and over with plain vector loads: 4 MiB shows the caches, 2 GiB the memory.
void run(benchmark::State& state) {
    const std::size_t bytes = static_cast<std::size_t>(state.range(0)) << 20;
    const std::size_t elements = bytes / sizeof(double);
    std::variant<std::unique_ptr<Device>, Absent> device = open_device("cpu:0");
    if (const Absent* absent = std::get_if<Absent>(&device)) {
        state.SkipWithError(("not possible here: " + absent->reason).c_str());
        return;
    }
    kernels::ThreadTeam team(cpus());
    const std::unique_ptr<DeviceMemory> memory =
        std::get<std::unique_ptr<Device>>(device)->allocate(bytes, true);
    double* const array = reinterpret_cast<double*>(memory->host_pointer());
    kernels::StreamPattern pattern;
    pattern.isa = kernels::best_vector_isa();
    const auto share = [&](int member) { return kernels::member_range(elements, 512, member, team.size()); };
    team.run([&](int member) { std::fill(array + share(member).begin, array + share(member).end, 1.0); });

    std::atomic<double> sum;
    const auto read = [&] {
        sum = 0;
        team.run([&](int member) {
            sum += kernels::stream(kernels::StreamKernel::read, pattern, {nullptr, array, nullptr}, 0,
                                   share(member).begin, share(member).end);
        });
    };
    read();
    if (sum != static_cast<double>(elements)) {
        state.SkipWithError("wrong result: the elements read add up to another sum");
        return;
    }
    for (auto _ : state) read();
    state.SetLabel(std::string(kernels::to_string(pattern.isa)));
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}

}  // namespace

void register_stream_read() {
    benchmark::RegisterBenchmark("stream/read", run)
        ->ArgName("MiB")
        ->Arg(4)
        ->Arg(2048)
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
}

}  // namespace assay::benchmarks
