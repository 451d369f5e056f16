//! The fault matrix: for each place and each thing that can strike there, how the runs ended.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer, ser::SerializeSeq};

use super::strike::{Place, Strike, Struck};

/// How a run ended in which something struck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All is as it would have been without.
    Recovered,
    /// Not all is so, and nothing is wrong with that: jobs failed for these causes, if any.
    Ended(BTreeSet<String>),
    /// Not all is so although the system recovers from what struck: what the scenario comes to hangs
    /// on when things are done, or something is wrong.
    Marked,
    /// Something that must hold does not.
    Broken,
}

/// What became of the runs in which one thing struck at one place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// How many there were.
    pub runs: u64,
    /// How many of them had the same future as an earlier run and were not run to the end.
    pub same: u64,
    /// How many ended as without the strike.
    pub recovered: u64,
    /// How many ended otherwise, as they may.
    pub ended: u64,
    /// How many left a mark where they need not.
    pub marked: u64,
    /// How many broke what must hold.
    pub broken: u64,
    /// The causes that jobs failed for.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub causes: BTreeSet<String>,
    /// Why it can't strike there; none when it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impossible: Option<&'static str>,
}

impl Cell {
    /// Whether nothing was run, and nothing says that it can't be.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs == 0 && self.impossible.is_none()
    }

    fn add(&mut self, other: &Self) {
        let sum = |to: &mut u64, n: u64| *to = to.saturating_add(n);
        sum(&mut self.runs, other.runs);
        sum(&mut self.same, other.same);
        sum(&mut self.recovered, other.recovered);
        sum(&mut self.ended, other.ended);
        sum(&mut self.marked, other.marked);
        sum(&mut self.broken, other.broken);
        self.causes.extend(other.causes.iter().cloned());
        let is_run = self.runs > 0;
        self.impossible = self.impossible.or(other.impossible).filter(|_| !is_run);
    }
}

/// All cells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matrix {
    rows: BTreeMap<Place, BTreeMap<Strike, Cell>>,
}

impl Matrix {
    /// Its rows, each with its cells.
    pub fn rows(&self) -> impl Iterator<Item = (&Place, &BTreeMap<Strike, Cell>)> {
        self.rows.iter()
    }

    /// One cell.
    #[must_use]
    pub fn cell(&self, at: &Place, by: Strike) -> Option<&Cell> {
        self.rows.get(at)?.get(&by)
    }

    /// A place that exists, whether anything strikes there or not.
    pub fn expect(&mut self, at: Place) {
        self.rows.entry(at).or_default();
    }

    /// Something that can't strike at a place.
    pub fn declare(&mut self, at: Place, by: Strike, why: &'static str) {
        let impossible = Cell { impossible: Some(why), ..Cell::default() };
        self.at(at, by).add(&impossible);
    }

    /// One more run.
    pub fn count(&mut self, struck: Struck, outcome: &Outcome, is_same: bool) {
        let mut cell = Cell { runs: 1, same: u64::from(is_same), ..Cell::default() };
        match outcome {
            Outcome::Recovered => cell.recovered = 1,
            Outcome::Ended(causes) => (cell.ended, cell.causes) = (1, causes.clone()),
            Outcome::Marked => cell.marked = 1,
            Outcome::Broken => cell.broken = 1,
        }
        self.at(struck.at, struck.by).add(&cell);
    }

    /// What another share, or another scenario, has run.
    pub fn merge(&mut self, other: Self) {
        for (place, cells) in other.rows {
            let row = self.rows.entry(place).or_default();
            for (strike, cell) in cells {
                row.entry(strike).or_default().add(&cell);
            }
        }
    }

    /// What could strike somewhere and never did.
    #[must_use]
    pub fn empty(&self) -> Vec<Struck> {
        let of_row = |(at, cells): (&Place, &BTreeMap<Strike, Cell>)| {
            let is_empty = |by: &Strike| cells.get(by).is_none_or(Cell::is_empty);
            let empty = at.strikes().into_iter().filter(is_empty);
            empty.map(|by| Struck { at: at.clone(), by }).collect::<Vec<_>>()
        };
        self.rows.iter().flat_map(of_row).collect()
    }

    fn at(&mut self, at: Place, by: Strike) -> &mut Cell {
        self.rows.entry(at).or_default().entry(by).or_default()
    }
}

impl Serialize for Matrix {
    /// As a list of cells, each with its place and what strikes.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Entry<'a> {
            at: &'a Place,
            by: Strike,
            #[serde(flatten)]
            cell: &'a Cell,
        }
        let mut all = serializer.serialize_seq(None)?;
        for (at, cells) in &self.rows {
            for (by, cell) in cells {
                all.serialize_element(&Entry { at, by: *by, cell })?;
            }
        }
        all.end()
    }
}
