//! Tables that fit the terminal.

use comfy_table::{Attribute, Color, ColumnConstraint, ContentArrangement, Width, presets};

use super::printable;

/// The space after each column.
const PADDING: u16 = 2;

/// One field of a table.
#[derive(Clone, Debug)]
pub struct Cell {
    text: String,
    color: Option<Color>,
}

impl Cell {
    /// A status in the cloud's words, in the colour of how good it is.
    pub fn status(text: &str) -> Self {
        let color = match text {
            "COMPLETE" | "done" | "yes" => Color::Green,
            "PARTIAL_COMPLETE" | "EXPIRED" | "CANCELING" | "paused" => Color::Yellow,
            "FAILED" | "CANCELED" | "no" => Color::Red,
            "RUNNING" | "QUEUED" => Color::Cyan,
            _ => return text.into(),
        };
        Self { text: text.to_owned(), color: Some(color) }
    }

    /// What is wrong, in the colour of that.
    pub fn bad(text: &str) -> Self {
        Self { text: text.to_owned(), color: Some(Color::Red) }
    }
}

impl<T: ToString> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: printable(&text.to_string()), color: None }
    }
}

/// Rows under a header. No word is broken, so that ids can be copied.
#[derive(Debug)]
pub struct Table {
    columns: Vec<Column>,
    has_header: bool,
    has_colors: bool,
    /// The terminal's; none where the whole width is wanted.
    width: Option<u16>,
    spare: Vec<&'static str>,
}

#[derive(Debug)]
struct Column {
    title: &'static str,
    cells: Vec<Cell>,
}

impl Table {
    pub(super) fn new<const N: usize>(
        header: [&'static str; N],
        has_colors: bool,
        width: Option<u16>,
    ) -> Self {
        let columns = header.map(|title| Column { title, cells: Vec::new() }).into();
        Self { columns, has_header: true, has_colors, width, spare: Vec::new() }
    }

    pub(super) fn properties(has_colors: bool, width: Option<u16>) -> Self {
        Self { has_header: false, ..Self::new(["", ""], has_colors, width) }
    }

    /// Names columns to leave out where the terminal is too narrow: the first one first.
    pub fn spare<const N: usize>(mut self, titles: [&'static str; N]) -> Self {
        self.spare = titles.into();
        self
    }

    /// Adds a row: a cell for each column.
    pub fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.cells.push(cell);
        }
    }

    /// The table as text; `nothing` when it has no row.
    pub fn text_or(self, nothing: &str) -> String {
        let is_empty = self.columns.iter().all(|column| column.cells.is_empty());
        if is_empty { nothing.to_owned() } else { self.text() }
    }

    /// The table as text.
    pub fn text(mut self) -> String {
        for title in self.spare.clone() {
            if self.width.is_none_or(|width| self.needs() <= width) {
                break;
            }
            self.columns.retain(|column| column.title != title);
        }
        let text = self.arranged().trim_fmt();
        text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }

    /// The width below which a word would be broken.
    fn needs(&self) -> u16 {
        self.columns.iter().map(Column::needs).fold(0, u16::saturating_add)
    }

    fn arranged(self) -> comfy_table::Table {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING);
        if self.has_colors {
            table.enforce_styling();
        }
        match self.width {
            Some(width) => {
                table.set_width(width.max(self.needs()));
                table.set_content_arrangement(ContentArrangement::Dynamic);
            }
            None => {
                table.set_content_arrangement(ContentArrangement::Disabled);
            }
        }
        let needs: Vec<u16> = self.columns.iter().map(Column::needs).collect();
        if self.has_header {
            table.set_header(self.columns.iter().map(|column| {
                let cell = comfy_table::Cell::new(column.title);
                if self.has_colors { cell.add_attribute(Attribute::Bold) } else { cell }
            }));
        }
        let mut columns: Vec<_> =
            self.columns.into_iter().map(|column| column.cells.into_iter()).collect();
        loop {
            let row: Vec<_> = columns.iter_mut().filter_map(Iterator::next).collect();
            if row.is_empty() {
                break;
            }
            table.add_row(row.into_iter().map(|cell| {
                let shown = comfy_table::Cell::new(cell.text);
                match cell.color {
                    Some(color) if self.has_colors => shown.fg(color),
                    Some(_) | None => shown,
                }
            }));
        }
        for (column, needs) in table.column_iter_mut().zip(needs) {
            column.set_padding((0, PADDING));
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(needs)));
        }
        table
    }
}

impl Column {
    /// The width of the longest word, and the space after it.
    fn needs(&self) -> u16 {
        let texts = self.cells.iter().map(|cell| cell.text.as_str());
        let words = texts.chain([self.title]).flat_map(str::split_whitespace);
        let longest = words.map(|word| word.chars().count()).max().unwrap_or(0);
        u16::try_from(longest).unwrap_or(u16::MAX).saturating_add(PADDING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(width: Option<u16>) -> String {
        let mut table =
            Table::new(["POINT", "TAKEN (UTC)", "ADDED"], false, width).spare(["ADDED"]);
        table.row(["s-0123456789".into(), "2026-01-31 02:00:00".into(), "1 KiB".into()]);
        table.text()
    }

    #[test]
    fn a_table_has_whole_lines_where_nobody_looks() {
        assert_eq!(
            table(None),
            "POINT         TAKEN (UTC)          ADDED\ns-0123456789  2026-01-31 02:00:00  1 KiB"
        );
    }

    #[test]
    fn a_narrow_table_wraps_between_words_and_leaves_spare_columns_out() {
        assert_eq!(
            table(Some(30)),
            "POINT         TAKEN (UTC)\ns-0123456789  2026-01-31\n              02:00:00"
        );
        // Narrower than its words it becomes wider than the terminal, and ids stay whole.
        assert!(table(Some(10)).contains("s-0123456789"));
        assert!(table(Some(80)).contains("1 KiB"));
    }
}
