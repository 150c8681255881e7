// Memory that tells its own addresses: kernels/cpu/address_pattern.h says which word stands where. Options: STEPS,
// vectors of two words that a work-item takes of a block, all of them under way before the first is compared; ALONE,
// for CPUs, whose groups are of one work-item, which takes eight words at a time.

#ifndef STEPS
#define STEPS 4
#endif
#define PATTERN_STEP 0x9e3779b97f4a7c15UL
#define LARGEST_GROUP 256

// The two words of a vector whose first has the index `index`.
ulong2 pattern_words(const ulong index, const ulong seed, const ulong mask) {
    const ulong x = seed + index * PATTERN_STEP;
    const ulong2 two = (ulong2)(x, x + PATTERN_STEP);
    return two ^ (two >> 32) ^ mask;
}

#ifdef ALONE
// What is hashed to the eight words from `index` on; eight words later it is EIGHT_STEPS more.
#define EIGHT_STEPS (8 * PATTERN_STEP)
ulong8 before_mixing(const ulong index, const ulong seed) {
    return seed + (index + (ulong8)(0, 1, 2, 3, 4, 5, 6, 7)) * PATTERN_STEP;
}

void write_block(global ulong2* words, const ulong index, const ulong seed, const ulong mask) {
    ulong8 x = before_mixing(index, seed);
    for (int u = 0; u < STEPS / 4; ++u, x += EIGHT_STEPS) vstore8(x ^ (x >> 32) ^ mask, u, (global ulong*)words);
}

// All bits in which a word of the block differs.
ulong2 block_difference(global const ulong2* words, const ulong index, const ulong seed, const ulong mask) {
    ulong8 x = before_mixing(index, seed), different = 0;
    for (int u = 0; u < STEPS / 4; ++u, x += EIGHT_STEPS)
        different |= vload8(u, (global const ulong*)words) ^ x ^ (x >> 32) ^ mask;
    const ulong4 half_of = different.lo | different.hi;
    return half_of.lo | half_of.hi;
}
#endif

// Writes `count` vectors, of which the first word has the index `first`. A work-group takes a block side by side, then
// strides over all groups.
kernel void pattern_write(global ulong2* restrict words, const ulong first, const ulong count, const ulong seed,
                          const ulong mask) {
    const ulong width = get_local_size(0), block = width * STEPS;
    for (ulong begin = get_group_id(0) * block; begin < count; begin += get_num_groups(0) * block) {
        const ulong at = begin + get_local_id(0);
        if (begin + block <= count) {
#ifdef ALONE
            write_block(words + begin, first + 2 * begin, seed, mask);
#else
#pragma unroll
            for (int u = 0; u < STEPS; ++u)
                words[at + u * width] = pattern_words(first + 2 * (at + u * width), seed, mask);
#endif
        } else {
            for (ulong i = at; i < count; i += width) words[i] = pattern_words(first + 2 * i, seed, mask);
        }
    }
}

// What a work-item or a group found, in this order: words checked; wrong ones; blocks that were wrong once and right when
// read again; all bits in which any was wrong; of the first wrong word the index, what was found there.
#define CHECKED 0
#define WRONG 1
#define PASSING 2
#define FLIPPED 3
#define FIRST 4
#define FOUND 5
#define FIELDS 6

void merge_finding(local ulong* to, local const ulong* from) {
    to[CHECKED] += from[CHECKED];
    to[WRONG] += from[WRONG];
    to[PASSING] += from[PASSING];
    to[FLIPPED] |= from[FLIPPED];
    if (from[FIRST] < to[FIRST]) {
        to[FIRST] = from[FIRST];
        to[FOUND] = from[FOUND];
    }
}

void add_wrong(private ulong* finding, const ulong index, const ulong found, const ulong expected) {
    if (found == expected) return;
    ++finding[WRONG];
    finding[FLIPPED] |= found ^ expected;
    if (index < finding[FIRST]) {
        finding[FIRST] = index;
        finding[FOUND] = found;
    }
}

// Reads and compares what pattern_write wrote, from the end down, and leaves a finding of FIELDS words a group. Groups
// have a power of two of work-items, at most LARGEST_GROUP.
kernel void pattern_verify(global const ulong2* restrict words, global ulong* restrict findings, const ulong first,
                           const ulong count, const ulong seed, const ulong mask) {
    const ulong width = get_local_size(0), block = width * STEPS, last = count - 1;
    ulong finding[FIELDS] = {0, 0, 0, 0, ~0UL, 0};
    for (ulong begin = get_group_id(0) * block; begin < count; begin += get_num_groups(0) * block) {
        const ulong from = begin + get_local_id(0), end = min(begin + block, count);
        ulong2 different = 0;
        if (begin + block <= count) {
#ifdef ALONE
            const ulong lowest = count - end;
            different = block_difference(words + lowest, first + 2 * lowest, seed, mask);
#else
#pragma unroll
            for (int u = 0; u < STEPS; ++u) {
                const ulong at = last - from - u * width;
                different |= words[at] ^ pattern_words(first + 2 * at, seed, mask);
            }
#endif
            finding[CHECKED] += 2 * STEPS;
        } else {
            for (ulong i = from; i < end; i += width) {
                const ulong at = last - i;
                different |= words[at] ^ pattern_words(first + 2 * at, seed, mask);
                finding[CHECKED] += 2;
            }
        }
        if ((different.x | different.y) == 0) continue;
        const ulong wrong_before = finding[WRONG];
        for (ulong i = from; i < end; i += width) {
            const ulong at = last - i;
            const ulong2 found = words[at], expected = pattern_words(first + 2 * at, seed, mask);
            add_wrong(finding, first + 2 * at, found.x, expected.x);
            add_wrong(finding, first + 2 * at + 1, found.y, expected.y);
        }
        if (finding[WRONG] == wrong_before) {
            // Which of its words it was is not known.
            ++finding[PASSING];
            finding[FLIPPED] |= different.x | different.y;
        }
    }
    local ulong all[LARGEST_GROUP * FIELDS];
    local ulong* const mine = all + get_local_id(0) * FIELDS;
    for (int field = 0; field < FIELDS; ++field) mine[field] = finding[field];
    for (ulong half_width = width / 2; half_width > 0; half_width /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (get_local_id(0) < half_width) merge_finding(mine, mine + half_width * FIELDS);
    }
    if (get_local_id(0) != 0) return;
    for (int field = 0; field < FIELDS; ++field) findings[get_group_id(0) * FIELDS + field] = mine[field];
}
