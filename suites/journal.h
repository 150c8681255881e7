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
    std::string suite_json;  ///< the suite as it was (with its tier), so that a report needs no other file
};

/// Appends to journal.jsonl; every line is on disk (fdatasync) when append() returns. Holds a lock while it
/// lives: two runs never share a folder.
class JournalWriter {
  public:
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

/// Throws InputError when there is no journal or its first line is unusable.
Journal read_journal(const std::filesystem::path& folder);

}  // namespace assay
