#include "probes/storage/weights/safetensors.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/probes/storage/weights/bytes.h"

namespace assay::storage {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string file_with(const std::string& header, std::size_t data_bytes) {
    return Bytes().u64(header.size()).raw(header).zeros(data_bytes).text();
}

std::string objection(const std::string& content) {
    return objection_to(content, read_safetensors);
}

TEST(Safetensors, AFileMadeByHandIsUnderstood) {
    // Two tensors out of order, a scalar, an empty one, sub-byte elements, metadata, and padding as writers
    // add.
    const std::string header =
        R"({"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2,3],"data_offsets":[8,32]},)"
        R"("a":{"dtype":"BF16","shape":[4],"data_offsets":[0,8]},"s":{"dtype":"F64","shape":[],"data_offsets":[32,40]},)"
        R"("none":{"dtype":"F16","shape":[0,7],"data_offsets":[40,40]},)"
        R"("q":{"dtype":"F4","shape":[2,4],"data_offsets":[40,44]}}    )";
    const WeightsHeader read = read_safetensors(file_of(file_with(header, 44)), "f");
    EXPECT_EQ(read.format, "safetensors");
    EXPECT_EQ(read.tensors, 5u);
    EXPECT_EQ(read.header_bytes, 8 + header.size());
    EXPECT_EQ(read.data_bytes, 44u);
    EXPECT_EQ(read.bytes_by_type.at("F32"), 24u);
    EXPECT_EQ(read.bytes_by_type.at("BF16"), 8u);
    EXPECT_EQ(read.bytes_by_type.at("F4"), 4u);
    EXPECT_THAT(describe(read), HasSubstr("24 bytes of F32"));
    EXPECT_EQ(objection(file_with("{}", 0)), "accepted");
}

struct Hostile {
    const char* what;
    std::string content;
    const char* message;
};

std::string tensor(const std::string& fields) {
    return file_with("{\"t\":{" + fields + "}}", 8);
}

std::vector<Hostile> hostile_files() {
    const std::string good = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])";
    std::string zero_inside = "{\"t\":{" + good + "}}";
    zero_inside += '\0';
    zero_inside += "anything";
    const std::string deep(100'000, '[');
    std::string objects;
    for (int i = 0; i < 20'000; ++i) objects += "{\"shape\":";
    return {
        {"nothing", "", "fewer than the length"},
        {"a part of the length", "1234567", "fewer than the length"},
        {"a length beyond the file", Bytes().u64(100).raw("{}").text(), "cut short"},
        {"a length of everything", Bytes().u64(~0ULL).raw("{}").text(),
         "header of 18446744073709551615 bytes"},
        {"a length that wraps around", Bytes().u64(~0ULL - 6).raw("{}").text(), "more than 100000000"},
        {"a length above the limit", Bytes().u64(100'000'001).raw("{}").text(), "more than 100000000"},
        {"no header", file_with("", 0), "does not begin with {"},
        {"an array", file_with("[]", 0), "does not begin with {"},
        {"a blank before it", file_with(" {}", 0), "does not begin with {"},
        {"a byte order mark", file_with("\xEF\xBB\xBF{}", 0), "does not begin with {"},
        {"half an object", file_with("{\"t\":", 0), "not valid JSON"},
        {"two objects", file_with("{}{}", 0), "not valid JSON"},
        {"a zero that hides the rest", file_with(zero_inside, 8), "zero byte"},
        {"bytes that are no UTF-8", file_with("{\"\xff\xfe\":{" + good + "}}", 8), "UTF-8"},
        {"an overlong encoding", file_with("{\"\xc0\xaf\":{" + good + "}}", 8), "UTF-8"},
        {"a bomb of arrays", file_with("{\"t\":" + deep, 0), "an array"},
        {"a bomb of objects", file_with(objects, 0), "where none belongs"},
        {"a bomb in the metadata", file_with("{\"__metadata__\":{\"a\":" + deep, 0), "an array"},
        {"metadata of numbers", file_with(R"({"__metadata__":{"a":1}})", 0), "a number where none belongs"},
        {"a tensor that is a number", file_with(R"({"t":1})", 0), "a number for the tensor \"t\""},
        {"no dtype", tensor(R"("shape":[2],"data_offsets":[0,8])"), "has no dtype"},
        {"no shape", tensor(R"("dtype":"F32","data_offsets":[0,8])"), "has no shape"},
        {"no offsets", tensor(R"("dtype":"F32","shape":[2])"), "has no data_offsets"},
        {"one offset", tensor(R"("dtype":"F32","shape":[2],"data_offsets":[0])"), "fewer than two"},
        {"three offsets", tensor(R"("dtype":"F32","shape":[2],"data_offsets":[0,8,9])"), "more than two"},
        {"a field unknown", tensor(good + R"(,"x":1)"), "unknown field \"x\""},
        {"a field twice", tensor(good + R"(,"dtype":"F32")"), "dtype twice"},
        {"an unknown type", tensor(R"("dtype":"F33","shape":[2],"data_offsets":[0,8])"),
         "unknown type \"F33\""},
        {"a type that is a number", tensor(R"("dtype":32,"shape":[2],"data_offsets":[0,8])"),
         "a number where"},
        {"a negative size", tensor(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])"),
         "a negative number"},
        {"half a size", tensor(R"("dtype":"F32","shape":[2.0],"data_offsets":[0,8])"), "no count of 64 bits"},
        {"a size beyond 64 bits",
         tensor(R"("dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,8])"),
         "no count of 64 bits"},
        {"a shape that overflows",
         tensor(R"("dtype":"F32","shape":[4294967296,4294967296,2],"data_offsets":[0,8])"),
         "more elements than 64 bits count"},
        {"bits that overflow to what would fit",
         tensor(R"("dtype":"F32","shape":[2305843009213693954],"data_offsets":[0,8])"),
         "more elements than 64 bits count"},
        {"a type of another size", tensor(R"("dtype":"F16","shape":[2],"data_offsets":[0,8])"), "make 4"},
        {"an end within a byte", tensor(R"("dtype":"F4","shape":[3],"data_offsets":[0,8])"), "within a byte"},
        {"an end before its begin", tensor(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])"),
         "before it begins"},
        {"data beyond the file", file_with("{\"t\":{" + good + "}}", 7), "take 8 bytes and 7 are there"},
        {"data behind the last", file_with("{\"t\":{" + good + "}}", 9), "1 bytes behind its last"},
        {"a hole at the start", tensor(R"("dtype":"F32","shape":[1],"data_offsets":[4,8])"),
         "belong to no tensor"},
        {"a name twice", file_with("{\"t\":{" + good + "},\"t\":{" + good + "}}", 8), "names \"t\" twice"},
        {"the same name, escaped", file_with("{\"t\":{" + good + "},\"\\u0074\":{" + good + "}}", 8),
         "names \"t\" twice"},
        {"two at the same place", file_with("{\"t\":{" + good + "},\"u\":{" + good + "}}", 8), "overlap"},
        {"two that overlap",
         file_with("{\"t\":{" + good + R"(},"u":{"dtype":"U8","shape":[5],"data_offsets":[7,12]}})", 12),
         "overlap"},
        {"a hole between two",
         file_with("{\"t\":{" + good + R"(},"u":{"dtype":"U8","shape":[2],"data_offsets":[10,12]}})", 12),
         "2 bytes that belong to no tensor before \"u\""},
    };
}

TEST(Safetensors, WhatIsHostileIsRefusedInOneLineThatNamesTheFile) {
    for (const Hostile& hostile : hostile_files()) {
        SCOPED_TRACE(hostile.what);
        EXPECT_THAT(objection(hostile.content), AllOf(StartsWith("here: FILE "), HasSubstr(hostile.message),
                                                      HasSubstr("; accepted: "), Not(HasSubstr("\n"))));
    }
}

TEST(Safetensors, AnyCutMakesAGoodFileABadOne) {
    const std::string whole = file_with(R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8);
    ASSERT_EQ(objection(whole), "accepted");
    for (std::size_t length = 0; length < whole.size(); ++length) {
        EXPECT_THAT(objection(whole.substr(0, length)), HasSubstr("accepted: ")) << length;
    }
}

TEST(Safetensors, ANameThatWouldSpoilTheTerminalIsMadeHarmless) {
    EXPECT_EQ(quote_name("a\x1b[31m\n\"b"), "\"a?[31m??b\"");
    EXPECT_LT(quote_name(std::string(1000, 'x')).size(), 70u);
}

}  // namespace
}  // namespace assay::storage
