use std::collections::BTreeSet;

use super::{CodecError, Place, encode, record::BODY_BYTES_MAX};
use crate::{
    ports::{Expect, FailedFile, Transaction, WRITES_MAX, Write},
    records::Record,
};

/// How long all rows of one transaction may be together.
///
/// Source: DynamoDB, `TransactWriteItems`: at most 4 MB.
pub const TRANSACTION_BYTES_MAX: usize = 4_000_000;

/// Source: DynamoDB, "Constraints": a partition key's length.
const PARTITION_BYTES_MAX: usize = 2048;

/// Source: DynamoDB, "Constraints": a sort key's length.
const SORT_BYTES_MAX: usize = 1024;

/// How many failed files one page holds at most.
const FAILURES_MAX: usize = 100;

/// One write of a transaction, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenRow {
    /// The row's key.
    pub place: Place,
    /// What must be so.
    pub expect: Expect,
    /// What becomes of it.
    pub change: Change,
}

/// What a write does to its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The row becomes this.
    Put {
        /// The record's JSON.
        body: String,
        /// Whether it is an effect that waits to be carried out.
        is_outbox: bool,
    },
    /// The row goes.
    Delete,
    /// Nothing.
    Check,
}

/// Writes a transaction down, and refuses one that some store could not take.
///
/// # Errors
/// [`CodecError::Unlawful`] for more than [`WRITES_MAX`] writes or two of one key,
/// [`CodecError::TooLarge`] for a row, key or transaction beyond its limit.
pub fn write_down(transaction: &Transaction) -> Result<Vec<WrittenRow>, CodecError> {
    let writes = &transaction.writes;
    if writes.len() > WRITES_MAX {
        let message = format!("a transaction of {} writes; {WRITES_MAX} is most", writes.len());
        return Err(CodecError::Unlawful(message));
    }
    let rows = writes.iter().map(written).collect::<Result<Vec<_>, _>>()?;
    let mut seen = BTreeSet::new();
    let mut bytes = 0_usize;
    for row in &rows {
        if !seen.insert(&row.place) {
            return Err(CodecError::Unlawful(format!("two writes of `{}`", row.place)));
        }
        check_length("a partition", row.place.partition.len(), PARTITION_BYTES_MAX)?;
        check_length("a sort key", row.place.sort.len(), SORT_BYTES_MAX)?;
        if let Change::Put { body, .. } = &row.change {
            bytes = bytes.saturating_add(body.len());
        }
    }
    check_length("a transaction", bytes, TRANSACTION_BYTES_MAX)?;
    Ok(rows)
}

/// How many of the first files fit into one page of a job's failures: at least one, at most 100.
#[must_use]
pub fn failures_in_a_page(files: &[FailedFile]) -> usize {
    /// Room for the job, the page's number and the document around them.
    const AROUND_BYTES: usize = 1000;
    let mut bytes = AROUND_BYTES;
    let fits = |file: &&FailedFile| {
        let json = serde_json::to_string(file).map_or(usize::MAX, |json| json.len());
        bytes = bytes.saturating_add(json).saturating_add(1);
        bytes <= BODY_BYTES_MAX
    };
    let count = files.iter().take(FAILURES_MAX).take_while(fits).count();
    if files.is_empty() { 0 } else { count.max(1) }
}

fn written(write: &Write) -> Result<WrittenRow, CodecError> {
    let (place, expect, change) = match write {
        Write::Put(record, expect) => {
            let is_outbox = matches!(**record, Record::Outbox(_));
            let change = Change::Put { body: encode(record)?, is_outbox };
            (Place::from(&record.key()), *expect, change)
        }
        Write::Delete(key, expect) => (Place::from(key), *expect, Change::Delete),
        Write::Check(key, expect) => (Place::from(key), *expect, Change::Check),
    };
    Ok(WrittenRow { place, expect, change })
}

fn check_length(what: &str, bytes: usize, bytes_max: usize) -> Result<(), CodecError> {
    if bytes > bytes_max {
        return Err(CodecError::TooLarge { what: what.to_owned(), bytes, bytes_max });
    }
    Ok(())
}
