// The stream kernels, written once over a vector type; each instruction set's unit defines, in an unnamed
// namespace, `Vector` (of doubles), load, store, store_non_temporal, broadcast, plus, times_plus (a + s b, in
// two roundings or one: exact operands give the same), sum_of and fence, and includes this inside the same
// namespace. No include guard, no includes of its own but what the units have.

constexpr std::size_t vector_doubles = sizeof(Vector) / sizeof(double);
/// Four cache lines of 64 bytes: what is done at one place before going to the next.
constexpr std::size_t block_doubles = 32;
constexpr std::size_t line_doubles = 8;

/// Past the caches that the data would push others out of, where `non_temporal`; else into all of them.
template <Prefetch hint>
void prefetch(const double* from, std::size_t ahead_bytes) {
    constexpr int locality = hint == Prefetch::non_temporal ? 0 : 3;
    for (std::size_t line = 0; line < block_doubles; line += line_doubles)
        __builtin_prefetch(reinterpret_cast<const char*>(from + line) + ahead_bytes, 0, locality);
}

template <bool non_temporal>
void put(double* to, Vector value) {
    if constexpr (non_temporal)
        store_non_temporal(to, value);
    else
        store(to, value);
}

constexpr bool uses_a(StreamKernel kernel) {
    return kernel != StreamKernel::write;
}
constexpr bool uses_b(StreamKernel kernel) {
    return kernel == StreamKernel::add || kernel == StreamKernel::triad;
}

/// One block. `sums` is used by read alone.
template <StreamKernel kernel, bool non_temporal>
inline void block(StreamArrays arrays, Vector scalar, std::size_t at, Vector (&sums)[4]) {
#pragma GCC unroll 16
    for (std::size_t i = 0; i < block_doubles; i += vector_doubles) {
        const std::size_t here = at + i;
        if constexpr (kernel == StreamKernel::read) {
            Vector& sum = sums[i / vector_doubles % 4];
            sum = plus(sum, load(arrays.a + here));
        } else if constexpr (kernel == StreamKernel::write) {
            put<non_temporal>(arrays.out + here, scalar);
        } else if constexpr (kernel == StreamKernel::copy) {
            put<non_temporal>(arrays.out + here, load(arrays.a + here));
        } else if constexpr (kernel == StreamKernel::scale) {
            put<non_temporal>(arrays.out + here, times(scalar, load(arrays.a + here)));
        } else if constexpr (kernel == StreamKernel::add) {
            put<non_temporal>(arrays.out + here, plus(load(arrays.a + here), load(arrays.b + here)));
        } else {
            put<non_temporal>(arrays.out + here,
                              times_plus(load(arrays.a + here), scalar, load(arrays.b + here)));
        }
    }
    // Keeps the compiler from seeing a whole copy or fill and calling memcpy or memset, which choose their
    // own stores.
    __asm__ volatile("" ::: "memory");
}

/// Elements one by one: what does not fill a block, or lies before the first aligned one.
template <StreamKernel kernel>
double few(StreamArrays arrays, double scalar, std::size_t begin, std::size_t end) {
    double sum = 0;
    for (std::size_t at = begin; at < end; ++at) {
        if constexpr (kernel == StreamKernel::read)
            sum += arrays.a[at];
        else if constexpr (kernel == StreamKernel::write)
            arrays.out[at] = scalar;
        else if constexpr (kernel == StreamKernel::copy)
            arrays.out[at] = arrays.a[at];
        else if constexpr (kernel == StreamKernel::scale)
            arrays.out[at] = scalar * arrays.a[at];
        else if constexpr (kernel == StreamKernel::add)
            arrays.out[at] = arrays.a[at] + arrays.b[at];
        else
            arrays.out[at] = arrays.a[at] + scalar * arrays.b[at];
        __asm__ volatile("" ::: "memory");
    }
    return sum;
}

template <StreamKernel kernel, bool non_temporal, int streams, Prefetch hint>
double walk(StreamArrays arrays, double scalar, std::size_t prefetch_bytes, std::size_t begin,
            std::size_t end) {
    const double* const aligned_array = kernel == StreamKernel::read ? arrays.a : arrays.out;
    std::size_t first = begin;
    while (first < end && reinterpret_cast<std::size_t>(aligned_array + first) % 64 != 0) ++first;
    double total = few<kernel>(arrays, scalar, begin, first);

    const std::size_t part = (end - first) / (streams * block_doubles) * block_doubles;
    const Vector scalars = broadcast(scalar);
    Vector sums[4] = {broadcast(0), broadcast(0), broadcast(0), broadcast(0)};
    for (std::size_t offset = 0; offset < part; offset += block_doubles) {
#pragma GCC unroll 4
        for (int each = 0; each < streams; ++each) {
            const std::size_t at = first + static_cast<std::size_t>(each) * part + offset;
            if constexpr (hint != Prefetch::none) {
                if constexpr (uses_a(kernel)) prefetch<hint>(arrays.a + at, prefetch_bytes);
                if constexpr (uses_b(kernel)) prefetch<hint>(arrays.b + at, prefetch_bytes);
            }
            block<kernel, non_temporal>(arrays, scalars, at, sums);
        }
    }
    if constexpr (non_temporal) fence();
    total += sum_of(plus(plus(sums[0], sums[1]), plus(sums[2], sums[3])));
    return total + few<kernel>(arrays, scalar, first + streams * part, end);
}

template <StreamKernel kernel, bool non_temporal, int streams>
double choose_prefetch(const StreamPattern& pattern, const StreamArrays& arrays, double scalar,
                       std::size_t begin, std::size_t end) {
    if constexpr (uses_a(kernel)) {
        const std::size_t ahead = pattern.prefetch_bytes;
        if (pattern.prefetch == Prefetch::all_caches)
            return walk<kernel, non_temporal, streams, Prefetch::all_caches>(arrays, scalar, ahead, begin,
                                                                             end);
        if (pattern.prefetch == Prefetch::non_temporal)
            return walk<kernel, non_temporal, streams, Prefetch::non_temporal>(arrays, scalar, ahead, begin,
                                                                               end);
    }
    return walk<kernel, non_temporal, streams, Prefetch::none>(arrays, scalar, 0, begin, end);
}

template <StreamKernel kernel, bool non_temporal>
double choose_streams(const StreamPattern& pattern, const StreamArrays& arrays, double scalar,
                      std::size_t begin, std::size_t end) {
    if (pattern.streams == 4)
        return choose_prefetch<kernel, non_temporal, 4>(pattern, arrays, scalar, begin, end);
    if (pattern.streams == 2)
        return choose_prefetch<kernel, non_temporal, 2>(pattern, arrays, scalar, begin, end);
    return choose_prefetch<kernel, non_temporal, 1>(pattern, arrays, scalar, begin, end);
}

template <StreamKernel kernel>
double choose_stores(const StreamPattern& pattern, const StreamArrays& arrays, double scalar,
                     std::size_t begin, std::size_t end) {
    if constexpr (kernel != StreamKernel::read)
        if (pattern.non_temporal) return choose_streams<kernel, true>(pattern, arrays, scalar, begin, end);
    return choose_streams<kernel, false>(pattern, arrays, scalar, begin, end);
}

double choose_kernel(StreamKernel kernel, const StreamPattern& pattern, const StreamArrays& arrays,
                     double scalar, std::size_t begin, std::size_t end) {
    switch (kernel) {
        case StreamKernel::read:
            return choose_stores<StreamKernel::read>(pattern, arrays, scalar, begin, end);
        case StreamKernel::write:
            return choose_stores<StreamKernel::write>(pattern, arrays, scalar, begin, end);
        case StreamKernel::copy:
            return choose_stores<StreamKernel::copy>(pattern, arrays, scalar, begin, end);
        case StreamKernel::scale:
            return choose_stores<StreamKernel::scale>(pattern, arrays, scalar, begin, end);
        case StreamKernel::add:
            return choose_stores<StreamKernel::add>(pattern, arrays, scalar, begin, end);
        case StreamKernel::triad:
            return choose_stores<StreamKernel::triad>(pattern, arrays, scalar, begin, end);
    }
    return 0;
}
