//! A store in memory that is plainly right: the test double that other stores are compared with.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crossvault_handlers::{
    ports::{Expect, PortError, Range, Store, Stored, Transaction, Version, WRITES_MAX, Write},
    records::{Key, codec},
};

/// Rows as values, in the order of their keys.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    rows: BTreeMap<Key, Stored>,
    stamp: u128,
}

impl MemoryStore {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    async fn get(&self, key: Key) -> Result<Option<Stored>, PortError> {
        Ok(self.state().rows.get(&key).cloned())
    }

    async fn get_many(&self, keys: Vec<Key>) -> Result<Vec<Option<Stored>>, PortError> {
        if keys.len() > 100 {
            return Err(PortError::Invalid("more than 100 keys".to_owned()));
        }
        let state = self.state();
        Ok(keys.iter().map(|key| state.rows.get(key).cloned()).collect())
    }

    async fn range(&self, range: Range) -> Result<Vec<Stored>, PortError> {
        let Range { partition, from, to, reverse, limit } = range;
        if from > to {
            return Ok(Vec::new());
        }
        let from = Key { partition: partition.clone(), sort: from };
        let to = Key { partition, sort: to };
        let state = self.state();
        let rows = state.rows.range(from..=to).map(|(_, row)| row.clone());
        Ok(if reverse { rows.rev().take(limit).collect() } else { rows.take(limit).collect() })
    }

    async fn commit(&self, transaction: Transaction) -> Result<Version, PortError> {
        check(&transaction)?;
        let mut state = self.state();
        if !transaction.writes.iter().all(|write| holds(&state, write)) {
            return Err(PortError::Conflict);
        }
        state.stamp = state.stamp.saturating_add(1);
        let version = Version(state.stamp);
        for write in transaction.writes {
            match write {
                Write::Put(record, _) => {
                    state.rows.insert(record.key(), Stored { record: *record, version });
                }
                Write::Delete(key, _) => {
                    state.rows.remove(&key);
                }
                Write::Check(..) => {}
            }
        }
        Ok(version)
    }
}

fn holds(state: &State, write: &Write) -> bool {
    let (key, expect) = match write {
        Write::Put(record, expect) => (record.key(), expect),
        Write::Delete(key, expect) | Write::Check(key, expect) => (key.clone(), expect),
    };
    let found = state.rows.get(&key).map(|row| row.version);
    match expect {
        Expect::Absent => found.is_none(),
        Expect::Version(version) => found == Some(*version),
        Expect::Owned => true,
    }
}

fn check(transaction: &Transaction) -> Result<(), PortError> {
    let writes = &transaction.writes;
    if writes.len() > WRITES_MAX {
        return Err(PortError::Invalid(format!("more than {WRITES_MAX} writes")));
    }
    let mut keys = BTreeSet::new();
    let mut bytes = 0_usize;
    for write in writes {
        let key = match write {
            Write::Put(record, _) => {
                bytes = bytes.saturating_add(codec::encode(record)?.len());
                record.key()
            }
            Write::Delete(key, _) | Write::Check(key, _) => key.clone(),
        };
        if !keys.insert(key) {
            return Err(PortError::Invalid("two writes of one key".to_owned()));
        }
    }
    if bytes > codec::TRANSACTION_BYTES_MAX {
        return Err(PortError::Invalid("more than 4 MB".to_owned()));
    }
    Ok(())
}
