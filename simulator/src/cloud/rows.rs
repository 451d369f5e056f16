//! The store: rows as values, in the order of their keys, all or nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::Arc,
};

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
        check(&transaction)?;
        if !transaction.writes.iter().all(|write| self.holds(write)) {
            return Err(PortError::Conflict);
        }
        self.stamp = self.stamp.saturating_add(1);
        let version = Version(self.stamp);
        let mut changes = Vec::with_capacity(transaction.writes.len());
        for write in transaction.writes {
            match write {
                Write::Put(record, _) => {
                    let key = record.key();
                    let after = Arc::new(Stored { record: *record, version });
                    let before = self.rows.insert(key.clone(), Arc::clone(&after));
                    changes.push(RowChange { key, before, after: Some(after) });
                }
                Write::Delete(key, _) => {
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

    fn holds(&self, write: &Write) -> bool {
        let found = |key: &Key| self.rows.get(key).map(|row| row.version);
        let (expect, found) = match write {
            Write::Put(_, Expect::Owned) => return true,
            Write::Put(record, expect) => (expect, found(&record.key())),
            Write::Delete(key, expect) | Write::Check(key, expect) => (expect, found(key)),
        };
        match expect {
            Expect::Absent => found.is_none(),
            Expect::Version(version) => found == Some(*version),
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

fn check(transaction: &Transaction) -> Result<(), PortError> {
    if transaction.writes.len() > WRITES_MAX {
        return Err(PortError::Invalid(format!("more than {WRITES_MAX} writes")));
    }
    let mut keys = BTreeSet::new();
    for write in &transaction.writes {
        let key = match write {
            Write::Put(record, _) => record.key(),
            Write::Delete(key, _) | Write::Check(key, _) => key.clone(),
        };
        if !keys.insert(key) {
            return Err(PortError::Invalid("two writes of one key".to_owned()));
        }
    }
    Ok(())
}
