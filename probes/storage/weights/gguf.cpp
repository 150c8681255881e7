#include "probes/storage/weights/gguf.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>
#include <unordered_set>

#include <unistd.h>

#include <fmt/format.h>

namespace assay::storage {
namespace {

constexpr std::string_view accepted = "a whole GGUF file of version 2 or 3";
constexpr std::array<char, 4> magic{'G', 'G', 'U', 'F'};
constexpr std::uint64_t default_alignment = 32;
constexpr std::uint64_t longest_key_bytes = 65535;
constexpr std::uint64_t longest_tensor_name_bytes = 64;
constexpr std::uint32_t most_dimensions = 4;
constexpr int deepest_array = 4;

// Kinds of metadata values, by the format's numbers.
constexpr std::uint32_t kind_u32 = 4;
constexpr std::uint32_t kind_string = 8;
constexpr std::uint32_t kind_array = 9;
constexpr std::array<std::uint64_t, 13> kind_bytes{1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

/// What the smallest key-value pair and the smallest tensor's description take: a bound on their counts.
constexpr std::uint64_t least_pair_bytes = 8 + 4 + 1;
constexpr std::uint64_t least_tensor_bytes = 8 + 4 + 4 + 8;
constexpr std::uint64_t least_array_bytes = 4 + 8;

/// ggml's types: elements of a block and its bytes. Numbers left out are types that no file may have any
/// more.
struct BlockType {
    std::uint32_t number;
    std::string_view name;
    std::uint64_t elements;
    std::uint64_t bytes;
};
constexpr std::array<BlockType, 32> block_types{{
    {0, "F32", 1, 4},         {1, "F16", 1, 2},         {2, "Q4_0", 32, 18},      {3, "Q4_1", 32, 20},
    {6, "Q5_0", 32, 22},      {7, "Q5_1", 32, 24},      {8, "Q8_0", 32, 34},      {9, "Q8_1", 32, 36},
    {10, "Q2_K", 256, 84},    {11, "Q3_K", 256, 110},   {12, "Q4_K", 256, 144},   {13, "Q5_K", 256, 176},
    {14, "Q6_K", 256, 210},   {15, "Q8_K", 256, 292},   {16, "IQ2_XXS", 256, 66}, {17, "IQ2_XS", 256, 74},
    {18, "IQ3_XXS", 256, 98}, {19, "IQ1_S", 256, 50},   {20, "IQ4_NL", 32, 18},   {21, "IQ3_S", 256, 110},
    {22, "IQ2_S", 256, 82},   {23, "IQ4_XS", 256, 136}, {24, "I8", 1, 1},         {25, "I16", 1, 2},
    {26, "I32", 1, 4},        {27, "I64", 1, 8},        {28, "F64", 1, 8},        {29, "IQ1_M", 256, 56},
    {30, "BF16", 1, 2},       {34, "TQ1_0", 256, 54},   {35, "TQ2_0", 256, 66},   {39, "MXFP4", 32, 17},
}};

const BlockType* find_block_type(std::uint32_t number) {
    for (const BlockType& type : block_types) {
        if (type.number == number) return &type;
    }
    return nullptr;
}

/// Reads on from the file's start; never beyond its end, nor beyond the longest header.
class Cursor {
  public:
    explicit Cursor(const HeaderFile& file)
        : file_(file), end_(std::min(file.bytes(), longest_header_bytes)) {}

    std::uint64_t position() const { return position_; }
    std::uint64_t remaining() const { return end_ - position_; }

    std::uint32_t u32(std::string_view what) { return static_cast<std::uint32_t>(number(4, what)); }
    std::uint64_t u64(std::string_view what) { return number(8, what); }

    void skip(std::uint64_t bytes, std::string_view what) {
        need(bytes, what);
        position_ += bytes;
    }

    void skip_string(std::string_view what) { skip(u64(what), what); }

    /// `least` bytes and more a thing: there cannot be more things than the rest of the file holds.
    void need_things(std::uint64_t count, std::uint64_t least, std::string_view what) const {
        if (count <= remaining() / least) return;
        beyond(fmt::format("tells of {} {}, more than its {} bytes hold", count, what, file_.bytes()), what);
    }

    std::string string(std::uint64_t longest, std::string_view what) {
        const std::uint64_t length = u64(what);
        if (length > longest) {
            file_.refuse(fmt::format("has {} of {} bytes at byte {}, more than {}", what, length,
                                     position_ - 8, longest),
                         accepted);
        }
        need(length, what);
        std::string text(length, '\0');
        take(std::as_writable_bytes(std::span(text)));
        return text;
    }

  private:
    [[noreturn]] void beyond(std::string_view wrong, std::string_view what) const {
        if (file_.bytes() <= longest_header_bytes) file_.refuse(wrong, accepted);
        file_.refuse(fmt::format("has {} beyond the first {} bytes, the longest header that is read", what,
                                 longest_header_bytes),
                     accepted);
    }

    void need(std::uint64_t bytes, std::string_view what) const {
        if (bytes <= remaining()) return;
        beyond(fmt::format("is cut short or damaged: {} of {} bytes at byte {} goes beyond its {} bytes",
                           what, bytes, position_, file_.bytes()),
               what);
    }

    std::uint64_t number(std::size_t bytes, std::string_view what) {
        need(bytes, what);
        std::array<std::byte, 8> raw{};
        take(std::span(raw).first(bytes));
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < bytes; ++i) value |= std::to_integer<std::uint64_t>(raw[i]) << (8 * i);
        return value;
    }

    void take(std::span<std::byte> into) {
        while (!into.empty()) {
            if (position_ < buffer_begin_ || position_ >= buffer_begin_ + buffer_.size()) refill();
            const std::size_t at = static_cast<std::size_t>(position_ - buffer_begin_);
            const std::size_t count = std::min(into.size(), buffer_.size() - at);
            std::memcpy(into.data(), buffer_.data() + at, count);
            into = into.subspan(count);
            position_ += count;
        }
    }

    void refill() {
        constexpr std::uint64_t chunk = 1 << 16;
        buffer_.resize(static_cast<std::size_t>(std::min(chunk, remaining())));
        buffer_begin_ = position_;
        file_.read(position_, buffer_);
    }

    const HeaderFile& file_;
    std::uint64_t end_;
    std::uint64_t position_ = 0;
    std::uint64_t buffer_begin_ = 0;
    std::vector<std::byte> buffer_;
};

class Parser {
  public:
    explicit Parser(const HeaderFile& file) : file_(file), at_(file) {}

    WeightsHeader parse() {
        read_start();
        for (std::uint64_t i = 0; i < pairs_; ++i) read_pair();
        at_.need_things(tensors_, least_tensor_bytes, "tensors");
        for (std::uint64_t i = 0; i < tensors_; ++i) read_tensor();
        return finish();
    }

  private:
    void read_start() {
        for (const char letter : magic) {
            if (at_.remaining() == 0 || letter != next_byte())
                file_.refuse("does not begin with GGUF", accepted);
        }
        version_ = at_.u32("the version");
        if (version_ != 2 && version_ != 3) {
            // A version that only the upper bytes hold is a small one the other way round.
            const bool swapped = version_ != 0 && (version_ & 0xffff) == 0;
            file_.refuse(swapped ? std::string("is big-endian GGUF, which this program does not read")
                                 : fmt::format("is GGUF of version {}", version_),
                         accepted);
        }
        tensors_ = at_.u64("the number of tensors");
        pairs_ = at_.u64("the number of key-value pairs");
        at_.need_things(tensors_, least_tensor_bytes, "tensors");
        at_.need_things(pairs_, least_pair_bytes, "key-value pairs");
    }

    char next_byte() {
        const std::uint64_t before = at_.position();
        std::array<std::byte, 1> raw{};
        file_.read(before, raw);
        at_.skip(1, "the magic");
        return std::to_integer<char>(raw[0]);
    }

    void read_pair() {
        const std::string key = at_.string(longest_key_bytes, "a key");
        if (!names_.insert("key " + key).second) {
            file_.refuse(fmt::format("has the key {} twice", quote_name(key)), accepted);
        }
        const std::uint32_t kind = at_.u32("the kind of a value");
        if (key != "general.alignment") return skip_value(kind, key, 0);
        if (kind != kind_u32) {
            file_.refuse(fmt::format("has a general.alignment of kind {}, which is no 32-bit number", kind),
                         accepted);
        }
        alignment_ = at_.u32("general.alignment");
        if (!std::has_single_bit(alignment_)) {
            file_.refuse(fmt::format("has a general.alignment of {}, which is no power of two", alignment_),
                         accepted);
        }
    }

    void skip_value(std::uint32_t kind, const std::string& key, int depth) {
        refuse_unknown_kind(kind, key);
        if (kind == kind_string) return at_.skip_string("a string");
        if (kind != kind_array) return at_.skip(kind_bytes[kind], "a value");
        if (depth >= deepest_array) {
            file_.refuse(fmt::format("has arrays within arrays, more than {} deep, in {}", deepest_array,
                                     quote_name(key)),
                         accepted);
        }
        const std::uint32_t element = at_.u32("the kind of an array's elements");
        const std::uint64_t count = at_.u64("the length of an array");
        refuse_unknown_kind(element, key);
        if (element == kind_string || element == kind_array) {
            at_.need_things(count, element == kind_string ? 8 : least_array_bytes, "elements of an array");
            for (std::uint64_t i = 0; i < count; ++i) skip_value(element, key, depth + 1);
            return;
        }
        at_.need_things(count, kind_bytes[element], "elements of an array");
        at_.skip(count * kind_bytes[element], "an array");
    }

    void refuse_unknown_kind(std::uint32_t kind, const std::string& key) const {
        if (kind < kind_bytes.size()) return;
        file_.refuse(fmt::format("has a value of the unknown kind {} in {}", kind, quote_name(key)),
                     accepted);
    }

    void read_tensor() {
        TensorPlace place;
        place.name = at_.string(longest_tensor_name_bytes, "a tensor's name");
        if (!names_.insert("tensor " + place.name).second) {
            file_.refuse(fmt::format("has the tensor {} twice", quote_name(place.name)), accepted);
        }
        const std::uint32_t dimensions = at_.u32("a tensor's dimensions");
        if (dimensions > most_dimensions) {
            file_.refuse(fmt::format("has the tensor {} with {} dimensions, more than {}",
                                     quote_name(place.name), dimensions, most_dimensions),
                         accepted);
        }
        std::uint64_t row = 1;
        std::uint64_t elements = 1;
        bool overflows = false;
        bool empty = false;
        for (std::uint32_t i = 0; i < dimensions; ++i) {
            const std::uint64_t size = at_.u64("a tensor's size");
            if (i == 0) row = size;
            empty = empty || size == 0;
            overflows =
                __builtin_mul_overflow(elements, std::max<std::uint64_t>(1, size), &elements) || overflows;
        }
        if (empty) elements = 0;
        const std::uint32_t number = at_.u32("a tensor's type");
        const std::uint64_t offset = at_.u64("a tensor's offset");
        place_tensor(place, number, row, elements, overflows && !empty, offset);
    }

    void place_tensor(TensorPlace& place, std::uint32_t number, std::uint64_t row, std::uint64_t elements,
                      bool overflows, std::uint64_t offset) {
        const std::string tensor = quote_name(place.name);
        const BlockType* const type = find_block_type(number);
        if (type == nullptr) {
            file_.refuse(fmt::format("has the tensor {} of the unknown type {}", tensor, number), accepted);
        }
        if (row % type->elements != 0) {
            file_.refuse(fmt::format("has the tensor {} of {} with rows of {}, no multiple of {}", tensor,
                                     type->name, row, type->elements),
                         accepted);
        }
        std::uint64_t bytes = 0;
        overflows = overflows || __builtin_mul_overflow(elements / type->elements, type->bytes, &bytes);
        place.begin = offset;
        overflows = overflows || __builtin_add_overflow(offset, bytes, &place.end);
        if (overflows) {
            file_.refuse(fmt::format("has the tensor {} of more bytes than 64 bits count", tensor), accepted);
        }
        header_.bytes_by_type[std::string(type->name)] += bytes;
        header_.data_bytes += bytes;
        places_.push_back(std::move(place));
    }

    WeightsHeader finish() {
        for (const TensorPlace& place : places_) {
            if (place.begin % alignment_ == 0) continue;
            file_.refuse(fmt::format("has the tensor {} at {}, no multiple of the alignment {}",
                                     quote_name(place.name), place.begin, alignment_),
                         accepted);
        }
        order_and_refuse_overlaps(file_, places_);
        header_.format = fmt::format("gguf {}", version_);
        header_.tensors = tensors_;
        header_.header_bytes = (at_.position() + alignment_ - 1) / alignment_ * alignment_;
        if (!places_.empty()) {
            const std::uint64_t has =
                file_.bytes() > header_.header_bytes ? file_.bytes() - header_.header_bytes : 0;
            if (places_.back().end > has) {
                file_.refuse(
                    fmt::format("is cut short: the tensor {} ends at byte {} of the data and {} are there",
                                quote_name(places_.back().name), places_.back().end, has),
                    accepted);
            }
        }
        return std::move(header_);
    }

    const HeaderFile& file_;
    Cursor at_;
    std::uint32_t version_ = 0;
    std::uint64_t tensors_ = 0;
    std::uint64_t pairs_ = 0;
    std::uint64_t alignment_ = default_alignment;
    std::unordered_set<std::string> names_;
    std::vector<TensorPlace> places_;
    WeightsHeader header_;
};

}  // namespace

bool begins_as_gguf(const os::FileDescriptor& file) {
    std::array<char, magic.size()> start{};
    const ssize_t got = ::pread(file.get(), start.data(), start.size(), 0);
    if (got < 0) throw std::system_error(errno, std::generic_category(), "pread of a file's first bytes");
    return got == static_cast<ssize_t>(start.size()) && start == magic;
}

WeightsHeader read_gguf(const os::FileDescriptor& descriptor, const std::string& name) {
    const HeaderFile file(descriptor, name);
    return Parser(file).parse();
}

}  // namespace assay::storage
