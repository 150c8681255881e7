#include "probes/storage/weights/gguf.h"

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

constexpr std::uint32_t kind_u8 = 0, kind_u32 = 4, kind_string = 8, kind_array = 9, kind_u64 = 10;
constexpr std::uint32_t type_f32 = 0, type_q4_0 = 2;

Bytes start(std::uint32_t version, std::uint64_t tensors, std::uint64_t pairs) {
    return Bytes().raw("GGUF").u32(version).u64(tensors).u64(pairs);
}

Bytes& tensor(Bytes& file, const std::string& name, const std::vector<std::uint64_t>& sizes,
              std::uint32_t type, std::uint64_t offset) {
    file.string(name).u32(static_cast<std::uint32_t>(sizes.size()));
    for (const std::uint64_t size : sizes) file.u64(size);
    return file.u32(type).u64(offset);
}

std::string objection(const std::string& content) {
    return objection_to(content, read_gguf);
}

/// One tensor of that description, with 64 bytes of data.
std::string with_tensor(const std::string& name, const std::vector<std::uint64_t>& sizes, std::uint32_t type,
                        std::uint64_t offset) {
    Bytes file = start(3, 1, 0);
    return tensor(file, name, sizes, type, offset).pad_to(32).zeros(64).text();
}

TEST(Gguf, AFileMadeByHandIsUnderstood) {
    Bytes file = start(3, 2, 4);
    file.string("general.architecture").u32(kind_string).string("qwen2");
    file.string("general.alignment").u32(kind_u32).u32(64);
    file.string("tokens").u32(kind_array).u32(kind_string).u64(3).string("a").string("").string("ccc");
    file.string("scores").u32(kind_array).u32(kind_u32).u64(2).u32(1).u32(2);
    tensor(file, "output", {64, 2}, type_q4_0, 64);
    tensor(file, "norm", {16}, type_f32, 0);
    file.pad_to(64);
    const std::size_t header_bytes = file.text().size();
    file.zeros(64 + 72);  // 16 floats; 128 weights in 4 groups of 18 bytes
    const os::FileDescriptor opened = file_of(file.text());
    EXPECT_TRUE(begins_as_gguf(opened));
    const WeightsHeader read = read_gguf(opened, "f");
    EXPECT_EQ(read.format, "gguf 3");
    EXPECT_EQ(read.tensors, 2u);
    EXPECT_EQ(read.header_bytes, header_bytes);
    EXPECT_EQ(read.data_bytes, 64u + 72u);
    EXPECT_EQ(read.bytes_by_type.at("Q4_0"), 72u);
    EXPECT_EQ(read.bytes_by_type.at("F32"), 64u);
    EXPECT_EQ(objection(start(2, 0, 0).text()), "accepted");
    EXPECT_FALSE(begins_as_gguf(file_of("GG")));
}

struct Hostile {
    const char* what;
    std::string content;
    const char* message;
};

std::vector<Hostile> hostile_files() {
    constexpr std::uint64_t huge = ~0ULL;
    Bytes nested = start(3, 0, 1);
    nested.string("deep").u32(kind_array);
    for (int i = 0; i < 1000; ++i) nested.u32(kind_array).u64(1);
    Bytes twice = start(3, 2, 0);
    tensor(tensor(twice, "t", {1}, type_f32, 0), "t", {1}, type_f32, 32).pad_to(32).zeros(64);
    Bytes over = start(3, 2, 0);
    tensor(tensor(over, "t", {9}, type_f32, 0), "u", {1}, type_f32, 32).pad_to(32).zeros(64);
    const auto pair = [](const std::string& key, std::uint32_t kind) {
        return start(3, 0, 1).string(key).u32(kind);
    };
    const auto alignment = [&](std::uint32_t value) {
        return pair("general.alignment", kind_u32).u32(value).text();
    };
    return {
        {"nothing", "", "does not begin with GGUF"},
        {"half the magic", "GG", "does not begin with GGUF"},
        {"another format", std::string(64, 'x'), "does not begin with GGUF"},
        {"no version", "GGUF", "cut short"},
        {"version 1", start(1, 0, 0).text(), "version 1"},
        {"version 4", start(4, 0, 0).text(), "version 4"},
        {"version 0", start(0, 0, 0).text(), "version 0"},
        {"the other byte order", start(0x03000000, 0, 0).text(), "big-endian"},
        {"no counts", Bytes().raw("GGUF").u32(3).text(), "cut short"},
        {"too many tensors", start(3, huge, 0).text(), "18446744073709551615 tensors"},
        {"too many tensors for the file", start(3, 2, 0).zeros(47).text(), "tells of 2 tensors"},
        {"too many pairs", start(3, 0, huge).text(), "18446744073709551615 key-value pairs"},
        {"a key longer than the file", start(3, 0, 1).u64(60'000).zeros(8).text(), "goes beyond"},
        {"a key of everything", start(3, 0, 1).u64(huge).zeros(8).text(), "more than 65535"},
        {"a string longer than the file", pair("k", kind_string).u64(1000).text(), "goes beyond"},
        {"a string that wraps around", pair("k", kind_string).u64(huge - 20).text(), "goes beyond"},
        {"a value cut off", pair("k", kind_u64).u32(1).text(), "goes beyond"},
        {"an unknown kind", pair("k", 13).u64(0).text(), "unknown kind 13"},
        {"an array of an unknown kind", pair("k", kind_array).u32(99).u64(0).text(), "unknown kind 99"},
        {"an array too long", pair("k", kind_array).u32(kind_u8).u64(huge).text(), "elements of an array"},
        {"an array whose bytes overflow", pair("k", kind_array).u32(kind_u64).u64(1ULL << 61).text(),
         "elements of an array"},
        {"an array of too many strings", pair("k", kind_array).u32(kind_string).u64(1ULL << 40).text(),
         "elements of an array"},
        {"a bomb of arrays", nested.text(), "arrays within arrays"},
        {"a key twice",
         start(3, 0, 2).string("k").u32(kind_u32).u32(1).string("k").u32(kind_u32).u32(1).text(),
         "key \"k\" twice"},
        {"no alignment", alignment(0), "alignment of 0"},
        {"an alignment of 24", alignment(24), "alignment of 24"},
        {"an alignment of another kind", pair("general.alignment", kind_u64).u64(32).text(), "kind 10"},
        {"a name too long", with_tensor(std::string(65, 'n'), {1}, type_f32, 0), "more than 64"},
        {"five dimensions", with_tensor("t", {1, 1, 1, 1, 1}, type_f32, 0), "5 dimensions"},
        {"dimensions without end", start(3, 1, 0).string("t").u32(~0U).zeros(64).text(),
         "4294967295 dimensions"},
        {"an unknown type", with_tensor("t", {1}, 1000, 0), "unknown type 1000"},
        {"a type that was taken back", with_tensor("t", {32}, 4, 0), "unknown type 4"},
        {"a row that is no group", with_tensor("t", {33}, type_q4_0, 0), "no multiple of 32"},
        {"sizes that overflow", with_tensor("t", {1ULL << 32, 1ULL << 32}, type_f32, 0),
         "more bytes than 64 bits"},
        {"bytes that overflow", with_tensor("t", {1ULL << 62}, type_f32, 0), "more bytes than 64 bits"},
        {"an offset that overflows", with_tensor("t", {16}, type_f32, huge - 31), "more bytes than 64 bits"},
        {"an offset between", with_tensor("t", {1}, type_f32, 4), "no multiple of the alignment 32"},
        {"data beyond the file", with_tensor("t", {17}, type_f32, 0), "ends at byte 68 of the data and 64"},
        {"an offset beyond the file", with_tensor("t", {1}, type_f32, 1ULL << 40), "cut short"},
        {"a name twice", twice.text(), "tensor \"t\" twice"},
        {"two that overlap", over.text(), "overlap"},
    };
}

TEST(Gguf, WhatIsHostileIsRefusedInOneLineThatNamesTheFile) {
    for (const Hostile& hostile : hostile_files()) {
        SCOPED_TRACE(hostile.what);
        EXPECT_THAT(objection(hostile.content), AllOf(StartsWith("here: FILE "), HasSubstr(hostile.message),
                                                      HasSubstr("; accepted: "), Not(HasSubstr("\n"))));
    }
}

TEST(Gguf, AHeaderWithoutEndInAnImmenseFileIsGivenUp) {
    // A hole of 1 TiB: all counts fit the file, and yet nobody wants to read on for a day.
    const std::string content =
        start(3, 0, 1).string("k").u32(kind_array).u32(kind_string).u64(1ULL << 36).text();
    const os::FileDescriptor file = file_of(content);
    if (::ftruncate(file.get(), 1LL << 40) != 0) GTEST_SKIP() << "no such large files here";
    try {
        read_gguf(file, "here: FILE");
        ADD_FAILURE() << "was accepted";
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(), HasSubstr("the longest header that is read"));
    }
}

TEST(Gguf, AnyCutMakesAGoodFileABadOne) {
    const std::string whole = with_tensor("t", {16}, type_f32, 0);
    ASSERT_EQ(objection(whole), "accepted");
    for (std::size_t length = 0; length < whole.size(); ++length) {
        EXPECT_THAT(objection(whole.substr(0, length)), HasSubstr("accepted: ")) << length;
    }
}

}  // namespace
}  // namespace assay::storage
