//! Lists that are longer than one read.

use crate::{
    ports::{PortError, Range, Store, Version},
    records::{Key, Partition, Row, Sort, read_all},
};

/// How many rows are read at a time.
const PAGE: usize = 100;

/// Reads all rows of a known type between two places of a partition, both included.
///
/// # Errors
/// A failure of the store.
pub(super) async fn all<R: Row>(
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
            let version = stored.version;
            all.push((typed(stored.record)?, version));
        }
        match last {
            Some(last) if !is_last_page => from = last,
            _ => return Ok(all),
        }
        is_first_page = false;
    }
}

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
    rows.into_iter().map(|stored| typed(stored.record)).collect()
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

fn typed<R: Row>(record: crate::records::Record) -> Result<R, PortError> {
    R::try_from(record).map_err(|_| PortError::Corrupt {
        what: "a stored row".to_owned(),
        detail: format!("another type lies where {} belongs", R::NAME),
    })
}
