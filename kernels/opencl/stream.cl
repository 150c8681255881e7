// Memory traffic in patterns; elements are 32-bit integers, whose sums and products are exact in any order. Options:
// UNROLL, steps whose loads are all under way before the first is used; for CPUs PREFETCH, lines of 64 bytes ahead,
// and NON_TEMPORAL, stores around the caches.

#ifndef UNROLL
#define UNROLL 4
#endif

uint mixed(uint value) {
    value = (value ^ (value >> 16)) * 0x85ebca6bu;
    value = (value ^ (value >> 13)) * 0xc2b2ae35u;
    return value ^ (value >> 16);
}

// The element at an index, as kernels/offload/stream.h gives it for the host.
kernel void fill(global uint* restrict to, const ulong count, const uint seed) {
    for (ulong i = get_global_id(0); i < count; i += get_global_size(0))
        to[i] = mixed((uint)i ^ mixed((uint)(i >> 32) + seed));
}

// A kernel is what it does with a (left) and b (right); each in three patterns.
#define READ_OF(T) (left)
#define WRITE_OF(T) ((T)(scalar))
#define COPY_OF(T) (left)
#define SCALE_OF(T) (scalar * left)
#define ADD_OF(T) (left + right)
#define TRIAD_OF(T) (left + scalar * right)
#define LOADS_NONE(load_a, load_b)
#define LOADS_A(load_a, load_b) load_a;
#define LOADS_BOTH(load_a, load_b) \
    load_a;                        \
    load_b;

// plain: a vector a work-item.
#define STORES_PLAIN(name, LOADS, VALUE)                                                                        \
    kernel void name##_plain(global uint4* restrict out, global const uint4* restrict a,                        \
                             global const uint4* restrict b, const uint scalar, const ulong count) {            \
        const ulong i = get_global_id(0);                                                                       \
        if (i >= count) return;                                                                                 \
        LOADS(const uint4 left = a[i], const uint4 right = b[i])                                                \
        out[i] = VALUE(uint4);                                                                                  \
    }

// strided: for GPUs. A work-group takes UNROLL vectors a work-item side by side, then strides over all groups; `count`
// is a multiple of what a group takes.
#define STORES_STRIDED(name, LOADS, VALUE)                                                                      \
    kernel void name##_strided(global uint4* restrict out, global const uint4* restrict a,                      \
                               global const uint4* restrict b, const uint scalar, const ulong count) {          \
        const ulong width = get_local_size(0), block = width * UNROLL;                                          \
        for (ulong i = get_group_id(0) * block + get_local_id(0); i < count; i += get_num_groups(0) * block) {  \
            uint4 lefts[UNROLL], rights[UNROLL];                                                                \
            _Pragma("unroll") for (int u = 0; u < UNROLL; ++u) {                                                \
                LOADS(lefts[u] = a[i + u * width], rights[u] = b[i + u * width])                                \
            }                                                                                                   \
            _Pragma("unroll") for (int u = 0; u < UNROLL; ++u) {                                                \
                const uint4 left = lefts[u], right = rights[u];                                                 \
                out[i + u * width] = VALUE(uint4);                                                              \
            }                                                                                                   \
        }                                                                                                       \
    }

// chunks: for CPUs. A work-group of one goes through a chunk of its own, in lines of 64 bytes, four at a time.
#ifdef PREFETCH
#define AHEAD(from) __builtin_prefetch(from + PREFETCH)
#else
#define AHEAD(from)
#endif
#ifdef NON_TEMPORAL
#define PUT(to, value) __builtin_nontemporal_store(value, to)
#else
#define PUT(to, value) *(to) = (value)
#endif
#define STORES_CHUNKS(name, LOADS, VALUE)                                                                       \
    kernel __attribute__((reqd_work_group_size(1, 1, 1))) void name##_chunks(                                   \
        global uint16* restrict out, global const uint16* restrict a, global const uint16* restrict b,          \
        const uint scalar, const ulong count) {                                                                 \
        const ulong fours = count / 4, groups = get_num_groups(0), group = get_group_id(0);                     \
        const ulong end = fours * (group + 1) / groups * 4;                                                     \
        for (ulong i = fours * group / groups * 4; i < end; i += 4) {                                           \
            _Pragma("unroll") for (int u = 0; u < 4; ++u) {                                                     \
                LOADS(AHEAD(a + i + u), AHEAD(b + i + u))                                                       \
                LOADS(const uint16 left = a[i + u], const uint16 right = b[i + u])                              \
                PUT(out + i + u, VALUE(uint16));                                                                \
            }                                                                                                   \
        }                                                                                                       \
    }

#define STORES(name, LOADS, VALUE)      \
    STORES_PLAIN(name, LOADS, VALUE)    \
    STORES_STRIDED(name, LOADS, VALUE)  \
    STORES_CHUNKS(name, LOADS, VALUE)
STORES(write, LOADS_NONE, WRITE_OF)
STORES(copy, LOADS_A, COPY_OF)
STORES(scale, LOADS_A, SCALE_OF)
STORES(add, LOADS_BOTH, ADD_OF)
STORES(triad, LOADS_BOTH, TRIAD_OF)

// Reads add up what they read: a sum a work-item, in `out`, which the host adds up. Their parameters are those of the
// others.
uint sum_of_four(uint4 value) {
    return value.x + value.y + value.z + value.w;
}

kernel void read_plain(global uint* restrict out, global const uint4* restrict a, global const uint4* restrict b,
                       const uint scalar, const ulong count) {
    uint4 sum = 0;
    for (ulong i = get_global_id(0); i < count; i += get_global_size(0)) sum += a[i];
    out[get_global_id(0)] = sum_of_four(sum);
}

kernel void read_strided(global uint* restrict out, global const uint4* restrict a, global const uint4* restrict b,
                         const uint scalar, const ulong count) {
    const ulong width = get_local_size(0), block = width * UNROLL;
    uint4 sums[UNROLL];
#pragma unroll
    for (int u = 0; u < UNROLL; ++u) sums[u] = 0;
    for (ulong i = get_group_id(0) * block + get_local_id(0); i < count; i += get_num_groups(0) * block) {
#pragma unroll
        for (int u = 0; u < UNROLL; ++u) sums[u] += a[i + u * width];
    }
    uint4 sum = 0;
#pragma unroll
    for (int u = 0; u < UNROLL; ++u) sum += sums[u];
    out[get_global_id(0)] = sum_of_four(sum);
}

kernel __attribute__((reqd_work_group_size(1, 1, 1))) void read_chunks(
    global uint* restrict out, global const uint16* restrict a, global const uint16* restrict b, const uint scalar,
    const ulong count) {
    const ulong fours = count / 4, groups = get_num_groups(0), group = get_group_id(0);
    const ulong end = fours * (group + 1) / groups * 4;
    uint16 sums[4];
#pragma unroll
    for (int u = 0; u < 4; ++u) sums[u] = 0;
    for (ulong i = fours * group / groups * 4; i < end; i += 4) {
#pragma unroll
        for (int u = 0; u < 4; ++u) {
            AHEAD(a + i + u);
            sums[u] += a[i + u];
        }
    }
    const uint16 sum = sums[0] + sums[1] + sums[2] + sums[3];
    out[group] = sum_of_four(sum.lo.lo) + sum_of_four(sum.lo.hi) + sum_of_four(sum.hi.lo) + sum_of_four(sum.hi.hi);
}
