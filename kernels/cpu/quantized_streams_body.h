// How a product goes through its rows, for a unit to include within its own unnamed namespace: every copy is
// compiled for its own instruction set, and none is shared.

/// Several streams, each through its own share of the rows: rows beside each other would be streams within a
/// page, which the hardware's prefetchers do not tell apart. `together` multiplies `streams` rows that lie
/// `row_step` apart, `alone` one; `length` is theirs, of columns or groups.
template <std::size_t streams, auto together, auto alone, typename In>
void in_streams(const std::byte* packed, std::size_t row_bytes, std::size_t length, const In* in, float* out,
                std::size_t row_begin, std::size_t row_end) {
    const std::size_t share = (row_end - row_begin) / streams;
    for (std::size_t row = row_begin; row < row_begin + share; ++row)
        together(packed + row * row_bytes, share, length, in, out + row);
    for (std::size_t row = row_begin + streams * share; row < row_end; ++row)
        alone(packed + row * row_bytes, 0, length, in, out + row);
}
