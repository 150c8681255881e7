#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace assay {

/// The exact count, and from 1 MiB on what a reader takes in: "4096 bytes", "17179869184 bytes (16 GiB)",
/// "17000000000 bytes (15.8 GiB)".
std::string bytes_in_words(std::uint64_t bytes);

/// "1 array", "3 arrays".
std::string counted(std::uint64_t count, std::string_view one, std::string_view many);

}  // namespace assay
