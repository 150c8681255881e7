// How a product goes through its rows, for a unit to include within its own unnamed namespace: every copy is
// compiled for its own instruction set, and none is shared.

/// Several streams, each through its own share of the rows: rows beside each other would be streams within a
/// page, which the hardware's prefetchers do not tell apart. An odd number of rows each, for streams a
/// multiple of a power of two apart meet in the same banks of the memory: 1024 rows of 2112 bytes apart,
/// seven streams read 0.6 times as much as 1023 apart. `together` multiplies `streams` rows that lie
/// `row_step` apart, `alone` one; `length` is theirs, of columns or groups.
template <std::size_t streams, auto together, auto alone, typename In>
void in_streams(const std::byte* packed, std::size_t row_bytes, std::size_t length, const In* in, float* out,
                std::size_t row_begin, std::size_t row_end) {
    const std::size_t even_share = (row_end - row_begin) / streams;
    const std::size_t share = even_share - (even_share > 0 && even_share % 2 == 0 ? 1 : 0);
    for (std::size_t row = row_begin; row < row_begin + share; ++row)
        together(packed + row * row_bytes, share, length, in, out + row);
    for (std::size_t row = row_begin + streams * share; row < row_end; ++row)
        alone(packed + row * row_bytes, 0, length, in, out + row);
}

/// Asks for what lies ahead of block `group` of int4 rows, but for the line `ahead` of each row's pairs whose
/// distance is returned: the caller asks for that beside its products. A row's scales lie behind its pairs.
/// So that each line is asked for once and in ascending order, as the hardware's prefetchers follow it, the
/// sweep goes a line further wherever the scales have filled one; else the next row's pairs would have a gap
/// as long as the scales. Of rows longer than the sweep is ahead, the scales are needed before it comes by,
/// and are asked for by themselves.
template <int rows, std::size_t scale_groups, std::size_t ahead, auto prefetch>
std::size_t look_ahead(const std::byte* packed, std::size_t step_bytes, std::size_t groups,
                       std::size_t group) {
    constexpr std::size_t line_bytes = 64, groups_ahead = ahead / int4_group_bytes;
    constexpr std::size_t groups_a_line = line_bytes / 2 * scale_groups;
    const std::size_t distance = ahead + group / groups_a_line * line_bytes;
    if (group % groups_a_line != 0) return distance;
    const std::byte* pairs = packed + group * int4_group_bytes + distance - line_bytes;
    for (int row = 0; row < rows; ++row, pairs += step_bytes) prefetch(pairs);
    if (groups > groups_ahead) {
        const std::size_t wanted = group + groups_ahead;
        const std::byte* scales = packed + groups * int4_group_bytes + wanted / scale_groups * 2;
        if (wanted >= groups) scales += groups * int4_group_bytes;  // the next row's
        for (int row = 0; row < rows; ++row, scales += step_bytes) prefetch(scales);
    }
    return distance;
}
