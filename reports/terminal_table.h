#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace assay {

/// Text broken into lines of at most `width` terminal columns: at spaces, and between East Asian characters
/// but never before a closing mark. A word longer than a line is cut. Newlines break too; at least one line.
std::vector<std::string> wrapped(std::string_view text, int width);

/// The beginning of a text in at most `width` columns, with "…" when something was left out.
std::string shortened(std::string_view text, int width);

/// A text filled up with spaces to `width` columns.
std::string padded(std::string_view text, int width);

/// Rows of cells under headings, as lines of at most `columns` terminal columns. Cells are wrapped; the
/// widest columns give way first.
class TerminalTable {
  public:
    explicit TerminalTable(std::vector<std::string> headings) : headings_(std::move(headings)) {}

    /// A row; `colour` is an escape sequence for the cell in column `coloured`, empty for none. `remarks`
    /// stand below it, indented, over the whole width.
    struct Row {
        std::vector<std::string> cells;
        std::vector<std::string> remarks;
        std::string colour;
        std::size_t coloured = 0;
    };
    void add(Row row) { rows_.push_back(std::move(row)); }

    std::vector<int> natural_widths() const;
    /// Width of the whole table when nothing is wrapped.
    int natural_width() const;
    /// The columns' widths within `columns`: natural ones where they fit.
    std::vector<int> fitted_widths(int columns) const;
    std::string render(const std::vector<int>& widths, int columns) const;

  private:
    std::vector<std::string> headings_;
    std::vector<Row> rows_;
};

}  // namespace assay
