#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

#include <nlohmann/json.hpp>

namespace assay::test {

/// An empty folder on the file system of the build (the folder for temporary files may lie in memory), in
/// which a test's programs run; it goes with the test.
class WorkFolder {
  public:
    WorkFolder();
    ~WorkFolder();
    WorkFolder(const WorkFolder&) = delete;
    WorkFolder& operator=(const WorkFolder&) = delete;
    const std::filesystem::path& path() const { return path_; }
    std::string write(const std::string& name, const std::string& content) const;
    std::vector<std::string> names() const;  ///< what lies in it, sorted

  private:
    std::filesystem::path path_;
};

struct Finished {
    int exit_code = -1;
    int signal = 0;
    std::string output;
    std::string errors;
    double seconds = 0;
};

/// A program under test that runs in a process group of its own.
class Program {
  public:
    /// Runs in `folder`, where its output is kept in hidden files until it has finished.
    Program(const std::vector<std::string>& arguments, const std::filesystem::path& folder);
    ~Program();
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;
    pid_t pid() const { return pid_; }
    void send(int signal) const;
    void send_to_group(int signal) const;
    std::string errors_so_far() const;
    /// Waits until its standard error holds `text`; false after 30 s.
    bool wait_for_error_text(const std::string& text) const;
    Finished wait();

  private:
    std::filesystem::path output_, errors_;
    double started_ = 0;
    pid_t pid_ = -1;
};

Finished run_program(const std::vector<std::string>& arguments, const std::filesystem::path& folder);

std::string read_file(const std::filesystem::path& path);
std::vector<nlohmann::json> read_json_lines(const std::filesystem::path& path);
/// Numbers of the processes whose command line holds `text`.
std::vector<pid_t> processes_with(const std::string& text);
/// What jsonschema says of an instance; empty when it is valid.
std::string schema_complaints(const std::string& schema, const std::filesystem::path& instance);

}  // namespace assay::test
