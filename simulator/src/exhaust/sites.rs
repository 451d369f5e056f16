//! The places that the handlers are known to have: what a matrix must have rows for.

use super::{Matrix, Place};

/// The list: a place a line, and behind a bar why no scenario of the corpus comes there.
///
/// `UPDATE_EXPECT=1 cargo test --test sim` adds places that were found and takes away bars that are
/// no longer true; a place that no longer exists is taken away by hand.
pub const SITES: &str = include_str!("sites.txt");

/// A place that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Known<'a> {
    /// The place.
    pub place: &'a str,
    /// Why no scenario comes there; none when one must.
    pub unreached: Option<&'a str>,
}

/// All places of a list.
pub fn known(list: &str) -> impl Iterator<Item = Known<'_>> {
    list.lines().map(|line| match line.split_once(" | ") {
        Some((place, why)) => Known { place, unreached: Some(why) },
        None => Known { place: line, unreached: None },
    })
}

/// How a matrix and a list differ, in sentences: places that the list does not know, and places to
/// which nothing came.
#[must_use]
pub fn differences(matrix: &Matrix, list: &str) -> Vec<String> {
    let rows: Vec<String> = matrix.rows().map(|(at, _)| at.to_string()).collect();
    let is_known = |row: &&String| known(list).any(|known| known.place == row.as_str());
    let new = rows.iter().filter(|row| !is_known(row)).map(|row| format!("{row}: not listed"));
    let missed = known(list)
        .filter(|known| known.unreached.is_none() && !rows.iter().any(|row| row == known.place))
        .map(|known| format!("{}: no scenario comes there", known.place));
    let found = known(list)
        .filter(|known| known.unreached.is_some() && rows.iter().any(|row| row == known.place))
        .map(|known| format!("{}: a scenario comes there after all", known.place));
    new.chain(missed).chain(found).collect()
}

/// The list as it should be after these rows were met.
#[must_use]
pub fn updated<'a>(places: impl IntoIterator<Item = &'a Place>, list: &str) -> String {
    let mut lines: Vec<String> = known(list)
        .map(|known| match known.unreached {
            Some(why) => format!("{} | {why}", known.place),
            None => known.place.to_owned(),
        })
        .collect();
    for place in places {
        let place = place.to_string();
        lines.retain(|line| line.split(" | ").next() != Some(&place));
        lines.push(place);
    }
    lines.sort_unstable();
    lines.push(String::new());
    lines.join("\n")
}
