#include "suites/cli/options.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "suites/suite.h"

namespace assay::cli {
namespace {

struct Setting {
    std::string name;
    std::string value;
};

Setting split_setting(const std::string& text, std::string_view form) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
        throw InputError(fmt::format("--set {}: no setting; accepted is {}", text, form));
    return {text.substr(0, equals), text.substr(equals + 1)};
}

void refuse_second(bool inserted, const std::string& text) {
    if (!inserted)
        throw InputError(fmt::format("--set {}: this parameter is set twice; once is accepted", text));
}

}  // namespace

void add_language_option(CLI::App& command, std::string& language) {
    command.add_option("--lang", language, "Language of the report: en or zh")
        ->check(CLI::IsMember({"en", "zh"}))
        ->default_str("en");
}

Language language_of(const std::string& name) {
    return name == "zh" ? Language::zh : Language::en;
}

CLI::Option* add_repeated_option(CLI::App& command, const std::string& name, std::vector<std::string>& values,
                                 const std::string& help) {
    return command.add_option(name, values, help)->allow_extra_args(false)->take_all();
}

std::map<std::string, std::map<std::string, std::string>> parse_probe_settings(
    const std::vector<std::string>& settings) {
    constexpr std::string_view form = "PROBE.PARAMETER=VALUE, such as gemm.throughput.n=512";
    std::map<std::string, std::map<std::string, std::string>> parsed;
    for (const std::string& text : settings) {
        const Setting setting = split_setting(text, form);
        const std::size_t dot = setting.name.rfind('.');
        if (dot == std::string::npos || dot == 0 || dot + 1 == setting.name.size())
            throw InputError(fmt::format("--set {}: no setting; accepted is {}", text, form));
        refuse_second(
            parsed[setting.name.substr(0, dot)].emplace(setting.name.substr(dot + 1), setting.value).second,
            text);
    }
    return parsed;
}

std::map<std::string, std::string> parse_settings(const std::vector<std::string>& settings) {
    std::map<std::string, std::string> parsed;
    for (const std::string& text : settings) {
        const Setting setting = split_setting(text, "PARAMETER=VALUE, such as n=512");
        refuse_second(parsed.emplace(setting.name, setting.value).second, text);
    }
    return parsed;
}

std::vector<Waiver> parse_waivers(const std::vector<std::string>& ids,
                                  const std::vector<std::string>& reasons) {
    if (ids.size() != reasons.size())
        throw InputError(fmt::format(
            "--waive is given {} times and --reason {} times; each --waive ID takes one --reason TEXT",
            ids.size(), reasons.size()));
    std::vector<Waiver> waivers;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (reasons[i].find_first_not_of(" \t\n") == std::string::npos)
            throw InputError(fmt::format("--reason of --waive {}: is empty; a text is accepted", ids[i]));
        for (const Waiver& waiver : waivers)
            if (waiver.requirement == ids[i])
                throw InputError(fmt::format("--waive {}: is given twice; once is accepted", ids[i]));
        waivers.push_back({ids[i], reasons[i]});
    }
    return waivers;
}

void add_allow_destroy_option(CLI::App& command, std::vector<std::string>& paths) {
    add_repeated_option(command, "--allow-destroy", paths,
                        "ALL DATA ON IT IS LOST: lets a case write to this block device or file, which must "
                        "be given as exactly the same path that the case has as its target; may be "
                        "repeated. Refused all the same while it is in use. A resumed run must be given it "
                        "again")
        ->type_name("PATH");
}

SamplingPolicy sampling_policy(bool quick) {
    SamplingPolicy policy;
    if (quick) {
        policy.maximum_time = Seconds(2.0);
        policy.maximum_warm_up = Seconds(0.5);
    }
    return policy;
}

ProcessContext::ProcessContext(bool quick, std::filesystem::path scratch)
    : models_(load_models()),
      cpu_facts_(load_cpu_facts()),
      accelerator_facts_(load_accelerator_facts()),
      context_{.clock = clock_,
               .sample = {},
               .progress = [](std::string_view, double) {},
               .sampling = sampling_policy(quick),
               .quick = quick,
               .scratch = std::move(scratch),
               .models = models_,
               .cpu_facts = &cpu_facts_,
               .accelerator_facts = accelerator_facts_} {
    context_.sample = [this](const SamplingPolicy& policy, const std::function<double()>& take) {
        return sample(policy, clock_, take);
    };
}

}  // namespace assay::cli
