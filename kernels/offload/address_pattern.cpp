#include "kernels/offload/address_pattern.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>
#include <vector>

namespace assay::kernels {

namespace {

constexpr const char* program = "address_pattern";
constexpr std::size_t vector_bytes = 16, vector_words = 2;

/// How a device's work is cut. CUDA's kernels hold the steps of a card.
struct Cut {
    std::size_t group, steps, groups_per_unit;
};
// A CPU goes through a page at a time, alone.
constexpr Cut on_card{256, 4, 8}, on_cpu{1, 256, 1};

const Cut& cut_of(const Accelerator& accelerator) {
    return accelerator.is_card() ? on_card : on_cpu;
}

std::string options_of(const Accelerator& accelerator) {
    const std::string steps = "-DSTEPS=" + std::to_string(cut_of(accelerator).steps);
    return accelerator.is_card() ? steps : steps + " -DALONE";
}

std::size_t most_groups(const Accelerator& accelerator) {
    return static_cast<std::size_t>(std::max(1, accelerator.info().compute_units)) *
           cut_of(accelerator).groups_per_unit;
}

/// What a group leaves, in the kernels' order.
struct GroupFinding {
    std::uint64_t checked, wrong, passing, flipped, first, found;
};
static_assert(sizeof(GroupFinding) == 6 * sizeof(std::uint64_t));

/// Bits are wrong where words are, and the first of these is one of those checked.
bool can_be(const GroupFinding& group, std::uint64_t first, std::uint64_t words) {
    const bool any = group.wrong != 0 || group.passing != 0;
    return any == (group.flipped != 0) && (group.wrong == 0 || group.first - first < words);
}

std::uint64_t mask_of(const AddressPattern& pattern) {
    return pattern.inverted ? ~std::uint64_t{0} : 0;
}

std::uint64_t vectors_of(const DeviceMemory& memory) {
    if (memory.bytes() % vector_bytes == 0) return memory.bytes() / vector_bytes;
    throw std::invalid_argument("address pattern: " + std::to_string(memory.bytes()) +
                                " bytes; a multiple of 16 would be accepted");
}

}  // namespace

OffloadedAddressPattern::OffloadedAddressPattern(Accelerator& accelerator)
    : accelerator_(accelerator),
      write_(accelerator.kernel(program, "pattern_write", options_of(accelerator))),
      verify_(accelerator.kernel(program, "pattern_verify", options_of(accelerator))),
      findings_(accelerator.allocate(most_groups(accelerator) * sizeof(GroupFinding), false)) {
    accelerator.queue().fill(*findings_, 0, findings_->bytes(), 0xff);
    // Drivers may find memory only now; later all of it may be taken.
    accelerator.queue().finish();
}

Grid OffloadedAddressPattern::grid_for(std::uint64_t vectors) const {
    const Cut& cut = cut_of(accelerator_);
    const std::uint64_t block = cut.group * cut.steps;
    const std::uint64_t needed = std::max<std::uint64_t>(1, (vectors + block - 1) / block);
    return {.groups_x = std::min<std::uint64_t>(needed, most_groups(accelerator_)), .group_x = cut.group};
}

void OffloadedAddressPattern::write(const DeviceMemory& memory, std::uint64_t first,
                                    const AddressPattern& pattern) {
    const std::uint64_t vectors = vectors_of(memory);
    const std::array<KernelArgument, 5> arguments = {&memory, first, vectors, pattern.seed, mask_of(pattern)};
    accelerator_.queue().launch(write_, grid_for(vectors), arguments);
}

void OffloadedAddressPattern::verify(const DeviceMemory& memory, std::uint64_t first,
                                     const AddressPattern& pattern) {
    const std::uint64_t vectors = vectors_of(memory);
    const Grid grid = grid_for(vectors);
    first_ = first;
    words_ = vectors * vector_words;
    groups_ = grid.groups_x;
    const std::array<KernelArgument, 6> arguments = {
        &memory,         static_cast<const DeviceMemory*>(findings_.get()), first, vectors, pattern.seed,
        mask_of(pattern)};
    accelerator_.queue().launch(verify_, grid, arguments);
}

AddressFinding OffloadedAddressPattern::collect() {
    std::vector<GroupFinding> groups(groups_);
    const std::size_t bytes = groups.size() * sizeof(GroupFinding);
    Queue& queue = accelerator_.queue();
    queue.read(groups.data(), *findings_, 0, bytes);
    // A kernel that does not run must not leave what the one before it left.
    queue.fill(*findings_, 0, bytes, 0xff);
    queue.finish();
    AddressFinding finding;
    std::uint64_t checked = 0;
    bool possible = true;
    for (const GroupFinding& group : groups) {
        checked += group.checked;
        if (!can_be(group, first_, words_)) possible = false;
        if (group.wrong != 0 && (finding.wrong == 0 || group.first < finding.first_index)) {
            finding.first_index = group.first;
            finding.found = group.found;
        }
        finding.wrong += group.wrong;
        finding.passing += group.passing;
        finding.flipped |= group.flipped;
    }
    if (checked != words_)
        throw DeviceError("the kernel that checks memory on " + accelerator_.info().id + " says of " +
                          std::to_string(checked) + " words that it checked them, where " +
                          std::to_string(words_) + " were to be checked");
    if (!possible)
        throw DeviceError("what the kernel that checks memory on " + accelerator_.info().id +
                          " says of wrong words cannot be: its own results do not reach the host right");
    return finding;
}

}  // namespace assay::kernels
