#include "tests/integration/program.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

namespace assay::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

WorkFolder::WorkFolder() {
    std::string name = (fs::current_path() / "integration-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name);
    path_ = name;
}

WorkFolder::~WorkFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

std::string WorkFolder::write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
    return (path_ / name).string();
}

std::vector<std::string> WorkFolder::names() const {
    std::vector<std::string> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(path_))
        names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

Program::Program(const std::vector<std::string>& arguments, const fs::path& folder)
    : output_(folder / ".output"), errors_(folder / ".errors"), started_(now()) {
    std::vector<std::string> words = arguments;
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork");
    if (pid_ == 0) {
        ::setpgid(0, 0);
        const int output = ::open(output_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        const int errors = ::open(errors_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        ::dup2(output, STDOUT_FILENO);
        ::dup2(errors, STDERR_FILENO);
        ::close(output);
        ::close(errors);
        if (::chdir(folder.c_str()) != 0) ::_exit(126);
        ::execv(pointers[0], pointers.data());
        ::_exit(127);
    }
    ::setpgid(pid_, pid_);
}

Program::~Program() {
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

void Program::send(int signal) const {
    ::kill(pid_, signal);
}

void Program::send_to_group(int signal) const {
    ::kill(-pid_, signal);
}

std::string Program::errors_so_far() const {
    return read_file(errors_);
}

bool Program::wait_for_error_text(const std::string& text) const {
    for (const double until = now() + 30; now() < until; std::this_thread::sleep_for(10ms))
        if (errors_so_far().find(text) != std::string::npos) return true;
    return false;
}

Finished Program::wait() {
    int status = 0;
    if (::waitpid(pid_, &status, 0) != pid_) throw std::runtime_error("waitpid");
    pid_ = -1;
    Finished finished;
    if (WIFEXITED(status)) finished.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) finished.signal = WTERMSIG(status);
    finished.seconds = now() - started_;
    finished.output = read_file(output_);
    finished.errors = read_file(errors_);
    fs::remove(output_);
    fs::remove(errors_);
    return finished;
}

Finished run_program(const std::vector<std::string>& arguments, const fs::path& folder) {
    return Program(arguments, folder).wait();
}

std::string read_file(const fs::path& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

std::vector<nlohmann::json> read_json_lines(const fs::path& path) {
    std::vector<nlohmann::json> lines;
    std::ifstream stream(path);
    for (std::string line; std::getline(stream, line);) lines.push_back(nlohmann::json::parse(line));
    return lines;
}

std::vector<pid_t> processes_with(const std::string& text) {
    std::vector<pid_t> found;
    std::error_code ignored;
    for (const fs::directory_entry& entry : fs::directory_iterator("/proc", ignored)) {
        const std::string name = entry.path().filename().string();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        if (read_file(entry.path() / "cmdline").find(text) != std::string::npos)
            found.push_back(std::stoi(name));
    }
    return found;
}

std::string schema_complaints(const std::string& schema, const fs::path& instance) {
    const fs::path tree = ASSAY_SOURCE_DIR;
    const WorkFolder folder;
    const Finished result =
        run_program({"/usr/bin/python3", (tree / "tests/integration/validate_json.py").string(),
                     (tree / "suites/schemas").string(), schema, instance.string()},
                    folder.path());
    if (result.exit_code == 0) return {};
    return "not valid: " + result.output + result.errors;
}

}  // namespace assay::test
