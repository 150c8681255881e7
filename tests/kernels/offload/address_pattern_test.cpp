#include "kernels/offload/address_pattern.h"

#include <bit>
#include <map>
#include <memory>
#include <stdexcept>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "tests/fake_cuda/fake_cuda.h"
#include "tests/kernels/faulty_accelerator.h"

namespace assay::kernels {
namespace {

std::unique_ptr<Device> opened(const std::string& id) {
    std::variant<std::unique_ptr<Device>, Absent> device = open_device(id);
    if (const Absent* absent = std::get_if<Absent>(&device)) throw std::runtime_error(absent->reason);
    return std::move(std::get<std::unique_ptr<Device>>(device));
}

// One vector, less than a block of any device, around whole blocks, and more than all groups take at once.
constexpr std::size_t vector_counts[] = {1, 3, 255, 256, 257, 1023, 1024, 1025, 4096, 40'000};

std::vector<std::uint64_t> contents_of(Accelerator& accelerator, const DeviceMemory& memory) {
    std::vector<std::uint64_t> words(memory.bytes() / 8);
    accelerator.queue().read(words.data(), memory, 0, memory.bytes());
    accelerator.queue().finish();
    return words;
}

void put(Accelerator& accelerator, DeviceMemory& memory, std::size_t index, std::uint64_t word) {
    accelerator.queue().write(memory, index * 8, &word, 8);
    accelerator.queue().finish();
}

/// Writing is held against the host's words; reading against faults that the host plants.
void hold_against_the_host(Accelerator& accelerator) {
    OffloadedAddressPattern addresses(accelerator);
    const std::uint64_t first = (std::uint64_t{1} << 33) + 7;
    for (const std::size_t vectors : vector_counts) {
        const std::unique_ptr<DeviceMemory> memory = accelerator.allocate(vectors * 16, false);
        for (const bool inverted : {false, true}) {
            const AddressPattern pattern{0x123456789abcdef1u + vectors, inverted};
            accelerator.queue().fill(*memory, 0, memory->bytes(), 0xff);
            addresses.write(*memory, first, pattern);
            std::vector<std::uint64_t> words = contents_of(accelerator, *memory);
            std::size_t wrong = 0;
            for (std::size_t i = 0; i < words.size(); ++i)
                wrong += words[i] != pattern_word(pattern, first + i) ? 1 : 0;
            EXPECT_EQ(wrong, 0u) << vectors << " vectors";

            addresses.verify(*memory, first, pattern);
            AddressFinding finding = addresses.collect();
            EXPECT_EQ(finding.wrong, 0u) << vectors << " vectors";
            EXPECT_EQ(finding.passing, 0u);
            EXPECT_EQ(finding.flipped, 0u);

            // Words by index; those of a vector of one word are the same.
            std::map<std::size_t, std::uint64_t> planted;
            for (const std::size_t at :
                 {words.size() - 1, words.size() / 2, words.size() / 3, std::size_t{1}})
                planted[at] = words[at] ^ (std::uint64_t{1} << (at % 64));
            std::uint64_t bits = 0;
            for (const auto& [at, word] : planted) {
                put(accelerator, *memory, at, word);
                bits |= std::uint64_t{1} << (at % 64);
            }
            addresses.verify(*memory, first, pattern);
            finding = addresses.collect();
            EXPECT_EQ(finding.wrong, planted.size()) << vectors << " vectors";
            EXPECT_EQ(finding.flipped, bits);
            EXPECT_EQ(finding.first_index, first + planted.begin()->first);
            EXPECT_EQ(finding.found, planted.begin()->second);
        }
    }
}

TEST(OffloadedAddressPattern, IsTheHostsAndNoticesEveryWrongWord) {
    hold_against_the_host(*opened("opencl:0")->accelerator());
}

TEST(OffloadedAddressPattern, OfACardIsTheHostsAndNoticesEveryWrongWord) {
    FaultyAccelerator card(opened("opencl:0"), {});
    card.described().kind = "gpu";
    hold_against_the_host(card);
}

TEST(OffloadedAddressPattern, OnCudaIsTheHostsAndNoticesEveryWrongWord) {
    const fake_cuda::Fresh driver;
    hold_against_the_host(*opened("cuda:0")->accelerator());
}

TEST(OffloadedAddressPattern, OfAnotherSeedIsWrongEverywhere) {
    const std::unique_ptr<Device> device = opened("opencl:0");
    Accelerator& accelerator = *device->accelerator();
    OffloadedAddressPattern addresses(accelerator);
    const std::unique_ptr<DeviceMemory> memory = accelerator.allocate(64 << 10, true);
    addresses.write(*memory, 0, {1, false});
    addresses.verify(*memory, 0, {2, false});
    EXPECT_EQ(addresses.collect().wrong, 8192u);
    addresses.verify(*memory, 0, {1, true});
    const AddressFinding turned = addresses.collect();
    EXPECT_EQ(turned.wrong, 8192u);
    EXPECT_EQ(turned.flipped, ~std::uint64_t{0});
    EXPECT_EQ(turned.first_index, 0u);
    EXPECT_EQ(turned.found, pattern_word({1, false}, 0));
}

TEST(OffloadedAddressPattern, NoticesAKernelThatDidNotRun) {
    // Of the launches that check, the second does nothing: what the first found must not stand for it.
    FaultyAccelerator idle(opened("opencl:0"), {.launch_not_made = 2});
    OffloadedAddressPattern addresses(idle);
    const std::unique_ptr<DeviceMemory> memory = idle.allocate(64 << 10, true);
    addresses.write(*memory, 0, {});
    addresses.verify(*memory, 0, {});
    EXPECT_EQ(addresses.collect().wrong, 0u);
    addresses.verify(*memory, 0, {});
    EXPECT_THROW(addresses.collect(), DeviceError);
}

TEST(OffloadedAddressPattern, DoesNotBelieveWhatCannotBe) {
    // Of the first group: words checked, wrong, passing, flipped bits.
    for (const std::uint64_t byte : {0, 8, 16, 24}) {
        FaultyAccelerator wrong(opened("opencl:0"), {.wrong_byte_at = byte, .wrong_bits = 0x01});
        OffloadedAddressPattern addresses(wrong);
        const std::unique_ptr<DeviceMemory> memory = wrong.allocate(64 << 10, true);
        addresses.write(*memory, 0, {});
        addresses.verify(*memory, 0, {});
        EXPECT_THROW(addresses.collect(), DeviceError) << byte;
    }
}

TEST(OffloadedAddressPattern, TakesWholeVectors) {
    const std::unique_ptr<Device> device = opened("opencl:0");
    OffloadedAddressPattern addresses(*device->accelerator());
    const std::unique_ptr<DeviceMemory> memory = device->allocate(24, false);
    EXPECT_THROW(addresses.write(*memory, 0, {}), std::invalid_argument);
}

}  // namespace
}  // namespace assay::kernels
