#include "probes/storage/weights/safetensors.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <unordered_set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace assay::storage {
namespace {

constexpr std::string_view accepted = "a whole safetensors file";
constexpr std::uint64_t length_bytes = 8;

struct ElementType {
    std::string_view name;
    std::uint64_t bits;
};
constexpr std::array<ElementType, 20> element_types{{
    {"BOOL", 8},    {"U8", 8},      {"I8", 8},   {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F4", 4},
    {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"I16", 16}, {"U16", 16},    {"F16", 16},    {"BF16", 16},   {"I32", 32},
    {"U32", 32},    {"F32", 32},    {"C64", 64}, {"F64", 64},    {"I64", 64},    {"U64", 64},
}};

std::optional<std::uint64_t> bits_of(std::string_view type) {
    for (const ElementType& known : element_types) {
        if (known.name == type) return known.bits;
    }
    return std::nullopt;
}

/// Takes the header's JSON event by event: nothing nests deeper than the format does, and memory stays within
/// a small multiple of the header's length. The first objection ends the parsing.
class HeaderEvents final : public nlohmann::json_sax<nlohmann::json> {
  public:
    std::vector<TensorPlace> places;
    std::map<std::string, std::uint64_t> bytes_by_type;
    std::string objection;

    bool null() override { return misplaced("null"); }
    bool boolean(bool) override { return misplaced("a truth value"); }
    bool number_integer(number_integer_t) override { return misplaced("a negative number"); }
    bool number_float(number_float_t, const string_t&) override {
        return misplaced("a number that is no count of 64 bits");
    }
    bool binary(binary_t&) override { return misplaced("binary"); }

    bool number_unsigned(number_unsigned_t value) override {
        if (within_ == Within::shape) {
            shape_empty_ = shape_empty_ || value == 0;
            // With a zero in it nothing overflows: the tensor is empty, whatever else stands there.
            shape_overflows_ =
                __builtin_mul_overflow(elements_, std::max<std::uint64_t>(1, value), &elements_) ||
                shape_overflows_;
            return true;
        }
        if (within_ != Within::offsets) return misplaced("a number");
        if (offsets_ == 2) return object(fmt::format("tensor {} has more than two data_offsets", tensor()));
        (offsets_++ == 0 ? place_.begin : place_.end) = value;
        return true;
    }

    bool string(string_t& value) override {
        if (within_ == Within::metadata) return true;
        if (within_ != Within::tensor || field_ != "dtype") return misplaced("a string");
        type_ = value;
        if (bits_of(type_)) return true;
        return object(fmt::format("tensor {} is of the unknown type {}", tensor(), quote_name(type_)));
    }

    bool key(string_t& name) override {
        if (within_ == Within::root) {
            if (!names_.insert(name).second) return object(fmt::format("names {} twice", quote_name(name)));
            place_ = {};
            place_.name = name;
            is_metadata_ = name == "__metadata__";
            return true;
        }
        if (within_ == Within::metadata) return true;
        const bool known = name == "dtype" || name == "shape" || name == "data_offsets";
        if (!known)
            return object(fmt::format("tensor {} has the unknown field {}", tensor(), quote_name(name)));
        bool& seen = name == "dtype" ? seen_type_ : name == "shape" ? seen_shape_ : seen_offsets_;
        if (seen) return object(fmt::format("tensor {} has {} twice", tensor(), name));
        seen = true;
        field_ = name;
        return true;
    }

    bool start_object(std::size_t) override {
        if (within_ == Within::nothing) {
            within_ = Within::root;
            return true;
        }
        if (within_ != Within::root) return misplaced("an object");
        within_ = is_metadata_ ? Within::metadata : Within::tensor;
        seen_type_ = seen_shape_ = seen_offsets_ = shape_overflows_ = shape_empty_ = false;
        elements_ = 1;
        offsets_ = 0;
        return true;
    }

    bool end_object() override {
        if (within_ == Within::root) {
            within_ = Within::nothing;
            return true;
        }
        if (within_ == Within::tensor && !finish_tensor()) return false;
        within_ = Within::root;
        return true;
    }

    bool start_array(std::size_t) override {
        if (within_ != Within::tensor || field_ == "dtype") return misplaced("an array");
        within_ = field_ == "shape" ? Within::shape : Within::offsets;
        return true;
    }

    bool end_array() override {
        if (within_ == Within::offsets && offsets_ != 2) {
            return object(fmt::format("tensor {} has fewer than two data_offsets", tensor()));
        }
        within_ = Within::tensor;
        return true;
    }

    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
        return object(fmt::format("is not valid JSON in UTF-8 at byte {}", position));
    }

  private:
    enum class Within { nothing, root, metadata, tensor, shape, offsets };

    std::string tensor() const { return quote_name(place_.name); }

    bool object(std::string what) {
        if (objection.empty()) objection = std::move(what);
        return false;
    }

    bool misplaced(std::string_view what) {
        if (within_ == Within::nothing) return object(fmt::format("is {} and not an object", what));
        if (within_ == Within::root) return object(fmt::format("has {} for the tensor {}", what, tensor()));
        return object(fmt::format("has {} where none belongs, in {}", what, tensor()));
    }

    bool finish_tensor() {
        if (!seen_type_ || !seen_shape_ || !seen_offsets_) {
            const std::string_view missing = !seen_type_ ? "dtype" : !seen_shape_ ? "shape" : "data_offsets";
            return object(fmt::format("tensor {} has no {}", tensor(), missing));
        }
        if (place_.begin > place_.end) {
            return object(fmt::format("tensor {} ends at {} before it begins at {}", tensor(), place_.end,
                                      place_.begin));
        }
        std::uint64_t bits = 0;
        if (!shape_empty_ &&
            (shape_overflows_ || __builtin_mul_overflow(elements_, bits_of(type_).value(), &bits))) {
            return object(fmt::format("tensor {} has a shape of more elements than 64 bits count", tensor()));
        }
        if (bits % 8 != 0) {
            return object(fmt::format("tensor {} of {} ends within a byte", tensor(), type_));
        }
        const std::uint64_t has = place_.end - place_.begin;
        if (bits / 8 != has) {
            return object(fmt::format("tensor {} has {} bytes where {} and its shape make {}", tensor(), has,
                                      type_, bits / 8));
        }
        bytes_by_type[type_] += has;
        places.push_back(std::move(place_));
        return true;
    }

    Within within_ = Within::nothing;
    std::unordered_set<std::string> names_;
    bool is_metadata_ = false;
    std::string field_;
    std::string type_;
    TensorPlace place_;
    std::uint64_t elements_ = 1;
    int offsets_ = 0;
    bool shape_overflows_ = false;
    bool shape_empty_ = false;
    bool seen_type_ = false;
    bool seen_shape_ = false;
    bool seen_offsets_ = false;
};

std::uint64_t header_length(const HeaderFile& file) {
    if (file.bytes() < length_bytes) {
        file.refuse(fmt::format("has {} bytes, fewer than the length of a header takes", file.bytes()),
                    accepted);
    }
    std::array<std::byte, length_bytes> raw{};
    file.read(0, raw);
    std::uint64_t length = 0;
    for (std::size_t i = 0; i < raw.size(); ++i) length |= std::to_integer<std::uint64_t>(raw[i]) << (8 * i);
    if (length > longest_header_bytes) {
        file.refuse(
            fmt::format("tells of a header of {} bytes, more than {}: this is not safetensors, or damaged",
                        length, longest_header_bytes),
            accepted);
    }
    if (length > file.bytes() - length_bytes) {
        file.refuse(fmt::format("is cut short: its header of {} bytes goes beyond its {} bytes", length,
                                file.bytes()),
                    accepted);
    }
    return length;
}

/// The data have neither holes nor an end other than the file's.
void refuse_gaps(const HeaderFile& file, const std::vector<TensorPlace>& places, std::uint64_t data_bytes) {
    std::uint64_t at = 0;
    for (const TensorPlace& place : places) {
        if (place.begin > at) {
            file.refuse(fmt::format("has {} bytes that belong to no tensor before {}", place.begin - at,
                                    quote_name(place.name)),
                        accepted);
        }
        at = std::max(at, place.end);
    }
    if (at > data_bytes) {
        file.refuse(fmt::format("is cut short: its tensors take {} bytes and {} are there", at, data_bytes),
                    accepted);
    }
    if (at < data_bytes) {
        file.refuse(fmt::format("has {} bytes behind its last tensor", data_bytes - at), accepted);
    }
}

}  // namespace

WeightsHeader read_safetensors(const os::FileDescriptor& descriptor, const std::string& name) {
    const HeaderFile file(descriptor, name);
    const std::uint64_t length = header_length(file);
    std::string text(length, '\0');
    file.read(length_bytes, std::as_writable_bytes(std::span(text)));
    if (text.empty() || text.front() != '{') file.refuse("has a header that does not begin with {", accepted);
    // The parser takes a zero for the text's end and would not look at what follows.
    const std::size_t zero = text.find('\0');
    if (zero != std::string::npos) {
        file.refuse(fmt::format("has a zero byte in its header, at byte {} of it", zero), accepted);
    }
    HeaderEvents events;
    if (!nlohmann::json::sax_parse(text, &events)) {
        file.refuse(fmt::format("has a header that cannot be used: it {}", events.objection), accepted);
    }
    text = {};
    order_and_refuse_overlaps(file, events.places);
    WeightsHeader header;
    header.format = "safetensors";
    header.tensors = events.places.size();
    header.header_bytes = length_bytes + length;
    header.data_bytes = file.bytes() - header.header_bytes;
    header.bytes_by_type = std::move(events.bytes_by_type);
    refuse_gaps(file, events.places, header.data_bytes);
    return header;
}

}  // namespace assay::storage
