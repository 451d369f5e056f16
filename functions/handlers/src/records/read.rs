//! Typed reads: another type under a key is damage, not a mystery.

use super::{
    key::{Key, Partition, Sort},
    row::Row,
};
use crate::ports::{PortError, Range, Store, Stored, Version};

/// How many rows of a longer list are read at a time.
const PAGE: usize = 100;

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

/// Reads all rows of a known type between two places of a partition, both included.
///
/// # Errors
/// As [`read`].
pub async fn scan_all<R: Row>(
    ports: &impl Store,
    partition: Partition,
    mut from: Sort,
    to: Sort,
) -> Result<Vec<(R, Version)>, PortError> {
    let mut all = Vec::new();
    let mut is_first_page = true;
    loop {
        let (partition, to) = (partition.clone(), to.clone());
        let range = Range { partition, from, to, reverse: false, limit: PAGE };
        let page = ports.range(range).await?;
        let is_last_page = page.len() < PAGE;
        let last = page.last().map(|stored| stored.record.key().sort);
        // A further page begins with the row that the one before ended with.
        for stored in page.into_iter().skip(usize::from(!is_first_page)) {
            all.push(typed(stored)?);
        }
        match last {
            Some(last) if !is_last_page => from = last,
            _ => return Ok(all),
        }
        is_first_page = false;
    }
}

/// A row of a known type with its stamp; another type is damage.
pub(crate) fn typed<R: Row>(stored: Stored) -> Result<(R, Version), PortError> {
    let version = stored.version;
    match R::try_from(stored.record) {
        Ok(row) => Ok((row, version)),
        Err(_) => Err(PortError::Corrupt {
            what: "a stored row".to_owned(),
            detail: format!("another type lies where {} belongs", R::NAME),
        }),
    }
}
