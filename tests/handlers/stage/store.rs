//! Rows in the order of their keys, all or nothing.

use std::collections::BTreeSet;

use crossvault_handlers::{
    ports::{Expect, PortError, Range, Store, Stored, Transaction, Version, WRITES_MAX, Write},
    records::{JobWork, Key, Record},
};

use super::{Stage, State};

impl Store for Stage {
    async fn get(&self, key: Key) -> Result<Option<Stored>, PortError> {
        self.call("get", |state| Ok(state.rows.get(&key).cloned())).await
    }

    async fn get_many(&self, keys: Vec<Key>) -> Result<Vec<Option<Stored>>, PortError> {
        assert!(keys.len() <= 100);
        self.call("get_many", |state| {
            Ok(keys.iter().map(|key| state.rows.get(key).cloned()).collect())
        })
        .await
    }

    async fn range(&self, range: Range) -> Result<Vec<Stored>, PortError> {
        self.call("range", |state| {
            let Range { partition, from, to, reverse, limit } = range;
            if from > to {
                return Ok(Vec::new());
            }
            let from = Key { partition: partition.clone(), sort: from };
            let to = Key { partition, sort: to };
            let rows = state.rows.range(from..=to).map(|(_, row)| row.clone());
            Ok(if reverse { rows.rev().take(limit).collect() } else { rows.take(limit).collect() })
        })
        .await
    }

    async fn commit(&self, transaction: Transaction) -> Result<Version, PortError> {
        self.call("commit", |state| state.commit(transaction)).await
    }
}

impl State {
    fn commit(&mut self, transaction: Transaction) -> Result<Version, PortError> {
        assert!(transaction.writes.len() <= WRITES_MAX);
        let mut keys = BTreeSet::new();
        for write in &transaction.writes {
            let (key, expect) = match write {
                Write::Put(record, expect) => (record.key(), expect),
                Write::Delete(key, expect) | Write::Check(key, expect) => (key.clone(), expect),
            };
            let found = self.rows.get(&key).map(|row| row.version);
            let holds = match expect {
                Expect::Absent => found.is_none(),
                Expect::Version(version) => found == Some(*version),
                Expect::Owned => true,
            };
            if !holds {
                return Err(PortError::Conflict);
            }
            assert!(keys.insert(key), "two writes of one key: {transaction:?}");
        }
        self.check_gate(&transaction);
        self.stamp += 1;
        let version = Version(self.stamp);
        for write in transaction.writes {
            match write {
                Write::Put(record, _) => {
                    self.rows.insert(record.key(), Stored { record: *record, version });
                }
                Write::Delete(key, _) => {
                    self.rows.remove(&key);
                }
                Write::Check(..) => {}
            }
        }
        Ok(version)
    }

    /// No job but the prune itself begins while a prune has the vault, and no point is recorded of
    /// data that began under another epoch.
    fn check_gate(&self, transaction: &Transaction) {
        let gate = |vault| match self.rows.get(&Key::gate(vault)).map(|row| &row.record) {
            Some(Record::Gate(row)) => row.gate.clone(),
            other => panic!("no gate: {other:?}"),
        };
        for write in &transaction.writes {
            let Write::Put(record, expect) = write else { continue };
            match &**record {
                Record::Point(row) if *expect == Expect::Absent => {
                    let mut data = self.transfers.data.iter();
                    let datum = data.find(|datum| datum.snapshot == row.0.snapshot).unwrap();
                    assert_eq!(datum.sealed.epoch, gate(&row.0.vault).epoch, "{datum:?}");
                }
                Record::Job(job) if !matches!(job.work, JobWork::Prune(..)) => {
                    let before = self.rows.get(&Key::job(&job.id)).map(|row| &row.record);
                    let is_claim =
                        matches!(before, Some(Record::Job(old)) if old.fence < job.fence);
                    let prune = if is_claim { gate(job.work.vault()).prune } else { None };
                    assert_eq!(prune, None, "{} is claimed", job.id);
                }
                _ => {}
            }
        }
    }
}
