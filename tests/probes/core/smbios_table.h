#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace assay::test {

/// A slot as firmware would describe it. 0 leaves a field as "unknown".
struct SmbiosSlot {
    std::string locator;
    std::string bank;
    std::uint32_t mebibytes = 0;  ///< 0: empty
    std::uint16_t rated = 0;      ///< MT/s
    std::uint16_t configured = 0;
    std::uint8_t type = 0x1a;  ///< DDR4
};

/// Bytes of an SMBIOS structure table, made one by one.
class SmbiosTable {
  public:
    void byte(unsigned value) { bytes_.push_back(static_cast<char>(value)); }
    void number(std::uint64_t value, int bytes) {
        for (int i = 0; i < bytes; ++i) byte(static_cast<unsigned>(value >> (8 * i) & 0xff));
    }
    void text(const std::string& string) { bytes_ += string + '\0'; }

    /// Something that is no memory, with strings.
    void other() {
        byte(1), byte(8), number(0x100, 2), byte(1), byte(2), number(0, 2);
        text("Vendor"), text("Product"), byte(0);
    }
    /// Type 17 of SMBIOS 3.3 (0x5c bytes).
    void slot(const SmbiosSlot& slot) {
        const std::size_t begin = bytes_.size();
        const bool large = slot.mebibytes >= 0x7fff;
        byte(17), byte(0x5c), number(0x1100, 2);
        number(0x1000, 2), number(0xfffe, 2);
        number(72, 2), number(64, 2);
        number(large ? 0x7fff : slot.mebibytes, 2);
        byte(9), byte(0), byte(1), byte(slot.bank.empty() ? 0 : 2), byte(slot.type), number(0x80, 2);
        number(slot.rated, 2);
        byte(0), byte(0), byte(0), byte(slot.bank.empty() ? 2 : 3), byte(2);
        number(large ? slot.mebibytes : 0, 4);
        number(slot.configured, 2);
        while (bytes_.size() - begin < 0x5c) byte(0);
        text(slot.locator);
        // An empty string would end them all: its number is 0 instead.
        if (!slot.bank.empty()) text(slot.bank);
        text("Part "), byte(0);
    }
    void end() { byte(127), byte(4), number(0xfeff, 2), byte(0), byte(0); }

    std::string& bytes() { return bytes_; }

  private:
    std::string bytes_;
};

}  // namespace assay::test
