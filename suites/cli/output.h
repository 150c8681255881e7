#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "probes/core/os/file_descriptor.h"
#include "reports/report.h"

namespace assay::cli {

/// To standard output, all of it. Throws std::system_error when it cannot be written.
void print(std::string_view text);
/// A line to standard error.
void print_error_line(std::string_view text);

/// While it lives, what anything prints to standard output (a library's warning) goes to standard error: with
/// --json, standard output carries one document and nothing else.
class OutputGuard {
  public:
    OutputGuard();
    ~OutputGuard();
    OutputGuard(const OutputGuard&) = delete;
    OutputGuard& operator=(const OutputGuard&) = delete;

  private:
    os::FileDescriptor kept_;
};

/// The program that runs, for children of it.
std::filesystem::path own_program();

/// The whole file or nothing: written beside its place and renamed. Throws InputError for a path that can
/// be no such file, std::system_error when writing fails.
void write_atomically(const std::filesystem::path& path, std::string_view content);

/// What may be known of such a path before the work begins: throws InputError.
void check_output_file(const std::filesystem::path& path);

/// The terminal that standard output (or error) is, or the defaults of a plain stream.
TextStyle style_of_output();
struct ErrorStream {
    bool live = false;  ///< a terminal, where a line can be drawn again
    int columns = 100;
};
ErrorStream style_of_error();

/// `text` cut to `columns` characters, whole ones of UTF-8 (wide ones count two).
std::string cut_to(std::string_view text, int columns);

}  // namespace assay::cli
