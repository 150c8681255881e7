#include "probes/core/os/memory_modules.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "probes/core/os/sysfs.h"

namespace assay::os {
namespace {

// Offsets and special values: DMTF DSP0134 (SMBIOS 3.7), 6.1.2 and 7.18.
constexpr std::size_t header_bytes = 4;
constexpr std::uint8_t type_memory_device = 17;
constexpr std::uint8_t type_end_of_table = 127;
// More slots than any machine has; a hostile table may claim millions.
constexpr std::size_t most_modules = 1024;
constexpr std::size_t longest_name = 64;

/// One structure: its formatted area, and the strings behind it.
struct Structure {
    std::span<const std::byte> area;
    std::span<const std::byte> strings;

    /// A little-endian number of `bytes` at `offset`; nothing where the structure ends before.
    std::optional<std::uint64_t> number(std::size_t offset, std::size_t bytes) const {
        if (offset + bytes > area.size()) return std::nullopt;
        std::uint64_t value = 0;
        for (std::size_t i = bytes; i-- > 0;)
            value = value << 8 | std::to_integer<std::uint64_t>(area[offset + i]);
        return value;
    }

    /// The string whose number (from 1) stands at `offset`, unprintable characters left out.
    std::string text(std::size_t offset) const {
        const std::uint64_t wanted = number(offset, 1).value_or(0);
        if (wanted == 0) return {};
        std::uint64_t current = 1;
        std::string found;
        for (const std::byte byte : strings) {
            const unsigned char character = std::to_integer<unsigned char>(byte);
            if (character == 0) {
                if (++current > wanted) break;
            } else if (current == wanted && found.size() < longest_name && character >= 0x20 &&
                       character < 0x7f) {
                found += static_cast<char>(character);
            }
        }
        const std::size_t first = found.find_first_not_of(' ');
        if (first == std::string::npos) return {};
        return found.substr(first, found.find_last_not_of(' ') - first + 1);
    }
};

/// Takes the first structure off `rest`; nothing where no whole one is left.
std::optional<Structure> take_structure(std::span<const std::byte>& rest) {
    if (rest.size() < header_bytes) return std::nullopt;
    const std::size_t length = std::to_integer<std::size_t>(rest[1]);
    if (length < header_bytes || length > rest.size()) return std::nullopt;
    const std::span<const std::byte> behind = rest.subspan(length);
    // The strings end with an empty one: two zeros.
    for (std::size_t at = 0; at + 1 < behind.size(); ++at) {
        if (behind[at] != std::byte{0} || behind[at + 1] != std::byte{0}) continue;
        const Structure structure{rest.first(length), behind.first(at + 1)};
        rest = behind.subspan(at + 2);
        return structure;
    }
    return std::nullopt;
}

std::string type_name(std::uint64_t type) {
    static constexpr std::array<std::pair<int, const char*>, 12> names = {{{0x13, "DDR2"},
                                                                           {0x14, "DDR2 FB-DIMM"},
                                                                           {0x18, "DDR3"},
                                                                           {0x1a, "DDR4"},
                                                                           {0x1b, "LPDDR"},
                                                                           {0x1c, "LPDDR2"},
                                                                           {0x1d, "LPDDR3"},
                                                                           {0x1e, "LPDDR4"},
                                                                           {0x20, "HBM"},
                                                                           {0x21, "HBM2"},
                                                                           {0x22, "DDR5"},
                                                                           {0x23, "LPDDR5"}}};
    for (const auto& [number, name] : names)
        if (static_cast<std::uint64_t>(number) == type) return name;
    return {};
}

/// ROM, flash and their like, and memory that keeps its contents: nothing that a program's arrays lie in.
bool is_no_main_memory(std::uint64_t type) {
    return (type >= 0x08 && type <= 0x0c) || type == 0x1f;
}

std::optional<std::uint64_t> size_of(const Structure& structure) {
    constexpr std::uint64_t unknown = 0xffff, extended = 0x7fff, in_kibibytes = 0x8000;
    const std::uint64_t size = structure.number(0x0c, 2).value_or(unknown);
    if (size == unknown) return std::nullopt;
    if (size == extended) {
        const std::optional<std::uint64_t> mebibytes = structure.number(0x1c, 4);
        if (!mebibytes) return std::nullopt;
        return (*mebibytes & 0x7fffffff) << 20;
    }
    return size & in_kibibytes ? (size & ~in_kibibytes) << 10 : size << 20;
}

/// MT/s at `offset`, or at `extended` where the word says so, per second; 0 means unknown.
std::optional<double> transfers_of(const Structure& structure, std::size_t offset, std::size_t extended) {
    std::optional<std::uint64_t> millions = structure.number(offset, 2);
    if (millions == 0xffffu) millions = structure.number(extended, 4);
    if (!millions || *millions == 0) return std::nullopt;
    // The uppermost bit of the extended field is reserved.
    return static_cast<double>(*millions & 0x7fffffff) * 1e6;
}

MemoryModule module_of(const Structure& structure) {
    MemoryModule module;
    module.locator = structure.text(0x10);
    module.bank = structure.text(0x11);
    const std::optional<std::uint64_t> bytes = size_of(structure);
    module.populated = bytes != 0u;
    if (!module.populated) return module;
    module.bytes = bytes;
    module.part = structure.text(0x1a);
    module.type = type_name(structure.number(0x12, 1).value_or(0));
    const std::uint64_t data_bits = structure.number(0x0a, 2).value_or(0);
    if (data_bits != 0 && data_bits != 0xffff) module.data_bits = static_cast<int>(data_bits);
    module.rated_transfers = transfers_of(structure, 0x15, 0x54);
    module.configured_transfers = transfers_of(structure, 0x20, 0x58);
    return module;
}

std::string lower_case(std::string text) {
    for (char& character : text)
        character = static_cast<char>(std::tolower(static_cast<unsigned char>(character)));
    return text;
}

/// Where the channel's own name ends in "P0 CHANNEL A", "Controller1-ChannelB-DIMM0", "CPU1_DIMM_A1"; npos
/// where there is none.
std::size_t end_of_channel(const std::string& name, std::string_view word, bool letter_only) {
    std::size_t at = name.find(word);
    if (at == std::string::npos) return at;
    at += word.size();
    const auto is_separator = [&](std::size_t index) {
        return name[index] == ' ' || name[index] == '_' || name[index] == '-';
    };
    while (at < name.size() && is_separator(at)) ++at;
    // "DIMM_P0_A1": the socket stands between.
    if (at + 3 < name.size() && name[at] == 'p' &&
        std::isdigit(static_cast<unsigned char>(name[at + 1])) != 0 && is_separator(at + 2))
        at += 3;
    if (at == name.size()) return std::string::npos;
    const unsigned char character = static_cast<unsigned char>(name[at]);
    const bool named = letter_only ? std::isalpha(character) != 0 : std::isalnum(character) != 0;
    if (!named) return std::string::npos;
    std::size_t end = at + 1;
    if (!letter_only)
        while (end < name.size() && std::isdigit(character) != 0 &&
               std::isdigit(static_cast<unsigned char>(name[end])) != 0)
            ++end;
    // "DIMMABC" names no channel by a letter.
    const bool letters_go_on =
        letter_only && end < name.size() && std::isalpha(static_cast<unsigned char>(name[end])) != 0;
    return letters_go_on ? std::string::npos : end;
}

/// The text up to the channel's name, so that the socket or controller before it is a part; empty where
/// neither name tells a channel.
std::string channel_of(const MemoryModule& module) {
    const std::string locator = lower_case(module.locator);
    const std::string bank = lower_case(module.bank);
    for (const std::string& name : {locator, bank}) {
        const std::size_t end = end_of_channel(name, "channel", false);
        if (end != std::string::npos) return name.substr(0, end);
    }
    const std::size_t end = end_of_channel(locator, "dimm", true);
    return end == std::string::npos ? std::string() : locator.substr(0, end);
}

bool locators_are_unique(std::span<const MemoryModule> modules) {
    std::set<std::string> locators;
    return std::all_of(modules.begin(), modules.end(),
                       [&](const MemoryModule& module) { return locators.insert(module.locator).second; });
}

}  // namespace

std::vector<MemoryModule> parse_memory_modules(std::span<const std::byte> table) {
    std::vector<MemoryModule> modules;
    std::span<const std::byte> rest = table;
    while (modules.size() < most_modules) {
        const std::optional<Structure> structure = take_structure(rest);
        if (!structure) break;
        const std::uint8_t type = std::to_integer<std::uint8_t>(structure->area[0]);
        if (type == type_end_of_table) break;
        if (type != type_memory_device || is_no_main_memory(structure->number(0x12, 1).value_or(0))) continue;
        modules.push_back(module_of(*structure));
    }
    return modules;
}

std::optional<std::vector<MemoryModule>> read_memory_modules(const std::filesystem::path& root) {
    const std::optional<std::string> table = read_text(root / "sys/firmware/dmi/tables/DMI");
    if (!table) return std::nullopt;
    return parse_memory_modules(std::as_bytes(std::span(table->data(), table->size())));
}

std::optional<NamedChannels> named_channels(std::span<const MemoryModule> modules) {
    // Where all sockets' slots have the same names, the bank must tell them apart.
    const bool unique = locators_are_unique(modules);
    std::set<std::pair<std::string, std::string>> slots;
    struct Channel {
        int slots = 0;
        int modules = 0;
    };
    std::map<std::pair<std::string, std::string>, Channel> channels;
    for (const MemoryModule& module : modules) {
        if (!slots.emplace(module.bank, module.locator).second) return std::nullopt;
        const std::string name = channel_of(module);
        if (name.empty()) return std::nullopt;
        Channel& channel = channels[{unique ? std::string() : module.bank, name}];
        if (module.populated) ++channel.modules;
        // No channel has more slots: the names mean something else.
        if (++channel.slots > 3) return std::nullopt;
    }
    const std::ptrdiff_t populated = std::count_if(
        channels.begin(), channels.end(), [](const auto& channel) { return channel.second.modules > 0; });
    if (populated == 0) return std::nullopt;
    return NamedChannels{static_cast<int>(populated), static_cast<int>(channels.size())};
}

}  // namespace assay::os
