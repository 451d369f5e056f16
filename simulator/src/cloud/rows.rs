//! The store: rows as values, in the order of their keys, all or nothing.

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use chrono::{DateTime, Utc};
use crossvault_handlers::{
    ports::{Expect, PortError, Range, Stored, Transaction, Version, WRITES_MAX, Write},
    records::{Key, Partition, Sort},
};

use super::RowChange;

/// All rows.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    rows: BTreeMap<Key, Arc<Stored>>,
    stamp: u128,
}

impl Rows {
    /// One row.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Arc<Stored>> {
        self.rows.get(key)
    }

    /// All rows in the order of their keys.
    pub fn all(&self) -> impl Iterator<Item = (&Key, &Arc<Stored>)> {
        self.rows.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Rows of one partition, in order.
    #[must_use]
    pub fn range(&self, range: Range) -> Vec<Stored> {
        let Range { partition, from, to, reverse, limit } = range;
        if from > to {
            return Vec::new();
        }
        let from = Key { partition: partition.clone(), sort: from };
        let to = Key { partition, sort: to };
        let rows = self.rows.range(from..=to).map(|(_, row)| Stored::clone(row));
        if reverse { rows.rev().take(limit).collect() } else { rows.take(limit).collect() }
    }

    /// When the first row of a partition that is ordered by time is due.
    #[must_use]
    pub fn first_at(&self, partition: &Partition) -> Option<DateTime<Utc>> {
        let sort = Sort::At(DateTime::<Utc>::MIN_UTC, "".into());
        let from = Key { partition: partition.clone(), sort };
        let (key, _) = self.rows.range((Bound::Included(from), Bound::Unbounded)).next()?;
        match &key.sort {
            Sort::At(at, _) if key.partition == *partition => Some(*at),
            _ => None,
        }
    }

    /// Carries out a transaction, and tells what it changed.
    ///
    /// # Errors
    /// `Conflict` when a condition does not hold; `Invalid` for what a table would not take.
    pub fn commit(
        &mut self,
        transaction: Transaction,
    ) -> Result<(Version, Vec<RowChange>), PortError> {
        let keys: Vec<Key> = transaction.writes.iter().map(key_of).collect();
        check(&keys)?;
        if !transaction.writes.iter().zip(&keys).all(|(write, key)| self.holds(write, key)) {
            return Err(PortError::Conflict);
        }
        self.stamp = self.stamp.saturating_add(1);
        let version = Version(self.stamp);
        let mut changes = Vec::with_capacity(keys.len());
        for (write, key) in transaction.writes.into_iter().zip(keys) {
            match write {
                Write::Put(record, _) => {
                    let after = Arc::new(Stored { record: *record, version });
                    let before = self.rows.insert(key.clone(), Arc::clone(&after));
                    changes.push(RowChange { key, before, after: Some(after) });
                }
                Write::Delete(..) => {
                    let before = self.rows.remove(&key);
                    changes.push(RowChange { key, before, after: None });
                }
                Write::Check(..) => {}
            }
        }
        Ok((version, changes))
    }

    /// Takes a row away, as nobody may: what storage damage does.
    pub fn lose(&mut self, key: &Key) {
        self.rows.remove(key);
    }

    fn holds(&self, write: &Write, key: &Key) -> bool {
        let (Write::Put(_, expect) | Write::Delete(_, expect) | Write::Check(_, expect)) = write;
        let found = || self.rows.get(key).map(|row| row.version);
        match expect {
            Expect::Absent => found().is_none(),
            Expect::Version(version) => found() == Some(*version),
            Expect::Owned => true,
        }
    }
}

impl FromIterator<Stored> for Rows {
    fn from_iter<I: IntoIterator<Item = Stored>>(rows: I) -> Self {
        let rows: BTreeMap<Key, Arc<Stored>> =
            rows.into_iter().map(|row| (row.record.key(), Arc::new(row))).collect();
        let stamp = rows.values().map(|row| row.version.0).max().unwrap_or(0);
        Self { rows, stamp }
    }
}

/// The row that is written.
pub(crate) fn key_of(write: &Write) -> Key {
    match write {
        Write::Put(record, _) => record.key(),
        Write::Delete(key, _) | Write::Check(key, _) => key.clone(),
    }
}

fn check(keys: &[Key]) -> Result<(), PortError> {
    if keys.len() > WRITES_MAX {
        return Err(PortError::Invalid(format!("more than {WRITES_MAX} writes")));
    }
    let mut sorted: Vec<&Key> = keys.iter().collect();
    sorted.sort_unstable();
    if sorted.iter().zip(sorted.iter().skip(1)).any(|(one, next)| one == next) {
        return Err(PortError::Invalid("two writes of one key".to_owned()));
    }
    Ok(())
}
