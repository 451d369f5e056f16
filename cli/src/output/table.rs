//! Tables that fit the terminal.

use comfy_table::{Attribute, Color, ContentArrangement, presets};

use super::printable;

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
            "COMPLETE" | "yes" | "authorized" => Color::Green,
            "PARTIAL_COMPLETE" | "EXPIRED" | "CANCELING" | "paused" => Color::Yellow,
            "FAILED" | "CANCELED" | "no" => Color::Red,
            "RUNNING" | "QUEUED" => Color::Cyan,
            _ => return text.into(),
        };
        Self { text: text.to_owned(), color: Some(color) }
    }
}

impl<T: ToString> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: printable(&text.to_string()), color: None }
    }
}

/// Rows under a header.
#[derive(Debug)]
pub struct Table {
    table: comfy_table::Table,
    has_colors: bool,
}

impl Table {
    pub(super) fn new<const N: usize>(
        header: [&str; N],
        has_colors: bool,
        is_terminal: bool,
    ) -> Self {
        let mut table = Self::properties(has_colors, is_terminal);
        table.table.set_header(header.map(|title| {
            let cell = comfy_table::Cell::new(title);
            if has_colors { cell.add_attribute(Attribute::Bold) } else { cell }
        }));
        table
    }

    pub(super) fn properties(has_colors: bool, is_terminal: bool) -> Self {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING);
        if is_terminal {
            table.set_content_arrangement(ContentArrangement::Dynamic);
        } else {
            // Whoever reads a file or a pipe wants whole lines.
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
        if has_colors {
            table.enforce_styling();
        }
        Self { table, has_colors }
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        let has_colors = self.has_colors;
        self.table.add_row(cells.map(|cell| {
            let shown = comfy_table::Cell::new(cell.text);
            match cell.color {
                Some(color) if has_colors => shown.fg(color),
                Some(_) | None => shown,
            }
        }));
    }

    /// The table as text; `nothing` when it has no row.
    pub fn text_or(mut self, nothing: &str) -> String {
        if self.table.is_empty() { nothing.to_owned() } else { self.text() }
    }

    /// The table as text.
    pub fn text(&mut self) -> String {
        for column in self.table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        let text = self.table.trim_fmt();
        text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }
}
