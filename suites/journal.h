#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "probes/core/os/file_descriptor.h"
#include "probes/core/outcome.h"
#include "reports/report.h"
#include "suites/plan.h"

namespace assay {

/// The first line of journal.jsonl.
struct JournalHeader {
    RunHeader run;
    Plan plan;
    std::vector<Waiver> waivers;
    DeviceSurvey survey;     ///< of the machine, so that another suite can be expanded for it
    std::string suite_json;  ///< Suite::json, so that a report needs no other file
};

/// Appends to journal.jsonl; every line is on disk (fdatasync) when append() returns. Holds a lock while it
/// lives: two runs never share a folder.
class JournalWriter {
  public:
    /// Throws InputError when the folder has a journal, std::system_error when it cannot be written.
    static JournalWriter create(const std::filesystem::path& folder, const JournalHeader& header);
    /// Goes on after the last whole line; a truncated one is cut off.
    static JournalWriter resume(const std::filesystem::path& folder);
    void append(const Outcome& outcome);

  private:
    explicit JournalWriter(os::FileDescriptor file) : file_(std::move(file)) {}
    os::FileDescriptor file_;
};

struct Journal {
    JournalHeader header;
    std::vector<Outcome> outcomes;
    std::vector<std::string> notes;  ///< what was dropped: "line 7 is cut off and was dropped"
};

/// The journal's place in a run folder.
std::filesystem::path journal_path(const std::filesystem::path& folder);

/// Throws InputError when there is no journal or its first line is unusable.
Journal read_journal(const std::filesystem::path& folder);

}  // namespace assay
