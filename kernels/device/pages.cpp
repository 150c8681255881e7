#include "kernels/device/pages.h"

#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>

namespace assay {

std::optional<double> huge_page_share(const void* begin, std::size_t bytes,
                                      const std::filesystem::path& smaps) {
    const std::uintptr_t first = reinterpret_cast<std::uintptr_t>(begin);
    std::ifstream file(smaps);
    std::string line;
    bool inside = false;
    double resident = 0, huge = 0;
    while (std::getline(file, line)) {
        std::istringstream words(line);
        std::string key;
        words >> key;
        const std::size_t dash = key.find('-');
        if (dash != std::string::npos && key.back() != ':') {
            const std::uintptr_t low = std::stoull(key.substr(0, dash), nullptr, 16);
            const std::uintptr_t high = std::stoull(key.substr(dash + 1), nullptr, 16);
            inside = low < first + bytes && high > first;
        } else if (inside) {
            double kib = 0;
            words >> kib;
            if (key == "Rss:") resident += kib;
            if (key == "AnonHugePages:") huge += kib;
            // Pages reserved beforehand (hugetlb) do not count as resident there.
            if (key == "Private_Hugetlb:" || key == "Shared_Hugetlb:") {
                resident += kib;
                huge += kib;
            }
        }
    }
    if (resident == 0) return std::nullopt;
    return huge / resident;
}

HugePages huge_pages_given(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::string choices;
    std::getline(file, choices);
    if (choices.find("[always]") != std::string::npos) return HugePages::unasked;
    if (choices.find("[madvise]") != std::string::npos) return HugePages::on_request;
    return HugePages::none;
}

}  // namespace assay
