// assay with a catalogue of probes that misbehave in every way that the runner must survive.

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

#include "kernels/device/accelerator.h"
#include "probes/core/sampling.h"
#include "suites/cli/cli.h"

namespace assay {
namespace {

Outcome measured(const Case& the_case, const MetricDeclaration& declaration, double value) {
    Outcome outcome;
    outcome.the_case = the_case;
    outcome.metrics.push_back(make_exact_metric(declaration, value));
    outcome.notes.push_back("a figure made up for tests");
    return outcome;
}

constexpr MetricDeclaration good_metric{"faulty.good", Unit::count, Direction::higher, "a count"};
constexpr MetricDeclaration slow_metric{"faulty.slow", Unit::second, Direction::lower, "a time"};
constexpr MetricDeclaration writes_metric{"faulty.writes", Unit::byte, Direction::higher, "bytes written"};
constexpr MetricDeclaration device_metric{"faulty.device", Unit::byte, Direction::higher, "bytes"};
constexpr MetricDeclaration destroys_metric{"faulty.destroys", Unit::count, Direction::higher, "paths"};

Outcome run_good(const Case& the_case, Context&) {
    std::puts("a library's warning on standard output");
    return measured(the_case, good_metric, static_cast<double>(the_case.integer("value")));
}

Outcome run_crash(const Case&, Context&) {
    std::signal(SIGSEGV, SIG_DFL);
    std::raise(SIGSEGV);
    std::abort();
}

Outcome run_hang(const Case&, Context&) {
    std::signal(SIGTERM, SIG_IGN);
    std::signal(SIGINT, SIG_IGN);
    for (;;) ::pause();
}

Outcome run_silent(const Case&, Context&) {
    ::_exit(0);
}

Outcome run_slow(const Case& the_case, Context& context) {
    const double seconds = the_case.seconds("seconds");
    const Nanoseconds start = context.clock.now();
    for (double passed = 0; passed < seconds; passed = seconds_of(context.clock.now() - start)) {
        context.progress("dawdling", passed / seconds);
        ::usleep(20'000);
    }
    return measured(the_case, slow_metric, seconds);
}

Outcome run_greedy(const Case&, Context&) {
    const rlimit limit{1u << 30, 1u << 30};
    ::setrlimit(RLIMIT_AS, &limit);
    std::vector<std::vector<char>> taken;
    for (;;) taken.emplace_back(64u << 20, 'x');
}

Outcome run_throws(const Case&, Context&) {
    throw std::system_error(EIO, std::generic_category(), "read /dev/broken");
}

Outcome run_writes(const Case& the_case, Context& context) {
    std::ofstream stream(context.scratch, std::ios::binary);
    stream << std::string(the_case.bytes("size"), 'x') << std::flush;
    if (!stream) return failed(the_case, "the scratch file cannot be written");
    return measured(the_case, writes_metric, static_cast<double>(the_case.bytes("size")));
}

/// Well behaved: the bytes that came back from a device's memory as they were sent there.
Outcome run_device(const Case& the_case, Context& context) {
    Accelerator* const accelerator = context.device->accelerator();
    if (accelerator == nullptr) return skipped(the_case, "the CPU is no accelerator");
    const std::string sent(4096, 'x');
    std::string received(sent.size(), ' ');
    const std::unique_ptr<DeviceMemory> memory = accelerator->allocate(sent.size(), false);
    Queue& queue = accelerator->queue();
    const double seconds = timed(queue, [&] {
        queue.fill(*memory, 0, sent.size(), 0xFF);
        queue.write(*memory, 0, sent.data(), sent.size());
        queue.read(received.data(), *memory, 0, sent.size());
    });
    if (seconds < 0 || received != sent) return failed(the_case, "other bytes came back");
    return measured(the_case, device_metric, static_cast<double>(received.size()));
}

Estimate estimate_writes(const Case& the_case, const Context&) {
    return {.seconds = 1, .written_bytes = the_case.bytes("size"), .memory_bytes = 0};
}

void check_picky(const Case& the_case, const Context&) {
    if (the_case.text("target") != "good")
        throw InputError("faulty.picky.target: '" + the_case.text("target") +
                         "' is not good; accepted is good");
}

/// The permission that reached it: every path that --allow-destroy named.
Outcome run_destroys(const Case& the_case, Context& context) {
    Outcome outcome = measured(the_case, destroys_metric, static_cast<double>(context.allow_destroy.size()));
    for (const std::filesystem::path& path : context.allow_destroy)
        outcome.notes.push_back("may destroy " + path.string());
    return outcome;
}

void check_destroys(const Case& the_case, const Context& context) {
    for (const std::filesystem::path& path : context.allow_destroy)
        if (path == the_case.text("target")) return;
    throw InputError("faulty.destroys.target: " + the_case.text("target") +
                     " is not named by --allow-destroy; accepted: the same path there");
}

Probe simple(std::string_view name, Outcome (*run)(const Case&, Context&)) {
    Probe probe;
    probe.name = name;
    probe.summary = "Misbehaves.";
    probe.run = run;
    return probe;
}

std::vector<Probe> faulty_catalog() {
    Probe good = simple("faulty.good", run_good);
    good.parameters = {{"value", ParameterKind::integer, "5", "what is measured", 0, 100}};
    good.metrics = {good_metric};
    Probe slow = simple("faulty.slow", run_slow);
    slow.parameters = {{"seconds", ParameterKind::seconds, "1", "how long", 0, 600}};
    slow.metrics = {slow_metric};
    Probe writes = simple("faulty.writes", run_writes);
    writes.parameters = {{"size", ParameterKind::bytes, "1M", "how much", 1, 1 << 30}};
    writes.metrics = {writes_metric};
    writes.estimate = estimate_writes;
    Probe device = simple("faulty.device", run_device);
    device.parameters = {{"device", ParameterKind::device, "cpu:0", "where the bytes go"}};
    device.metrics = {device_metric};
    Probe picky = simple("faulty.picky", run_good);
    picky.parameters = {{"target", ParameterKind::text, "bad", "what to look at"},
                        {"value", ParameterKind::integer, "5", "what is measured"}};
    picky.check = check_picky;
    Probe destroys = simple("faulty.destroys", run_destroys);
    destroys.parameters = {{"target", ParameterKind::text, "auto", "what to destroy"}};
    destroys.metrics = {destroys_metric};
    destroys.check = check_destroys;
    return {good,
            destroys,
            slow,
            writes,
            device,
            picky,
            simple("faulty.crash", run_crash),
            simple("faulty.hang", run_hang),
            simple("faulty.silent", run_silent),
            simple("faulty.greedy", run_greedy),
            simple("faulty.throws", run_throws),
            simple("faulty.rubbish", run_silent)};
}

}  // namespace
}  // namespace assay

int main(int argc, char** argv) {
    // Rubbish must come from before the command line, which keeps standard output clean.
    if (argc > 2 && std::strcmp(argv[1], "probe") == 0 && std::strcmp(argv[2], "faulty.rubbish") == 0) {
        std::puts("Segmentation fault (not really) {\"schema\":");
        return 0;
    }
    // A driver that ends who asks it for devices.
    if (argc > 3 && std::strcmp(argv[2], "devices") == 0 && std::getenv("ASSAY_FAULTY_DRIVER") != nullptr) {
        std::fputs("libdriver: cannot talk to the card\n", stderr);
        std::signal(SIGSEGV, SIG_DFL);
        std::raise(SIGSEGV);
    }
    const std::vector<assay::Probe> probes = assay::faulty_catalog();
    return assay::cli::run(argc, argv, {probes, {}});
}
