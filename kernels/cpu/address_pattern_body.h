// The loops, written once over a vector of 64-bit words; each instruction set's unit defines, in an unnamed
// namespace, `Vector` (a vector extension type that may alias), store_around_caches and fence, and includes
// this inside the same namespace. No include guard, no includes of its own but what the units have.

constexpr std::size_t lanes = sizeof(Vector) / sizeof(std::uint64_t);
constexpr std::size_t line_words = 8;
constexpr std::size_t vectors = line_words / lanes;

Vector broadcast(std::uint64_t value) {
    Vector vector;
    for (std::size_t lane = 0; lane < lanes; ++lane) vector[lane] = value;
    return vector;
}

/// The x of a cache line's words, which each round moves on by a line.
struct Line {
    explicit Line(std::uint64_t start) {
        for (std::size_t word = 0; word < line_words; ++word)
            x[word / lanes][word % lanes] = start + word * pattern_step;
    }
    Vector x[vectors];
};

void write_words(std::uint64_t start, std::uint64_t mask, std::uint64_t* words, std::size_t count) {
    Line line(start);
    const Vector increment = broadcast(line_words * pattern_step);
    const Vector turned = broadcast(mask);
    for (std::size_t at = 0; at < count; at += line_words) {
#pragma GCC unroll 4
        for (std::size_t i = 0; i < vectors; ++i) {
            store_around_caches(words + at + i * lanes, line.x[i] ^ (line.x[i] >> 32) ^ turned);
            line.x[i] += increment;
        }
    }
    fence();
}

std::uint64_t differing_bits(std::uint64_t start, std::uint64_t mask, const std::uint64_t* words,
                             std::size_t count) {
    Line line(start);
    const Vector increment = broadcast(line_words * pattern_step);
    const Vector turned = broadcast(mask);
    Vector different = broadcast(0);
    for (std::size_t at = 0; at < count; at += line_words) {
#pragma GCC unroll 4
        for (std::size_t i = 0; i < vectors; ++i) {
            const Vector found = *reinterpret_cast<const Vector*>(words + at + i * lanes);
            different |= found ^ line.x[i] ^ (line.x[i] >> 32) ^ turned;
            line.x[i] += increment;
        }
    }
    std::uint64_t bits = 0;
    for (std::size_t lane = 0; lane < lanes; ++lane) bits |= different[lane];
    return bits;
}
