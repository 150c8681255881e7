// c = a b from operands packed into panels: [panel][k][ROWS] of a and [panel][k][COLUMNS] of b, zero where a matrix
// ends. Options: FORMAT (0 f32, 1 f16, 2 int8), ROWS, COLUMNS; IMITATE computes f16 in f32 and int8's dot product by
// hand, so that devices without the extensions can test the same kernels.

#if FORMAT == 0
typedef float stored;    // as the matrix is given
typedef float packed;    // one step of k in a panel
typedef float partial;   // what products are summed in
typedef float sum;       // what partial sums are summed in
#define PARTIAL_STEPS 0  // steps of k that a partial sum takes; 0: all
#define multiply_add(left, right, to) ((left) * (right) + (to))
#elif FORMAT == 1
typedef half stored;
#ifdef IMITATE
typedef float packed;
typedef float partial;
#else
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
typedef half packed;
typedef half partial;
#endif
typedef float sum;
#define PARTIAL_STEPS 64  // longer sums of f16 lose what the format has
#define multiply_add(left, right, to) ((left) * (right) + (to))
#else
typedef char stored;
typedef uint packed;  // four steps of k, whose products one instruction adds up
typedef int partial;
typedef int sum;
#define PARTIAL_STEPS 0
#ifdef IMITATE
int dot_of_four(uint left, uint right) {
    const char4 l = as_char4(left), r = as_char4(right);
    return l.x * r.x + l.y * r.y + l.z * r.z + l.w * r.w;
}
#define multiply_add(left, right, to) (dot_of_four((left), (right)) + (to))
#else
#define multiply_add(left, right, to) (dot_4x8packed_ss_int((left), (right)) + (to))
#endif
#endif

// A work-item an element of the panels. `steps` counts packed steps of k, `extent` the matrix's rows (of b: columns),
// which lie `extent_stride` elements apart; those of k lie `k_stride` apart.
kernel void pack(global const stored* restrict from, global packed* restrict to, const ulong extent, const ulong k,
                 const ulong extent_stride, const ulong k_stride, const ulong panel, const ulong steps,
                 const ulong count) {
    const ulong index = get_global_id(0);
    if (index >= count) return;
    const ulong step = index / panel % steps;
    const ulong i = index / panel / steps * panel + index % panel;
#if FORMAT == 2
    char4 values = 0;
    char* const bytes = (char*)&values;
    for (ulong part = 0; part < 4; ++part)
        if (i < extent && 4 * step + part < k) bytes[part] = from[i * extent_stride + (4 * step + part) * k_stride];
    to[index] = as_uint(values);
#elif FORMAT == 1 && defined(IMITATE)
    to[index] = i < extent && step < k ? vload_half(i * extent_stride + step * k_stride, from) : 0;
#else
    to[index] = i < extent && step < k ? from[i * extent_stride + step * k_stride] : 0;
#endif
}

#if FORMAT == 0 && COLUMNS % 16 == 0
// For CPUs: a work-item a tile, whose sums fill the vector registers.
#define VECTORS (COLUMNS / 16)
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void product_by_items(
    global const float* restrict a, global const float* restrict b, global float* restrict c, const ulong m,
    const ulong n, const ulong steps) {
    a += get_group_id(0) * steps * ROWS;
    b += get_group_id(1) * steps * COLUMNS;
    float16 sums[ROWS][VECTORS];
#pragma unroll
    for (int i = 0; i < ROWS; ++i)
#pragma unroll
        for (int v = 0; v < VECTORS; ++v) sums[i][v] = 0;
    for (ulong step = 0; step < steps; ++step, a += ROWS, b += COLUMNS) {
        float16 right[VECTORS];
#pragma unroll
        for (int v = 0; v < VECTORS; ++v) right[v] = vload16(v, b);
#pragma unroll
        for (int i = 0; i < ROWS; ++i)
#pragma unroll
            for (int v = 0; v < VECTORS; ++v) sums[i][v] = a[i] * right[v] + sums[i][v];
    }
    const ulong row = get_group_id(0) * ROWS, column = get_group_id(1) * COLUMNS;
    if (row + ROWS <= m && column + COLUMNS <= n) {
        c += row * n + column;
#pragma unroll
        for (int i = 0; i < ROWS; ++i)
#pragma unroll
            for (int v = 0; v < VECTORS; ++v) vstore16(sums[i][v], v, c + i * n);
        return;
    }
    // Indexed by what is no constant, so in memory; only at the matrix's ends.
    float edge[COLUMNS];
#pragma unroll
    for (int i = 0; i < ROWS; ++i) {
        if (row + i >= m) return;
#pragma unroll
        for (int v = 0; v < VECTORS; ++v) vstore16(sums[i][v], v, edge);
        for (ulong j = 0; j < COLUMNS && column + j < n; ++j) c[(row + i) * n + column + j] = edge[j];
    }
}
#endif

#if ROWS % 64 == 0 && COLUMNS % 64 == 0
// For GPUs: a work-group of 16 x 16 a tile, which goes through local memory; each work-item sums ITEM_ROWS x
// ITEM_COLUMNS elements, four neighbours at a time, so that it reads local memory in fours without bank conflicts.
#define ITEMS 256
#define ITEM_ROWS (ROWS / 16)
#define ITEM_COLUMNS (COLUMNS / 16)
#define STEPS 16  // of k in local memory at a time; the panels' steps are a multiple
#define LEFT_PART (STEPS * ROWS / ITEMS)
#define RIGHT_PART (STEPS * COLUMNS / ITEMS)
#define PLACE(i, item) ((i) / 4 * 64 + (item) * 4 + (i) % 4)

kernel __attribute__((reqd_work_group_size(16, 16, 1))) void product_by_groups(
    global const packed* restrict a, global const packed* restrict b, global sum* restrict c, const ulong m,
    const ulong n, const ulong steps) {
    local packed left_tile[STEPS * ROWS], right_tile[STEPS * COLUMNS];
    const int x = get_local_id(0), y = get_local_id(1), item = y * 16 + x;
    a += get_group_id(1) * steps * ROWS;
    b += get_group_id(0) * steps * COLUMNS;
    partial parts[ITEM_ROWS][ITEM_COLUMNS];
    sum sums[ITEM_ROWS][ITEM_COLUMNS];
    for (int i = 0; i < ITEM_ROWS; ++i)
        for (int j = 0; j < ITEM_COLUMNS; ++j) parts[i][j] = 0, sums[i][j] = 0;
    // The next tile is on its way while this one is multiplied.
    packed next_left[LEFT_PART], next_right[RIGHT_PART];
#pragma unroll
    for (int p = 0; p < LEFT_PART; ++p) next_left[p] = a[p * ITEMS + item];
#pragma unroll
    for (int p = 0; p < RIGHT_PART; ++p) next_right[p] = b[p * ITEMS + item];
    for (ulong step = 0; step < steps; step += STEPS) {
        barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll
        for (int p = 0; p < LEFT_PART; ++p) left_tile[p * ITEMS + item] = next_left[p];
#pragma unroll
        for (int p = 0; p < RIGHT_PART; ++p) right_tile[p * ITEMS + item] = next_right[p];
        barrier(CLK_LOCAL_MEM_FENCE);
        if (step + STEPS < steps) {
            a += STEPS * ROWS;
            b += STEPS * COLUMNS;
#pragma unroll
            for (int p = 0; p < LEFT_PART; ++p) next_left[p] = a[p * ITEMS + item];
#pragma unroll
            for (int p = 0; p < RIGHT_PART; ++p) next_right[p] = b[p * ITEMS + item];
        }
#pragma unroll 4
        for (int l = 0; l < STEPS; ++l) {
            packed left[ITEM_ROWS], right[ITEM_COLUMNS];
#pragma unroll
            for (int i = 0; i < ITEM_ROWS; ++i) left[i] = left_tile[l * ROWS + PLACE(i, y)];
#pragma unroll
            for (int j = 0; j < ITEM_COLUMNS; ++j) right[j] = right_tile[l * COLUMNS + PLACE(j, x)];
#pragma unroll
            for (int i = 0; i < ITEM_ROWS; ++i)
#pragma unroll
                for (int j = 0; j < ITEM_COLUMNS; ++j) parts[i][j] = multiply_add(left[i], right[j], parts[i][j]);
        }
#if PARTIAL_STEPS != 0
        if ((step + STEPS) % PARTIAL_STEPS == 0) {
#pragma unroll
            for (int i = 0; i < ITEM_ROWS; ++i)
#pragma unroll
                for (int j = 0; j < ITEM_COLUMNS; ++j) {
                    sums[i][j] += (sum)parts[i][j];
                    parts[i][j] = 0;
                }
        }
#endif
    }
    const ulong row = get_group_id(1) * ROWS, column = get_group_id(0) * COLUMNS;
    for (int i = 0; i < ITEM_ROWS; ++i)
        for (int j = 0; j < ITEM_COLUMNS; ++j)
            if (row + PLACE(i, y) < m && column + PLACE(j, x) < n)
                c[(row + PLACE(i, y)) * n + column + PLACE(j, x)] = sums[i][j] + (sum)parts[i][j];
}
#endif
