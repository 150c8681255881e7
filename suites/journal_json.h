#pragma once

#include <string>
#include <string_view>

#include "suites/journal.h"

namespace assay {

// The two kinds of line of journal.jsonl (suites/schemas/journal.json), without the newline.
std::string header_line(const JournalHeader& header);
std::string outcome_line(const Outcome& outcome);

// Back. Throw InputError saying what is wrong.
JournalHeader header_from_line(std::string_view line);
Outcome outcome_from_line(std::string_view line);

}  // namespace assay
