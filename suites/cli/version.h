#pragma once

#include <string>

namespace assay::cli {

struct Version {
    std::string version;   ///< "0.1.0"
    std::string commit;    ///< "79ca637f1f43-dirty"
    std::string compiler;  ///< "GNU 12.2.0 Release"
};
Version version();

}  // namespace assay::cli
