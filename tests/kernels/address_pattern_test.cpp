#include "kernels/cpu/address_pattern.h"

#include <cstdlib>
#include <memory>
#include <set>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

namespace assay::kernels {
namespace {

constexpr std::size_t words_in_test = 1024;

struct Freed {
    void operator()(void* memory) const { std::free(memory); }
};
using AlignedWords = std::unique_ptr<std::uint64_t, Freed>;

AlignedWords aligned_words() {
    return AlignedWords(
        static_cast<std::uint64_t*>(std::aligned_alloc(64, words_in_test * sizeof(std::uint64_t))));
}

std::vector<Isa> supported() {
    std::vector<Isa> sets;
    for (const Isa isa : {Isa::portable, Isa::neon, Isa::avx2, Isa::avx512})
        if (supports(isa)) sets.push_back(isa);
    return sets;
}

TEST(AddressPattern, TellsTheIndexThatItsWordHas) {
    for (const bool inverted : {false, true}) {
        const AddressPattern pattern{0x1234567890abcdef, inverted};
        for (const std::uint64_t index : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{4095},
                                          std::uint64_t{1} << 37, ~std::uint64_t{0}})
            EXPECT_EQ(pattern_index(pattern, pattern_word(pattern, index)), index);
    }
}

TEST(AddressPattern, HasNoWordTwiceAndBothStatesOfEveryBit) {
    const AddressPattern pattern{7, false};
    std::set<std::uint64_t> words;
    std::uint64_t ones = 0, zeros = 0;
    for (std::uint64_t index = 0; index < 5000; ++index) {
        const std::uint64_t word = pattern_word(pattern, index);
        words.insert(word);
        ones |= word;
        zeros |= ~word;
        EXPECT_EQ(pattern_word({7, true}, index), ~word);
    }
    EXPECT_EQ(words.size(), 5000u);
    EXPECT_EQ(ones, ~std::uint64_t{0});
    EXPECT_EQ(zeros, ~std::uint64_t{0});
}

TEST(AddressPattern, EveryInstructionSetWritesTheReferencesWordsAndNoOthers) {
    for (const Isa isa : supported()) {
        for (const AddressPattern& pattern : {AddressPattern{1, false}, AddressPattern{99, true}}) {
            const AlignedWords words = aligned_words();
            std::fill_n(words.get(), words_in_test, 0);
            const std::uint64_t first = (std::uint64_t{1} << 33) + 24;
            write_pattern(isa, pattern, first, words.get() + 8, words_in_test - 24);
            for (std::size_t i = 0; i < words_in_test; ++i) {
                const bool inside = i >= 8 && i < words_in_test - 16;
                ASSERT_EQ(words.get()[i], inside ? pattern_word(pattern, first + i - 8) : 0)
                    << to_string(isa) << " word " << i;
            }
        }
    }
}

TEST(AddressPattern, EveryInstructionSetSeesExactlyTheBitsThatDiffer) {
    for (const Isa isa : supported()) {
        const AddressPattern pattern{5, true};
        const AlignedWords words = aligned_words();
        write_pattern(isa, pattern, 640, words.get(), words_in_test);
        EXPECT_EQ(pattern_difference(isa, pattern, 640, words.get(), words_in_test), 0u);
        for (std::size_t at = 0; at < 20; ++at) {
            words.get()[at] ^= std::uint64_t{1} << (3 * at);
            EXPECT_EQ(pattern_difference(isa, pattern, 640, words.get(), words_in_test),
                      std::uint64_t{1} << (3 * at))
                << to_string(isa);
            words.get()[at] ^= std::uint64_t{1} << (3 * at);
        }
        words.get()[words_in_test - 1] ^= 0x8001;
        words.get()[0] ^= 0x10;
        EXPECT_EQ(pattern_difference(isa, pattern, 640, words.get(), words_in_test), 0x8011u);
        EXPECT_NE(pattern_difference(isa, pattern, 648, words.get(), words_in_test), 0u)
            << "the same words at another place";
    }
}

TEST(AddressPattern, HasFormsOfItsOwnForTheVectorsOfX86Alone) {
    EXPECT_EQ(pattern_form(Isa::portable), Isa::portable);
    EXPECT_EQ(pattern_form(Isa::neon), Isa::portable);
#if defined(__x86_64__)
    EXPECT_EQ(pattern_form(Isa::avx2), Isa::avx2);
    EXPECT_EQ(pattern_form(Isa::avx512), Isa::avx512);
#endif
}

TEST(AddressPattern, RefusesWhatIsNotAligned) {
    const AlignedWords words = aligned_words();
    EXPECT_THROW(write_pattern(Isa::portable, {}, 0, words.get() + 1, 8), std::invalid_argument);
    EXPECT_THROW(write_pattern(Isa::portable, {}, 0, words.get(), 7), std::invalid_argument);
    EXPECT_THROW(pattern_difference(Isa::portable, {}, 0, words.get() + 4, 8), std::invalid_argument);
}

}  // namespace
}  // namespace assay::kernels
