//! The matrix as text, no wider than a terminal.

use std::{collections::BTreeMap, fmt};

use super::{Cell, Matrix, Place, Strike};

/// How wide the names of places may be.
const NAME: usize = 42;

/// A matrix to be printed: a table for calls, one for deliveries, one for starts.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a>(pub &'a Matrix);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds: [fn(&Place) -> bool; 3] = [
            |at| matches!(at, Place::Call(_)),
            |at| matches!(at, Place::Delivery(_)),
            |at| matches!(at, Place::Start(_)),
        ];
        for is_of_kind in kinds {
            let rows: Vec<_> = self.0.rows().filter(|(at, _)| is_of_kind(at)).collect();
            part(f, &rows)?;
        }
        let signs = "r recovered  c ended with its cause  b both  m left a mark  X broken";
        writeln!(f, "{signs}\n. can't be  ? empty")
    }
}

fn part(f: &mut fmt::Formatter<'_>, rows: &[(&Place, &BTreeMap<Strike, Cell>)]) -> fmt::Result {
    let Some((first, _)) = rows.first() else { return Ok(()) };
    let strikes = first.strikes();
    heads(f, &strikes)?;
    for (at, cells) in rows {
        let name: String = at.to_string().chars().take(NAME).collect();
        write!(f, "{name:NAME$} ")?;
        for (n, strike) in strikes.iter().enumerate() {
            gap(f, n)?;
            write!(f, "{}", sign(cells.get(strike)))?;
        }
        let runs: u64 = cells.values().map(|cell| cell.runs).sum();
        writeln!(f, " {runs:6}")?;
    }
    writeln!(f)
}

/// The names of the columns, from the top down.
fn heads(f: &mut fmt::Formatter<'_>, strikes: &[Strike]) -> fmt::Result {
    let height = strikes.iter().map(|strike| strike.name().len()).max().unwrap_or(0);
    for line in 0..height {
        let mut text = String::new();
        for (n, strike) in strikes.iter().enumerate() {
            if n > 0 && n.is_multiple_of(5) {
                text.push(' ');
            }
            // All end in the last line.
            let skipped = height.saturating_sub(strike.name().len());
            let letter = line.checked_sub(skipped).and_then(|n| strike.name().chars().nth(n));
            text.push(letter.unwrap_or(' '));
        }
        writeln!(f, "{:NAME$} {}", "", text.trim_end())?;
    }
    Ok(())
}

fn gap(f: &mut fmt::Formatter<'_>, n: usize) -> fmt::Result {
    if n > 0 && n.is_multiple_of(5) { f.write_str(" ") } else { Ok(()) }
}

fn sign(cell: Option<&Cell>) -> char {
    let Some(cell) = cell.filter(|cell| !cell.is_empty()) else { return '?' };
    match (cell.broken, cell.marked, cell.recovered, cell.ended) {
        (1.., ..) => 'X',
        (0, 1.., ..) => 'm',
        (0, 0, 0, 0) => '.',
        (0, 0, _, 0) => 'r',
        (0, 0, 0, _) => 'c',
        (0, 0, ..) => 'b',
    }
}
