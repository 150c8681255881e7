#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reports/report.h"

namespace assay {

/// The requirements that count, by what became of them.
struct CountedTally {
    std::size_t all = 0, passed = 0, failed = 0, inconclusive = 0, not_measured = 0, waived = 0;
};
CountedTally counted_tally(const Report& report);

/// The verdict in one sentence: what it rests on.
std::string lead_sentence(const Report& report, Language language);

/// Which run it is, in one line: suite, tier, machine, the accelerators that it is about, time and version.
std::string run_in_one_line(const Report& report, Language language);

/// The accelerators that its cases are of, by id and in their order; none where all are the host's.
std::vector<std::string> accelerators_of(const Report& report);
/// The same as the machine names them: "cuda:0 (NVIDIA H200)"; what is a CPU behind OpenCL is said to be one.
std::string accelerators_in_words(const Report& report, Language language);

/// How requirements are shown: those that count, those that advise or belong to other tiers, and those that
/// judge software.
enum class RequirementGroup { counted, advice, software };
RequirementGroup requirement_group(const JudgedRequirement& judged);
std::vector<const JudgedRequirement*> in_group(const Report& report, RequirementGroup group);

/// Its documents, each once: "002 五", "003 四".
std::vector<std::string> documents_of(const std::vector<Source>& sources);

/// The reason for the waiver of a requirement; empty when there is none.
std::string_view waiver_reason(const Report& report, std::string_view requirement);

}  // namespace assay
