#pragma once

#include <optional>
#include <string>
#include <vector>

#include "probes/core/outcome.h"
#include "reports/requirement.h"

namespace assay {

/// What the journal's first line keeps of how a run came to be.
struct RunHeader {
    std::string suite;
    std::string tier;  ///< empty: none
    bool quick = false;
    std::string tool_version;
    std::string commit;
    std::string compiler;
    std::vector<std::string> command_line;
    std::string started_at;
    std::string machine;  ///< host name
};

struct Waiver {
    std::string requirement;
    std::string reason;
};

/// A case that the suite asks for. A required one that failed fails the run even without a requirement.
struct SuiteCase {
    Case the_case;
    bool required = true;
};

/// A device of the run's machine, as its journal tells.
struct RunDevice {
    std::string id;    ///< "opencl:0"
    std::string kind;  ///< "cpu", "gpu" or "accelerator"
    std::string name;  ///< the model, as the device reports it
};

/// Everything that judging needs; it comes from a suite and a journal, and from nowhere else.
struct JudgeInput {
    RunHeader header;
    Text suite_title;
    std::string tier;  ///< the one to judge for; empty: none
    std::vector<SuiteCase> cases;
    std::vector<Requirement> requirements;
    std::vector<Contradiction> contradictions;
    std::vector<Waiver> waivers;
    std::vector<Outcome> outcomes;
    std::vector<RunDevice> devices;
    std::vector<std::string> journal_notes;  ///< what was dropped while reading it
    bool interrupted = false;                ///< planned cases are missing from the journal
};

enum class VerdictStatus { pass, fail, inconclusive, not_measured, waived };
std::string_view to_string(VerdictStatus status);  ///< "not_measured" in JSON
enum class RunVerdict { pass, fail, incomplete };
std::string_view to_string(RunVerdict verdict);

/// A requirement judged.
struct JudgedRequirement {
    Requirement requirement;
    VerdictStatus status = VerdictStatus::not_measured;
    bool counted = false;  ///< whether it may change the run's verdict
    std::optional<double> measured;
    std::string measured_text;  ///< of version and text kinds
    std::optional<Interval> ci95;
    std::optional<double> margin;  ///< how far inside the bound, as a share of it; negative: outside
    std::string metric;            ///< the metric judged with its telling labels
    /// Why it is not measured, inconclusive, or a fail that is no comparison; of whatever was measured with a
    /// clock that was held down, what held it.
    std::string reason;
    /// The same for machines and translation: "skipped", "no_case", "across_bound", "throttled",
    /// "device_clock" ...
    std::string reason_id;
    /// What a reader must know of the figure, by id: "not_steady", "not_converged", "worst" (a worst sample
    /// has no interval), "range" (the interval is a range).
    std::vector<std::string> notes;
    std::optional<VerdictStatus> waived_from;  ///< of waived: what it would be otherwise
};

struct Coverage {
    /// `cases` is the sum of the others: every outcome, and the planned cases that have none.
    std::size_t cases = 0, measured = 0, skipped = 0, failed = 0, timed_out = 0, crashed = 0, missing = 0;
    /// Of all requirements, counted or not; `requirements` is the sum of the last five.
    std::size_t requirements = 0, counted = 0, passed = 0, failed_requirements = 0, inconclusive = 0,
                not_measured = 0, waived = 0;
};

/// What every renderer is made from.
struct Report {
    RunVerdict verdict = RunVerdict::incomplete;
    RunHeader header;
    Text suite_title;
    std::string tier;
    std::vector<JudgedRequirement> requirements;  ///< in the suite's order
    std::vector<Contradiction> contradictions;
    Coverage coverage;
    std::vector<Waiver> waivers;
    std::vector<Outcome> outcomes;
    std::vector<RunDevice> devices;         ///< of the machine, measured or not
    std::vector<SuiteCase> cases;           ///< what the suite asked for
    std::vector<std::string> failed_cases;  ///< required cases that failed, by case name with reason
    /// Required cases that crashed, timed out or were not run: the run is incomplete at best.
    std::vector<std::string> unfinished_cases;
    std::vector<std::string> journal_notes;
};

/// Pure: the same input gives the same report.
Report judge(JudgeInput input);

enum class Language { en, zh };

// The renderers. Each is one file, render_<name>.cpp.
struct TextStyle {
    int columns = 100;
    bool colour = false;
};
std::string render_text(const Report& report, Language language, const TextStyle& style);
std::string render_json(const Report& report);
std::string render_html(const Report& report, Language language);
std::string render_markdown(const Report& report, Language language);
std::string render_junit(const Report& report);
std::string render_prometheus(const Report& report);
std::string render_csv(const Report& report);

}  // namespace assay
