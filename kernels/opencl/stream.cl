// Patterns of memory traffic. A work-item goes through its group's chunk; `vectors` counts float16.

kernel void fill_pattern(global float* restrict to, const ulong count, const float begin, const float step) {
    for (ulong i = get_global_id(0); i < count; i += get_global_size(0)) to[i] = begin + step * (float)(i % 1024);
}
