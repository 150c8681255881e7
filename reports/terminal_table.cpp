#include "reports/terminal_table.h"

#include <algorithm>
#include <numeric>

#include "reports/utf8.h"

namespace assay {

namespace {

constexpr int gap = 2;
constexpr int least_column = 4;
constexpr int remark_indent = 4;
constexpr std::string_view ellipsis = "…";
constexpr std::string_view reset_colour = "\x1b[0m";

/// Marks that no line begins with.
bool closes(std::string_view character) {
    constexpr std::string_view marks[] = {"。", "，", "、", "；", "：", "！", "？",
                                          "）", "」", "』", "》", "”",  "’",  "…"};
    return std::find(std::begin(marks), std::end(marks), character) != std::end(marks);
}

/// What a terminal may be given: text from a machine must not steer it. Control characters become spaces,
/// ill-formed bytes U+FFFD.
std::string printable(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const CodePoint code = first_code_point(text);
        if (code.value < U' ' || (code.value >= 0x7F && code.value <= 0x9F)) {
            out += ' ';
        } else {
            out += code.well_formed ? text.substr(0, code.bytes) : std::string_view("\xEF\xBF\xBD");
        }
        text.remove_prefix(code.bytes);
    }
    return out;
}

/// What may not be broken, and whether a space stood before it.
struct Piece {
    std::string text;
    bool after_space = false;
};

std::vector<Piece> pieces_of(std::string_view text) {
    std::vector<Piece> pieces;
    bool space = false;
    bool open = false;  // the last piece goes on with the next narrow character
    while (!text.empty()) {
        const std::size_t bytes = first_code_point(text).bytes;
        const std::string_view character = text.substr(0, bytes);
        text.remove_prefix(bytes);
        if (character == " ") {
            space = true;
            open = false;
            continue;
        }
        const bool wide = display_width(character) == 2;
        const bool joins = !pieces.empty() && !space && ((open && !wide) || closes(character));
        if (joins) {
            pieces.back().text += character;
        } else {
            pieces.push_back({std::string(character), space});
        }
        open = !wide;
        space = false;
    }
    return pieces;
}

/// The bytes at the front of `text` that fit into `width` columns; at least one character.
std::size_t fitting_bytes(std::string_view text, int width) {
    std::size_t bytes = 0;
    int used = 0;
    while (bytes < text.size()) {
        const std::size_t next = first_code_point(text.substr(bytes)).bytes;
        used += display_width(text.substr(bytes, next));
        if (used > width && bytes > 0) break;
        bytes += next;
    }
    return bytes;
}

void wrap_line(std::string_view text, int width, std::vector<std::string>& lines) {
    std::string line;
    for (const Piece& piece : pieces_of(printable(text))) {
        const std::string_view space = piece.after_space && !line.empty() ? " " : "";
        if (display_width(line) + display_width(space) + display_width(piece.text) <= width) {
            line += space;
            line += piece.text;
            continue;
        }
        if (!line.empty()) lines.push_back(std::move(line));
        line.clear();
        std::string_view rest = piece.text;
        while (display_width(rest) > width) {
            const std::size_t bytes = fitting_bytes(rest, width);
            if (bytes == rest.size()) break;
            lines.emplace_back(rest.substr(0, bytes));
            rest.remove_prefix(bytes);
        }
        line = rest;
    }
    lines.push_back(std::move(line));
}

int natural_width_of(const std::string& cell) {
    int width = 0;
    std::string_view rest = cell;
    while (true) {
        const std::size_t end = rest.find('\n');
        width = std::max(width, display_width(rest.substr(0, end)));
        if (end == std::string_view::npos) return width;
        rest.remove_prefix(end + 1);
    }
}

int sum(const std::vector<int>& widths) {
    return std::accumulate(widths.begin(), widths.end(), 0) + gap * (static_cast<int>(widths.size()) - 1);
}

void trim_right(std::string& line) {
    line.erase(line.find_last_not_of(' ') + 1);
}

}  // namespace

std::vector<std::string> wrapped(std::string_view text, int width) {
    std::vector<std::string> lines;
    while (true) {
        const std::size_t end = text.find('\n');
        wrap_line(text.substr(0, end), std::max(width, 1), lines);
        if (end == std::string_view::npos) return lines;
        text.remove_prefix(end + 1);
    }
}

std::string shortened(std::string_view text, int width) {
    const std::string whole = printable(text);
    if (display_width(whole) <= width) return whole;
    std::string_view kept(whole);
    kept = kept.substr(0, fitting_bytes(kept, std::max(width - display_width(ellipsis), 1)));
    while (kept.ends_with(' ')) kept.remove_suffix(1);
    return std::string(kept) + std::string(ellipsis);
}

std::string padded(std::string_view text, int width) {
    const int missing = width - display_width(text);
    return std::string(text) + std::string(static_cast<std::size_t>(std::max(missing, 0)), ' ');
}

std::vector<int> TerminalTable::natural_widths() const {
    std::vector<int> widths;
    for (std::size_t column = 0; column < headings_.size(); ++column) {
        int width = display_width(headings_[column]);
        for (const Row& row : rows_) width = std::max(width, natural_width_of(row.cells[column]));
        widths.push_back(width);
    }
    return widths;
}

int TerminalTable::natural_width() const {
    return sum(natural_widths());
}

std::vector<int> TerminalTable::fitted_widths(int columns) const {
    std::vector<int> widths = natural_widths();
    while (sum(widths) > columns) {
        int& widest = *std::max_element(widths.begin(), widths.end());
        if (widest <= least_column) break;
        --widest;
    }
    return widths;
}

std::string TerminalTable::render(const std::vector<int>& widths, int columns) const {
    std::string out;
    const auto add_line = [&](std::string line) {
        trim_right(line);
        out += line;
        out += '\n';
    };
    const auto add_cells = [&](const std::vector<std::string>& cells, std::string_view colour,
                               std::size_t coloured) {
        std::vector<std::vector<std::string>> lines;
        std::size_t height = 0;
        for (std::size_t column = 0; column < cells.size(); ++column) {
            lines.push_back(wrapped(cells[column], widths[column]));
            height = std::max(height, lines.back().size());
        }
        for (std::size_t at = 0; at < height; ++at) {
            std::string line;
            for (std::size_t column = 0; column < cells.size(); ++column) {
                const std::string cell = at < lines[column].size() ? lines[column][at] : std::string();
                const bool colours = !colour.empty() && column == coloured && !cell.empty();
                if (column > 0) line.append(gap, ' ');
                if (colours) line += colour;
                line += cell;
                if (colours) line += reset_colour;
                line += padded("", widths[column] - display_width(cell));
            }
            add_line(std::move(line));
        }
    };
    add_cells(headings_, {}, 0);
    std::string rule;
    for (int i = 0; i < std::min(sum(widths), columns); ++i) rule += "─";
    add_line(std::move(rule));
    for (const Row& row : rows_) {
        add_cells(row.cells, row.colour, row.coloured);
        for (const std::string& remark : row.remarks) {
            for (const std::string& line : wrapped(remark, columns - remark_indent)) {
                add_line(std::string(remark_indent, ' ') + line);
            }
        }
    }
    return out;
}

}  // namespace assay
