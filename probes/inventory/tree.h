#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/inventory/machine.h"

/// Small readers of the kernel's trees, shared by the files of this folder.
namespace assay::inventory {

/// Names in a folder, sorted; empty when it is absent or unreadable.
std::vector<std::string> names_in(const std::filesystem::path& folder);
/// A file's text without surrounding white space; empty when it is absent or unreadable.
std::string text_of(const std::filesystem::path& file);
/// The last part of what a symbolic link points to ("nvme" of driver -> ../../bus/pci/drivers/nvme); empty
/// when there is none.
std::string link_name(const std::filesystem::path& link);
/// The path with every symbolic link resolved; empty when it does not exist.
std::filesystem::path resolved_path(const std::filesystem::path& path);

std::vector<std::string> split_words(std::string_view text);
std::vector<std::string> lines_of(const std::filesystem::path& file);
std::string trimmed(std::string_view text);
/// A whole number at the start of `text`; nothing when there is none.
std::optional<long long> leading_integer(std::string_view text);
/// How many numbers a list like "0-3,8" names; nothing when it is not such a list.
std::optional<int> count_of_list(std::string_view list);
/// The first run of digits with at least one dot between them: "535.154.05".
std::string first_dotted_number(std::string_view text);

/// The link that a PCI device's folder shows, or that of the nearest parent which shows one.
PciLink link_of(const std::filesystem::path& device, const std::filesystem::path& root);
/// "PCIe 4.0 x16", with what it could do where that is more; empty when not known.
std::string describe_link(const PciLink& link);

}  // namespace assay::inventory
