#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "../reports/kernel_builders.h"
#include "../reports/report_fixture.h"
#include "../reports/telemetry_builders.h"
#include "reports/report.h"

/// Writes the pages that the browser test opens into the folder given: report.<language>.html of a run as it
/// is, hostile.<language>.html with hostile texts in every place, kernels.<language>.html and
/// crowded.<language>.html with rooflines, heated.<language>.html with a card's telemetry,
/// skipped.<language>.html with cases that share the reason why they were skipped, and ids.txt with the
/// requirements of the first.
int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "write_pages: one argument, the folder to write to\n");
        return 2;
    }
    const std::filesystem::path folder = argv[1];
    const auto write = [&](const std::string& name, const std::string& page) {
        std::ofstream stream(folder / name, std::ios::binary);
        stream << page;
        stream.close();
        if (!stream) std::fprintf(stderr, "write_pages: cannot write %s\n", (folder / name).c_str());
        return static_cast<bool>(stream);
    };
    assay::Report kernels = assay::poc_like_report(), crowded = kernels, heated = kernels, skips = kernels;
    kernels.outcomes = assay::building::kernel_run();
    crowded.outcomes = assay::building::crowded_run();
    heated.outcomes = {assay::building::heated_product()};
    for (const char* const precision : {"f32", "f16", "int8"}) {
        const assay::Case skipped = {"gemm.throughput", {{"device", "each:gpu"}, {"precision", precision}}};
        skips.outcomes.push_back(assay::skipped(skipped, "no GPU found on this machine"));
    }
    bool written = true;
    for (const assay::Language language : {assay::Language::en, assay::Language::zh}) {
        const std::string ending = language == assay::Language::en ? ".en.html" : ".zh.html";
        written &= write("report" + ending, assay::render_html(assay::poc_like_report(), language));
        written &= write("hostile" + ending, assay::render_html(assay::hostile_report(), language));
        written &= write("kernels" + ending, assay::render_html(kernels, language));
        written &= write("crowded" + ending, assay::render_html(crowded, language));
        written &= write("skipped" + ending, assay::render_html(skips, language));
        written &= write("heated" + ending, assay::render_html(heated, language));
    }
    std::string ids;
    for (const assay::JudgedRequirement& judged : assay::poc_like_report().requirements) {
        ids += judged.requirement.id + "\n";
    }
    written &= write("ids.txt", ids);
    return written ? 0 : 4;
}
