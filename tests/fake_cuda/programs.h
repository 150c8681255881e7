#pragma once

#include <string_view>
#include <vector>

namespace assay::fake_cuda {

/// The programs of the product's build, by whose bytes a loaded one is known: "cuda/spin.fatbin".
struct EmbeddedFile {
    std::string_view name;
    std::string_view content;
};
std::vector<EmbeddedFile> known_programs();

}  // namespace assay::fake_cuda
