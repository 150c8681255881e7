// Quantized weights times a vector, and times a matrix. Options: FORMAT of the weights (0 int8, 1 int4, 2 fp8, 3 bf16,
// 4 f32), INTEGERS (activations are int8, else f32), ROWS and COLUMNS of what a work-item sums side by side.
//
// Weights lie as kernels/offload/quantized.h says: all rows' values, then all rows' scales. A step is 32 columns, which
// all formats have whole numbers of, in two halves of 16: of int4 the low and the high nibbles of 16 bytes.

#define STEP 32
#if FORMAT == 0 || FORMAT == 2
#define STEP_BYTES 32
#elif FORMAT == 1
#define STEP_BYTES 16
#elif FORMAT == 3
#define STEP_BYTES 64
#else
#define STEP_BYTES 128
#endif

#ifdef INTEGERS
typedef char activation;
typedef short16 values;  // 127 x 127 + 127 x 127 fits
typedef int16 sum;
#define to_values convert_short16
#define to_sum convert_int16
#else
typedef float activation;
typedef float16 values;
typedef float16 sum;
#define to_values convert_float16
#define to_sum
#endif

#if FORMAT == 2
float16 fp8_values(const uchar16 bytes) {
    const uint16 all = convert_uint16(bytes), magnitude = all & 0x7f;
    // Seven bits as those of a float whose exponent is 2^120 too small; below 8 they are subnormal.
    const float16 small = convert_float16(magnitude) * 0x1p-9f;
    const float16 usual = as_float16((magnitude << 20) + (120u << 23));
    const float16 positive = select(usual, small, magnitude < 8u);
    const uint16 special = select(as_uint16(positive), (uint16)0x7fc00000u, magnitude == 0x7fu);
    return as_float16(special | ((all & 0x80) << 24));
}
#endif

void load_weights(global const uchar* restrict from, values* low, values* high) {
#if FORMAT == 0
    *low = to_values(as_char16(vload4(0, (global const uint*)from)));
    *high = to_values(as_char16(vload4(1, (global const uint*)from)));
#elif FORMAT == 1
    const short16 pairs = convert_short16(as_char16(vload4(0, (global const uint*)from)));
    *low = to_values((pairs << (short16)12) >> (short16)12);
    *high = to_values(pairs >> (short16)4);
#elif FORMAT == 2
    *low = fp8_values(as_uchar16(vload4(0, (global const uint*)from)));
    *high = fp8_values(as_uchar16(vload4(1, (global const uint*)from)));
#elif FORMAT == 3
    *low = as_float16(convert_uint16(vload16(0, (global const ushort*)from)) << 16);
    *high = as_float16(convert_uint16(vload16(1, (global const ushort*)from)) << 16);
#else
    *low = vload16(0, (global const float*)from);
    *high = vload16(1, (global const float*)from);
#endif
}

float load_scale(global const uchar* restrict scales, const ulong index) {
#if FORMAT == 0 || FORMAT == 2
    return ((global const float*)scales)[index];
#elif FORMAT == 1
    return vload_half(index, (global const half*)scales);
#else
    return 1;
#endif
}

// Which of a row's scales a step has: they are one a row, or one for each step or four.
uint scale_of_step(const uint step, const uint row_scales, const uint scale_columns) {
    return row_scales == 1 ? 0 : scale_columns == STEP ? step : step / 4;
}

float added_up(const float16 of) {
    const float8 eight = of.lo + of.hi;
    const float4 four = eight.lo + eight.hi;
    const float2 two = four.lo + four.hi;
    return two.x + two.y;
}

// What a step adds to a row's sum: of int4 weights their scale belongs to the step, and so does that of int8
// activations; a scale a row comes in at the end.
float16 step_product(global const uchar* restrict weights, global const uchar* restrict scales, const ulong scale_index,
                     const values in_low, const values in_high, const float in_scale) {
    values low, high;
    load_weights(weights, &low, &high);
#ifdef INTEGERS
    const float16 product = convert_float16(to_sum(low * in_low + high * in_high));
#if FORMAT == 1
    return product * (in_scale * load_scale(scales, scale_index));
#else
    return product * in_scale;
#endif
#elif FORMAT == 1
    return (low * in_low + high * in_high) * load_scale(scales, scale_index);
#else
    return low * in_low + high * in_high;
#endif
}

#if FORMAT == 0 || FORMAT == 2
#define row_scale(scales, row) load_scale(scales, row)
#else
#define row_scale(scales, row) 1.0f
#endif

// For CPUs: a work-item multiplies `rows_of_item` rows, ROWS at a time. `in` [columns] is f32, or int8 with a scale in
// `in_scales` for each 32; weights begin `at` bytes into `buffer` and have a scale for each `scale_columns`.
kernel void gemv_by_items(global const uchar* restrict buffer, const ulong at, global const activation* restrict in,
                          global const float* restrict in_scales, global float* restrict out, const uint rows,
                          const uint columns, const uint scale_columns, const uint rows_of_item) {
    const uint steps = columns / STEP, row_scales = columns / scale_columns;
    const ulong row_bytes = (ulong)steps * STEP_BYTES;
    global const uchar* const weights = buffer + at;
    global const uchar* const scales = weights + rows * row_bytes;
    const uint begin = get_global_id(0) * rows_of_item;
    const uint end = min(rows, begin + rows_of_item);
    for (uint first = begin; first < end; first += ROWS) {
        float16 sums[ROWS];
#pragma unroll
        for (uint r = 0; r < ROWS; ++r) sums[r] = 0;
        for (uint step = 0; step < steps; ++step) {
            const values in_low = to_values(vload16(2 * step, in)), in_high = to_values(vload16(2 * step + 1, in));
#ifdef INTEGERS
            const float in_scale = in_scales[step];
#else
            const float in_scale = 1;
#endif
#pragma unroll
            for (uint r = 0; r < ROWS; ++r) {
                const ulong row = min(first + r, rows - 1);
                sums[r] += step_product(weights + row * row_bytes + (ulong)step * STEP_BYTES, scales,
                                        row * row_scales + scale_of_step(step, row_scales, scale_columns), in_low,
                                        in_high, in_scale);
            }
        }
#pragma unroll
        for (uint r = 0; r < ROWS; ++r)
            if (first + r < end) out[first + r] = added_up(sums[r]) * row_scale(scales, first + r);
    }
}

// For GPUs: a work-group multiplies a row, its work-items neighbouring steps.
kernel void gemv_by_groups(global const uchar* restrict buffer, const ulong at, global const activation* restrict in,
                           global const float* restrict in_scales, global float* restrict out, const uint rows,
                           const uint columns, const uint scale_columns, const uint rows_of_item) {
    local float partial_sums[256];
    const uint steps = columns / STEP, row_scales = columns / scale_columns;
    const ulong row_bytes = (ulong)steps * STEP_BYTES;
    global const uchar* const weights = buffer + at;
    global const uchar* const scales = weights + rows * row_bytes;
    const ulong row = get_group_id(0);
    const uint item = get_local_id(0), items = get_local_size(0);
    float16 sums = 0;
    for (uint step = item; step < steps; step += items) {
#ifdef INTEGERS
        const float in_scale = in_scales[step];
#else
        const float in_scale = 1;
#endif
        sums += step_product(weights + row * row_bytes + (ulong)step * STEP_BYTES, scales,
                             row * row_scales + scale_of_step(step, row_scales, scale_columns),
                             to_values(vload16(2 * step, in)), to_values(vload16(2 * step + 1, in)), in_scale);
    }
    partial_sums[item] = added_up(sums);
    for (uint half_of = items / 2; half_of > 0; half_of /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (item < half_of) partial_sums[item] += partial_sums[item + half_of];
    }
    if (item == 0) out[row] = partial_sums[0] * row_scale(scales, row);
}

// A sum times its row's and its column's scale, the smaller first: then no step is infinite where the result is finite.
float scaled(const float sum, const float row_scale, const float column_scale) {
    const float smaller = row_scale < column_scale ? row_scale : column_scale;
    const float larger = row_scale < column_scale ? column_scale : row_scale;
    return sum * smaller * larger;
}

// out [m x n] = in [m x columns] times the transpose of n rows of weights. Of INTEGERS `in_scales` has one a row, and the
// weights, too; else weights become f32 first.
//
// For CPUs: a work-item sums ROWS x COLUMNS results, whole.
kernel void gemm_by_items(global const uchar* restrict buffer, const ulong at, global const activation* restrict in,
                          global const float* restrict in_scales, global float* restrict out, const uint m,
                          const uint n, const uint columns, const uint scale_columns) {
    const uint steps = columns / STEP, row_scales = columns / scale_columns;
    const ulong row_bytes = (ulong)steps * STEP_BYTES;
    global const uchar* const weights = buffer + at;
    global const uchar* const scales = weights + n * row_bytes;
    const uint first_row = get_global_id(0) * ROWS, first_column = get_global_id(1) * COLUMNS;
    sum sums[ROWS][COLUMNS];
#pragma unroll
    for (uint r = 0; r < ROWS; ++r)
#pragma unroll
        for (uint c = 0; c < COLUMNS; ++c) sums[r][c] = 0;
    for (uint step = 0; step < steps; ++step) {
        values low[COLUMNS], high[COLUMNS];
#pragma unroll
        for (uint c = 0; c < COLUMNS; ++c) {
            const ulong column = min(first_column + c, n - 1);
            load_weights(weights + column * row_bytes + (ulong)step * STEP_BYTES, &low[c], &high[c]);
#ifndef INTEGERS
            const float scale = load_scale(scales, column * row_scales + scale_of_step(step, row_scales, scale_columns));
            low[c] *= scale;
            high[c] *= scale;
#endif
        }
#pragma unroll
        for (uint r = 0; r < ROWS; ++r) {
            global const activation* const from = in + (ulong)min(first_row + r, m - 1) * columns;
            const values in_low = to_values(vload16(2 * step, from)), in_high = to_values(vload16(2 * step + 1, from));
#pragma unroll
            for (uint c = 0; c < COLUMNS; ++c) sums[r][c] += to_sum(low[c] * in_low + high[c] * in_high);
        }
    }
#pragma unroll
    for (uint r = 0; r < ROWS; ++r)
#pragma unroll
        for (uint c = 0; c < COLUMNS; ++c) {
            const uint row = first_row + r, column = first_column + c;
            if (row >= m || column >= n) continue;
#ifdef INTEGERS
            const int8 eight = sums[r][c].lo + sums[r][c].hi;
            const int4 four = eight.lo + eight.hi;
            out[(ulong)row * n + column] =
                scaled((float)(four.x + four.y + four.z + four.w), in_scales[row], load_scale(scales, column));
#else
            out[(ulong)row * n + column] = added_up(sums[r][c]);
#endif
        }
}

// For GPUs: a work-group of 16 x 16 sums 64 x 64 results, four by four a work-item, through local memory.
#define TILE 64
#ifdef INTEGERS
typedef int element;  // four bytes
typedef int4 four_sums;
#define TILE_STEPS (STEP / 4)
#ifdef DOT_PRODUCT
#define dot_of_four(left, right) dot_4x8packed_ss_int(as_uint(left), as_uint(right))
#else
int dot_of_four(const int left, const int right) {
    const char4 l = as_char4(left), r = as_char4(right);
    return l.x * r.x + l.y * r.y + l.z * r.z + l.w * r.w;
}
#endif
#define products(left, rights)                                                                                   \
    (int4)(dot_of_four(left, rights.x), dot_of_four(left, rights.y), dot_of_four(left, rights.z),                \
           dot_of_four(left, rights.w))
typedef int4 four_elements;
#else
typedef float element;
typedef float4 four_sums;
typedef float4 four_elements;
#define TILE_STEPS STEP
#define products(left, rights) ((left) * (rights))
#endif

kernel void gemm_by_groups(global const uchar* restrict buffer, const ulong at, global const activation* restrict in,
                           global const float* restrict in_scales, global float* restrict out, const uint m,
                           const uint n, const uint columns, const uint scale_columns) {
    local element left[TILE_STEPS][TILE + 4], right[TILE_STEPS][TILE + 4];
    const uint steps = columns / STEP, row_scales = columns / scale_columns;
    const ulong row_bytes = (ulong)steps * STEP_BYTES;
    global const uchar* const weights = buffer + at;
    global const uchar* const scales = weights + n * row_bytes;
    const uint x = get_local_id(0), y = get_local_id(1), item = 16 * y + x;
    const uint first_row = get_group_id(1) * TILE, first_column = get_group_id(0) * TILE;
    // The first 64 work-items fetch a row of weights each, the next a row of activations.
    const uint fetched = item % TILE;
    const ulong column = min(first_column + fetched, n - 1);
    global const activation* const from = in + (ulong)min(first_row + fetched, m - 1) * columns;
    four_sums sums[4] = {0, 0, 0, 0};
    for (uint step = 0; step < steps; ++step) {
        if (item < TILE) {
            global const uchar* const step_weights = weights + column * row_bytes + (ulong)step * STEP_BYTES;
#ifdef INTEGERS
#if FORMAT == 0
            for (uint l = 0; l < TILE_STEPS; ++l) right[l][fetched] = ((global const int*)step_weights)[l];
#endif
#else
            values low, high;
            load_weights(step_weights, &low, &high);
            const float scale = load_scale(scales, column * row_scales + scale_of_step(step, row_scales, scale_columns));
            float unpacked[STEP];
            vstore16(low * scale, 0, unpacked);
            vstore16(high * scale, 1, unpacked);
            for (uint l = 0; l < TILE_STEPS; ++l) right[l][fetched] = unpacked[l];
#endif
        } else if (item < 2 * TILE) {
            for (uint l = 0; l < TILE_STEPS; ++l)
                left[l][fetched] = ((global const element*)(from + (ulong)step * STEP))[l];
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        for (uint l = 0; l < TILE_STEPS; ++l) {
            const four_elements rights = vload4(0, &right[l][4 * x]);
#pragma unroll
            for (uint r = 0; r < 4; ++r) sums[r] += products(left[l][4 * y + r], rights);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
#pragma unroll
    for (uint r = 0; r < 4; ++r) {
        const uint row = first_row + 4 * y + r;
        element results[4];
        vstore4(sums[r], 0, results);
        for (uint c = 0; c < 4; ++c) {
            const uint result_column = first_column + 4 * x + c;
            if (row >= m || result_column >= n) continue;
#ifdef INTEGERS
            out[(ulong)row * n + result_column] =
                scaled((float)results[c], in_scales[row], load_scale(scales, result_column));
#else
            out[(ulong)row * n + result_column] = results[c];
#endif
        }
    }
}
