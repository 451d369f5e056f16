//! Lists that are longer than one read.

use crate::{
    ports::{PortError, Range, Store, Version},
    records::{Key, Partition, Row, Sort, read_all, typed},
};

/// How many rows are read at a time.
const PAGE: usize = 100;

/// Reads the newest rows of a known type between two places of a partition, the last one first.
///
/// # Errors
/// A failure of the store.
pub(super) async fn newest<R: Row>(
    ports: &impl Store,
    partition: Partition,
    from: Sort,
    to: Sort,
    limit: usize,
) -> Result<Vec<R>, PortError> {
    let range = Range { partition, from, to, reverse: true, limit };
    let rows = ports.range(range).await?;
    rows.into_iter().map(|stored| Ok(typed(stored)?.0)).collect()
}

/// Reads any number of rows of a known type, in the order of the keys; missing ones are left out.
///
/// # Errors
/// A failure of the store.
pub(super) async fn many<R: Row>(
    ports: &impl Store,
    keys: Vec<Key>,
) -> Result<Vec<(R, Version)>, PortError> {
    let mut rows = Vec::with_capacity(keys.len());
    for keys in keys.chunks(PAGE) {
        rows.extend(read_all(ports, keys.to_vec()).await?);
    }
    Ok(rows)
}
