#include "kernels/device/programs.h"

namespace assay::kernels {

std::optional<std::string_view> embedded_program(std::string_view name) {
    for (const EmbeddedFile& file : embedded_programs())
        if (file.name == name) return file.content;
    return std::nullopt;
}

}  // namespace assay::kernels
