//! What mistakes do to transactions and rows.

use crossvault_handlers::{
    ports::{Expect, Stored, Transaction, Write},
    records::{Job, Key, Record, Sort},
};

use crate::{call::Response, ports::Answer};

/// What a write puts.
pub(super) fn put(write: &Write) -> Option<&Record> {
    match write {
        Write::Put(record, _) => Some(record),
        Write::Delete(..) | Write::Check(..) => None,
    }
}

/// Which row a write removes.
pub(super) fn deleted(write: &Write) -> Option<&Key> {
    match write {
        Write::Delete(key, _) => Some(key),
        Write::Put(..) | Write::Check(..) => None,
    }
}

/// Leaves out the rows of a type.
pub(super) fn leave_out(transaction: &mut Transaction, is_it: impl Fn(&Record) -> bool) {
    transaction.writes.retain(|write| !put(write).is_some_and(&is_it));
}

/// Leaves rows where they are that were to go.
pub(super) fn leave(transaction: &mut Transaction, is_it: impl Fn(&Sort) -> bool) {
    transaction.writes.retain(|write| !deleted(write).is_some_and(|key| is_it(&key.sort)));
}

/// Drops all conditions on what is put.
pub(super) fn without_conditions(transaction: &mut Transaction) {
    transaction.writes.retain(|write| !matches!(write, Write::Check(..)));
    for write in &mut transaction.writes {
        match write {
            Write::Put(_, expect) | Write::Delete(_, expect) | Write::Check(_, expect) => {
                *expect = Expect::Owned;
            }
        }
    }
}

/// The rows that are put.
pub(super) fn records(transaction: &mut Transaction) -> impl Iterator<Item = &mut Record> {
    transaction.writes.iter_mut().filter_map(|write| match write {
        Write::Put(record, _) => Some(record.as_mut()),
        Write::Delete(..) | Write::Check(..) => None,
    })
}

/// Takes out the rows that are another transaction's.
pub(super) fn split(transaction: &mut Transaction, is_it: impl Fn(&Record) -> bool) -> Transaction {
    let writes = std::mem::take(&mut transaction.writes);
    let (taken, left) = writes.into_iter().partition(|write| put(write).is_some_and(&is_it));
    transaction.writes = left;
    Transaction { writes: taken }
}

/// The job that is put, if there is one.
pub(super) fn job(transaction: &Transaction) -> Option<&Job> {
    transaction.writes.iter().filter_map(put).find_map(|record| match record {
        Record::Job(job) => Some(job.as_ref()),
        _ => None,
    })
}

/// The rows that an answer shows.
pub(super) fn shown(answer: &mut Answer) -> Vec<&mut Stored> {
    match answer {
        Ok(Response::Row(Some(row))) => vec![row],
        Ok(Response::Range(rows)) => rows.iter_mut().collect(),
        Ok(Response::Rows(rows)) => rows.iter_mut().flatten().collect(),
        _ => Vec::new(),
    }
}
