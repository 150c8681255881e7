#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

struct Probe;

/// Unusable input, found before anything ran: exit 2, with this one line, which says what, where and what
/// would be accepted.
class InputError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

enum class ParameterKind {
    integer,  ///< 32
    bytes,    ///< 4096, 4K, 2M, 1G (powers of 1024), 2GB (powers of 1000); canonical: decimal bytes
    seconds,  ///< 2.5, also 2.5s, 100ms; canonical: decimal seconds
    real,     ///< 0.7
    choice,   ///< one of Parameter::choices
    text,     ///< anything
    device,   ///< cpu:0, opencl:N, cuda:N; in suites also each:gpu
};

/// A parameter of a probe: what help, `assay list`, validation and the contract test are made from.
struct Parameter {
    std::string_view name;
    ParameterKind kind = ParameterKind::text;
    std::string_view fallback;  ///< the default, as a user would write it; "auto" is always accepted where it
                                ///< is the default
    std::string_view meaning;   ///< one sentence with the unit
    double minimum = 0;         ///< of numbers, bytes, seconds
    double maximum = 0;         ///< 0: no upper limit
    std::vector<std::string_view> choices = {};
};

/// A probe with every parameter set. Values are canonical text, so that equal cases compare equal.
struct Case {
    std::string probe;
    std::map<std::string, std::string> parameters;

    // Readers for a probe's own parameters: canonical text is parsed, a name that the probe did not
    // declare is a std::logic_error.
    const std::string& text(std::string_view name) const;
    bool is_auto(std::string_view name) const;
    std::int64_t integer(std::string_view name) const;
    std::uint64_t bytes(std::string_view name) const;
    double seconds(std::string_view name) const;
    double real(std::string_view name) const;

    bool operator==(const Case&) const = default;
};

/// A case from what a user or a suite gave: defaults filled in, values checked and made canonical. Throws
/// InputError.
Case make_case(const Probe& probe, const std::map<std::string, std::string>& given);

/// One value made canonical, or InputError naming `where` ("gemm.throughput.n") and what would be accepted.
std::string canonical_value(const Parameter& parameter, std::string_view value, std::string_view where);

/// "4K" -> 4096, "2GB" -> 2 000 000 000. Throws InputError.
std::uint64_t parse_bytes(std::string_view text, std::string_view where);

/// The case's name in journals, progress and reports: `storage.random_read{jobs=4,queue_depth=32}`: the
/// parameters that differ from the probe's defaults when `probe` is given, else all.
std::string case_name(const Case& the_case, const Probe* probe = nullptr);

}  // namespace assay
