//! Typed reads: another type under a key is damage, not a mystery.

use super::{
    key::{Key, Partition, Sort},
    row::Row,
};
use crate::ports::{PortError, Range, Store, Stored, Version};

/// Reads one row of a known type with its stamp.
///
/// # Errors
/// A port's error; [`PortError::Corrupt`] when another type lies under the key.
pub async fn read<R: Row>(ports: &impl Store, key: Key) -> Result<Option<(R, Version)>, PortError> {
    ports.get(key).await?.map(typed).transpose()
}

/// Reads rows of a known type, in the order of the keys; those that are missing are left out.
///
/// # Errors
/// As [`read`].
pub async fn read_all<R: Row>(
    ports: &impl Store,
    keys: Vec<Key>,
) -> Result<Vec<(R, Version)>, PortError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    ports.get_many(keys).await?.into_iter().flatten().map(typed).collect()
}

/// Reads rows of one partition between two places, both included, first ones first.
///
/// # Errors
/// As [`read`].
pub async fn scan<R: Row>(
    ports: &impl Store,
    partition: Partition,
    from: Sort,
    to: Sort,
    limit: usize,
) -> Result<Vec<(R, Version)>, PortError> {
    let range = Range { partition, from, to, reverse: false, limit };
    ports.range(range).await?.into_iter().map(typed).collect()
}

fn typed<R: Row>(stored: Stored) -> Result<(R, Version), PortError> {
    let version = stored.version;
    match R::try_from(stored.record) {
        Ok(row) => Ok((row, version)),
        Err(_) => Err(PortError::Corrupt {
            what: "a stored row".to_owned(),
            detail: format!("another type lies where {} belongs", R::NAME),
        }),
    }
}
