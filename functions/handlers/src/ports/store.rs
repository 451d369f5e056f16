use std::future::Future;

use super::PortError;
use crate::records::{Key, Partition, Record, Sort};

/// How many rows one transaction may write or check.
///
/// Source: DynamoDB, `TransactWriteItems`: at most 100 items.
pub const WRITES_MAX: usize = 100;

/// Durable rows: conditional and transactional writes, ordered reads within one partition.
///
/// No more than a DynamoDB table can do: rows stay under 400 KB.
pub trait Store: Sync {
    /// Reads one row; sees every commit that returned before.
    ///
    /// # Errors
    /// [`PortError::Corrupt`] when the row can't be read back, or a passing failure.
    fn get(&self, key: Key) -> impl Future<Output = Result<Option<Stored>, PortError>> + Send;

    /// Reads up to 100 rows, in the order of the keys.
    ///
    /// # Errors
    /// As [`Store::get`]; [`PortError::Invalid`] for more than 100 keys.
    fn get_many(
        &self,
        keys: Vec<Key>,
    ) -> impl Future<Output = Result<Vec<Option<Stored>>, PortError>> + Send;

    /// Reads rows of one partition in order; fewer than the limit means that no more follow.
    ///
    /// # Errors
    /// As [`Store::get`].
    fn range(&self, range: Range) -> impl Future<Output = Result<Vec<Stored>, PortError>> + Send;

    /// Writes all or nothing; the stamp that comes back is on all the rows that it put.
    ///
    /// # Errors
    /// [`PortError::Conflict`] when an expectation does not hold; [`PortError::Invalid`] for more
    /// than [`WRITES_MAX`] writes or two of one key; [`PortError::TimedOut`] when it may have been
    /// done.
    fn commit(
        &self,
        transaction: Transaction,
    ) -> impl Future<Output = Result<Version, PortError>> + Send;
}

/// The stamp of the commit that wrote a row: unique to the commit, compared for equality only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version(pub u128);

/// A row as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The row.
    pub record: Record,
    /// Its stamp.
    pub version: Version,
}

/// Rows of one partition, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// The partition.
    pub partition: Partition,
    /// The first sort key.
    pub from: Sort,
    /// The last sort key, itself included.
    pub to: Sort,
    /// From the last to the first.
    pub reverse: bool,
    /// At most so many rows.
    pub limit: usize,
}

/// Writes that happen together or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transaction {
    /// The writes, no two of one key.
    pub writes: Vec<Write>,
}

/// One write of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Puts a row under its key.
    Put(Box<Record>, Expect),
    /// Removes a row.
    Delete(Key, Expect),
    /// Changes nothing, but the expectation must hold.
    Check(Key, Expect),
}

/// What must be so for a write to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// There is no such row.
    Absent,
    /// The row has this stamp.
    Version(Version),
    /// No condition: for a row whose owner is checked beside it.
    Owned,
}

impl Transaction {
    /// Adds a row that must not exist yet.
    pub fn create(&mut self, record: Record) {
        self.writes.push(Write::Put(Box::new(record), Expect::Absent));
    }

    /// Replaces a row that must be as it was read.
    pub fn replace(&mut self, record: Record, version: Version) {
        self.writes.push(Write::Put(Box::new(record), Expect::Version(version)));
    }

    /// Puts a row whose owner is checked beside it.
    pub fn put(&mut self, record: Record) {
        self.writes.push(Write::Put(Box::new(record), Expect::Owned));
    }

    /// Removes a row.
    pub fn delete(&mut self, key: Key, expect: Expect) {
        self.writes.push(Write::Delete(key, expect));
    }

    /// Asks that a row is as it was read.
    pub fn check(&mut self, key: Key, version: Version) {
        self.writes.push(Write::Check(key, Expect::Version(version)));
    }

    /// Asks that there is no such row.
    pub fn check_absent(&mut self, key: Key) {
        self.writes.push(Write::Check(key, Expect::Absent));
    }
}
