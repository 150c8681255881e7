#include "probes/core/case.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/core/probe.h"

namespace assay {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Probe sample_probe() {
    Probe probe;
    probe.name = "domain.probe";
    probe.parameters = {
        {"depth", ParameterKind::integer, "32", "requests", 1, 64},
        {"size", ParameterKind::bytes, "auto", "bytes", 4096},
        {"seconds", ParameterKind::seconds, "10", "time", 0.1, 100},
        {"ratio", ParameterKind::real, "0.5", "share", 0, 1},
        {"engine", ParameterKind::choice, "auto", "engine", 0, 0, {"auto", "libaio"}},
        {"target", ParameterKind::text, "auto", "what"},
        {"device", ParameterKind::device, "cpu:0", "where"},
    };
    return probe;
}

std::string message_of(const std::map<std::string, std::string>& given) {
    try {
        make_case(sample_probe(), given);
    } catch (const InputError& error) {
        return error.what();
    }
    return "accepted";
}

std::string made(const std::string& parameter, const std::string& value) {
    return make_case(sample_probe(), {{parameter, value}}).text(parameter);
}

TEST(ParseBytes, KnowsPowersOf1024AndOf1000) {
    EXPECT_EQ(parse_bytes("0", "x"), 0u);
    EXPECT_EQ(parse_bytes("4096", "x"), 4096u);
    EXPECT_EQ(parse_bytes("7B", "x"), 7u);
    EXPECT_EQ(parse_bytes("4K", "x"), 4096u);
    EXPECT_EQ(parse_bytes("4k", "x"), 4096u);
    EXPECT_EQ(parse_bytes("4KiB", "x"), 4096u);
    EXPECT_EQ(parse_bytes("4Ki", "x"), 4096u);
    EXPECT_EQ(parse_bytes("4KB", "x"), 4000u);
    EXPECT_EQ(parse_bytes("2M", "x"), 2097152u);
    EXPECT_EQ(parse_bytes("2MiB", "x"), 2097152u);
    EXPECT_EQ(parse_bytes("1G", "x"), 1073741824u);
    EXPECT_EQ(parse_bytes("2GB", "x"), 2000000000u);
    EXPECT_EQ(parse_bytes("1T", "x"), 1099511627776u);
    EXPECT_EQ(parse_bytes("1.5G", "x"), 1610612736u);
    EXPECT_EQ(parse_bytes("0.125K", "x"), 128u);
    EXPECT_EQ(parse_bytes("2.5GB", "x"), 2500000000u);
    EXPECT_EQ(parse_bytes("18446744073709551615", "x"), 18446744073709551615u);
    EXPECT_EQ(parse_bytes("16383P", "x"), 16383u * 1125899906842624u);
}

TEST(ParseBytes, RefusesWhatIsNoneAndNamesThePlace) {
    for (const char* const text :
         {"", "K", "-1", "4X", "4 K", " 4", "4KiBs", "1e3", "0x10", "1.5", "1.", "1.2345K", "4KK",
          "18446744073709551616", "16384P", "99999999999G", "auto", "GB"}) {
        try {
            parse_bytes(text, "suite.json: /cases/0/size");
            ADD_FAILURE() << text << " was accepted";
        } catch (const InputError& error) {
            EXPECT_THAT(error.what(), AllOf(HasSubstr("suite.json: /cases/0/size"), HasSubstr("2GB"),
                                            Not(HasSubstr("\n"))));
        }
    }
}

TEST(MakeCase, FillsInDefaultsAndMakesValuesCanonical) {
    const Case the_case = make_case(sample_probe(), {{"depth", "007"}, {"size", "4K"}, {"seconds", "250ms"}});
    EXPECT_EQ(the_case.probe, "domain.probe");
    const std::map<std::string, std::string> expected{
        {"depth", "7"},     {"size", "4096"},   {"seconds", "0.25"}, {"ratio", "0.5"},
        {"engine", "auto"}, {"target", "auto"}, {"device", "cpu:0"}};
    EXPECT_EQ(the_case.parameters, expected);
}

TEST(MakeCase, MakesEqualCasesEqual) {
    EXPECT_EQ(make_case(sample_probe(), {{"seconds", "1"}, {"size", "1M"}}),
              make_case(sample_probe(), {{"seconds", "1.0s"}, {"size", "1048576"}}));
    EXPECT_EQ(made("seconds", "1000ms"), "1");
    EXPECT_EQ(made("seconds", "500000us"), "0.5");
    EXPECT_EQ(made("seconds", "1min"), "60");
    EXPECT_EQ(made("ratio", "1e-1"), "0.1");
    EXPECT_EQ(made("ratio", "-0"), "0");
    EXPECT_EQ(made("depth", "+5"), "5");
}

TEST(MakeCase, AcceptsTheEndsOfARangeAndNothingBeyond) {
    EXPECT_EQ(made("depth", "1"), "1");
    EXPECT_EQ(made("depth", "64"), "64");
    EXPECT_THAT(message_of({{"depth", "0"}}),
                AllOf(HasSubstr("domain.probe.depth"), HasSubstr("'0'"), HasSubstr("1 to 64")));
    EXPECT_THAT(message_of({{"depth", "65"}}), HasSubstr("1 to 64"));
    EXPECT_EQ(made("seconds", "0.1"), "0.1");
    EXPECT_THAT(message_of({{"seconds", "99ms"}}), HasSubstr("0.1 to 100"));
    EXPECT_EQ(made("size", "4096"), "4096");
    EXPECT_THAT(message_of({{"size", "4095"}}), AllOf(HasSubstr("at least 4096"), HasSubstr("or auto")));
}

TEST(MakeCase, NamesWhatWouldBeAccepted) {
    EXPECT_THAT(message_of({{"dpeth", "1"}}),
                AllOf(HasSubstr("domain.probe"), HasSubstr("'dpeth'"),
                      HasSubstr("depth, size, seconds, ratio, engine, target, device")));
    EXPECT_THAT(message_of({{"engine", "io"}}), HasSubstr("one of auto, libaio"));
    EXPECT_THAT(message_of({{"device", "gpu:0"}}), HasSubstr("cpu:N, opencl:N or cuda:N"));
    EXPECT_THAT(message_of({{"depth", "many\nof them"}}), Not(HasSubstr("\n")));
}

TEST(MakeCase, RefusesNumbersThatAreNone) {
    for (const char* const text :
         {"", " 1", "1 ", "1.5", "0x2", "1e1", "one", "auto", "+", "+-1", "99999999999999999999"}) {
        EXPECT_NE(message_of({{"depth", text}}), "accepted") << text;
    }
    for (const char* const text : {"", "nan", "inf", "1e999", "0.5x", "-0.1", "1.1", "auto"}) {
        EXPECT_NE(message_of({{"ratio", text}}), "accepted") << text;
    }
    for (const char* const text : {"", "s", "ms", "1 s", "nans", "1h"}) {
        EXPECT_NE(message_of({{"seconds", text}}), "accepted") << text;
    }
}

TEST(MakeCase, KnowsDevices) {
    for (const char* const text : {"cpu:0", "cuda:7", "opencl:12"}) EXPECT_EQ(made("device", text), text);
    for (const char* const text :
         {"cpu", "cpu:", "cpu:01", "cpu:-1", "cpu:x", "cuda:99999", "each:gpu", ":0"}) {
        EXPECT_NE(message_of({{"device", text}}), "accepted") << text;
    }
}

TEST(MakeCase, SaysWhenAProbeHasNoParameters) {
    Probe probe;
    probe.name = "domain.bare";
    EXPECT_TRUE(make_case(probe, {}).parameters.empty());
    try {
        make_case(probe, {{"x", "1"}});
        ADD_FAILURE();
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(), HasSubstr("no parameters"));
    }
}

TEST(CaseReaders, GiveWhatWasAskedFor) {
    const Case the_case = make_case(sample_probe(), {{"size", "2M"}, {"seconds", "2.5"}});
    EXPECT_EQ(the_case.integer("depth"), 32);
    EXPECT_EQ(the_case.bytes("size"), 2097152u);
    EXPECT_DOUBLE_EQ(the_case.seconds("seconds"), 2.5);
    EXPECT_DOUBLE_EQ(the_case.real("ratio"), 0.5);
    EXPECT_TRUE(the_case.is_auto("target"));
    EXPECT_FALSE(the_case.is_auto("size"));
    EXPECT_THROW(the_case.text("nothing"), std::logic_error);
    EXPECT_THROW(the_case.integer("target"), std::logic_error);
    EXPECT_THROW(the_case.bytes("target"), std::logic_error);
    EXPECT_THROW(the_case.seconds("target"), std::logic_error);
    EXPECT_THROW(the_case.real("target"), std::logic_error);
}

TEST(CaseName, TellsOnlyWhatDiffersFromTheDefaultsWhereTheProbeIsKnown) {
    const Probe probe = sample_probe();
    EXPECT_EQ(case_name(make_case(probe, {}), &probe), "domain.probe");
    EXPECT_EQ(case_name(make_case(probe, {{"size", "8K"}, {"depth", "1"}}), &probe),
              "domain.probe{depth=1,size=8192}");
    EXPECT_EQ(case_name(make_case(probe, {{"depth", "32"}, {"seconds", "10.0"}}), &probe), "domain.probe");
    Case bare;
    bare.probe = "a.b";
    EXPECT_EQ(case_name(bare), "a.b");
    bare.parameters = {{"y", "2"}, {"x", "1"}};
    EXPECT_EQ(case_name(bare), "a.b{x=1,y=2}");
}

}  // namespace
}  // namespace assay
