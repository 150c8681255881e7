#pragma once

#include <optional>

#include "kernels/cpu/features.h"
#include "probes/core/case.h"

namespace assay {

/// True where the case names the host, whose kernels are plain functions; else work is handed to a device.
bool on_cpu(const Case& the_case);

/// The parameter `threads` of probes that compute on CPUs.
Parameter threads_parameter();
/// Threads that the case asks for, all allowed CPUs with auto. Throws InputError where there are not as many.
int threads_of(const Case& the_case);

/// The parameter `isa` of probes whose kernels are written for portable, avx2 and avx512.
Parameter isa_parameter();
/// The instruction set that the case asks for, the best of these three with auto. Throws InputError where the
/// CPU or its operating system has it not.
kernels::Isa isa_of(const Case& the_case);

/// The parameter `isa` of probes that multiply matrices: neon and amx as well.
Parameter matrix_isa_parameter();
/// As isa_of(); nothing with auto, which is the probe's to settle.
std::optional<kernels::Isa> matrix_isa_of(const Case& the_case);

}  // namespace assay
