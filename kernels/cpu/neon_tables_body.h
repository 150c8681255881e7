// Bytes and nibbles as floats by look-ups in tables (tbl), of which Arm's cores have as many units as for
// sums or nearly so, and fewer for conversions of integers (scvtf). Chosen by count, not measured. A unit for
// NEON includes this within its own unnamed namespace.

uint8x16_t load_bytes(const void* from) {
    return vld1q_u8(static_cast<const unsigned char*>(from));
}

/// A place in a table of 32 bytes that has nothing: 0.
constexpr unsigned char none = 255;

/// Four times vqtbl2q_u8, of which GCC 12 copies the table into neighbouring registers each time.
void look_up(uint8x16_t first, uint8x16_t second, const unsigned char (&places)[4][16],
             float32x4_t (&found)[4]) {
    register uint8x16_t table0 __asm__("v30") = first;
    register uint8x16_t table1 __asm__("v31") = second;
    __asm__(
        "tbl %0.16b, {%4.16b, %5.16b}, %6.16b\n\t"
        "tbl %1.16b, {%4.16b, %5.16b}, %7.16b\n\t"
        "tbl %2.16b, {%4.16b, %5.16b}, %8.16b\n\t"
        "tbl %3.16b, {%4.16b, %5.16b}, %9.16b"
        : "=&w"(found[0]), "=&w"(found[1]), "=&w"(found[2]), "=&w"(found[3])
        : "w"(table0), "w"(table1), "w"(load_bytes(places[0])), "w"(load_bytes(places[1])),
          "w"(load_bytes(places[2])), "w"(load_bytes(places[3])));
}

/// The upper two bytes of a float, the only ones that -8 to 7 have, of each of sixteen nibbles.
struct NibbleValues {
    uint8x16_t lower, upper;
};
NibbleValues values_of(uint8x16_t nibbles) {
    const unsigned char lower[16] = {0x00, 0x80, 0x00, 0x40, 0x80, 0xa0, 0xc0, 0xe0,
                                     0x00, 0xe0, 0xc0, 0xa0, 0x80, 0x40, 0x00, 0x80};
    const unsigned char upper[16] = {0x00, 0x3f, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40,
                                     0xc1, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xbf};
    return {vqtbl1q_u8(load_bytes(lower), nibbles), vqtbl1q_u8(load_bytes(upper), nibbles)};
}

/// Of sixteen nibbles, four to each 32-bit lane: values[i] is the i-th of every lane.
void values_by_lane(uint8x16_t nibbles, float32x4_t (&values)[4]) {
    const unsigned char places[4][16] = {
        {none, none, 0, 16, none, none, 4, 20, none, none, 8, 24, none, none, 12, 28},
        {none, none, 1, 17, none, none, 5, 21, none, none, 9, 25, none, none, 13, 29},
        {none, none, 2, 18, none, none, 6, 22, none, none, 10, 26, none, none, 14, 30},
        {none, none, 3, 19, none, none, 7, 23, none, none, 11, 27, none, none, 15, 31}};
    const NibbleValues halves = values_of(nibbles);
    look_up(halves.lower, halves.upper, places, values);
}

uint8x16_t low_nibbles(uint8x16_t bytes) {
    return vandq_u8(bytes, vdupq_n_u8(15));
}

uint8x16_t high_nibbles(uint8x16_t bytes) {
    return vshrq_n_u8(bytes, 4);
}

/// Of four times four bytes the transpose.
uint8x16_t transposed(uint8x16_t bytes) {
    const unsigned char places[16] = {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15};
    return vqtbl1q_u8(bytes, load_bytes(places));
}
