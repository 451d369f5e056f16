//! What every store must do, whatever lies beneath it.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
};

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::ids::{AccountId, JobId};
use crossvault_embedded::store::SqliteStore;
use crossvault_handlers::{
    ports::{Expect, FailedFile, PortError, Range, Store, Stored, Transaction, Version, Write},
    records::{AFTER_ALL, Failures, JobRef, Key, Partition, Record, Sort, Turn},
};
use crossvault_tests::memory_store::MemoryStore;

use crate::place::{folder, run};

/// Runs all that a store must do; each part on a store of its own.
pub async fn suite<S: Store>(make: impl Fn() -> S) {
    what_is_put_is_read_back(&make()).await;
    absent_holds_only_where_nothing_is(&make()).await;
    a_version_holds_only_for_its_row(&make()).await;
    owned_always_holds(&make()).await;
    a_failed_expectation_leaves_nothing_behind(&make()).await;
    rows_of_a_commit_share_a_stamp_of_its_own(&make()).await;
    a_row_that_went_and_came_back_has_another_stamp(&make()).await;
    a_check_changes_nothing(&make()).await;
    an_empty_transaction_is_fine(&make()).await;
    many_are_read_in_the_order_of_the_keys(&make()).await;
    ranges_hold_both_ends(&make()).await;
    ranges_stay_in_their_partition(&make()).await;
    too_much_is_refused_whole(&make()).await;
    of_commits_on_one_row_one_wins(&make()).await;
    of_commits_on_different_rows_all_win(&make()).await;
}

#[test]
fn the_plain_store_conforms() {
    run(suite(MemoryStore::default));
}

#[test]
fn sqlite_conforms() {
    let dir = folder();
    let count = std::cell::Cell::new(0_u32);
    run(suite(|| {
        count.set(count.get().saturating_add(1));
        SqliteStore::create(&dir.path().join(count.get().to_string())).unwrap()
    }));
}

fn account() -> AccountId {
    "1000000000000012".parse().unwrap()
}

fn job(n: u16) -> JobId {
    JobId::derive(&[&n.to_string()])
}

/// The n-th place of an account, held by a job.
fn turn(n: u16, holder: u16) -> Record {
    Turn { account: account(), n, job: job(holder) }.into()
}

fn turn_key(n: u16) -> Key {
    Key::turn(&account(), n)
}

fn at(second: u16) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH.checked_add_signed(TimeDelta::seconds(second.into())).unwrap()
}

fn job_ref(second: u16) -> Record {
    JobRef { account: account(), queued: at(second), job: job(second) }.into()
}

fn put(record: Record, expect: Expect) -> Transaction {
    Transaction { writes: vec![Write::Put(Box::new(record), expect)] }
}

fn delete(key: Key, expect: Expect) -> Transaction {
    Transaction { writes: vec![Write::Delete(key, expect)] }
}

async fn create(store: &impl Store, records: impl IntoIterator<Item = Record>) -> Version {
    let mut transaction = Transaction::default();
    records.into_iter().for_each(|record| transaction.create(record));
    store.commit(transaction).await.unwrap()
}

/// All rows of the account, in order.
async fn all(store: &impl Store) -> Vec<Stored> {
    let partition = Partition::Account(account());
    let (from, to) = (Sort::Account("".into()), Sort::Waiting(at(u16::MAX), AFTER_ALL.into()));
    let range = Range { partition, from, to, reverse: false, limit: 1_000 };
    store.range(range).await.unwrap()
}

fn is_invalid(end: &Result<Version, PortError>) -> bool {
    matches!(end, Err(PortError::Invalid(_)))
}

async fn what_is_put_is_read_back(store: &impl Store) {
    assert_eq!(store.get(turn_key(0)).await, Ok(None));
    let version = create(store, [turn(0, 7)]).await;
    let stored = Stored { record: turn(0, 7), version };
    assert_eq!(store.get(turn_key(0)).await, Ok(Some(stored)));

    let next = store.commit(put(turn(0, 8), Expect::Version(version))).await.unwrap();
    let stored = Stored { record: turn(0, 8), version: next };
    assert_eq!(store.get(turn_key(0)).await, Ok(Some(stored)));

    store.commit(delete(turn_key(0), Expect::Version(next))).await.unwrap();
    assert_eq!(store.get(turn_key(0)).await, Ok(None));
}

async fn absent_holds_only_where_nothing_is(store: &impl Store) {
    let conflict = Err(PortError::Conflict);
    store.commit(delete(turn_key(0), Expect::Absent)).await.unwrap();
    create(store, [turn(0, 7)]).await;
    assert_eq!(store.commit(put(turn(0, 7), Expect::Absent)).await, conflict);
    assert_eq!(store.commit(delete(turn_key(0), Expect::Absent)).await, conflict);
    let mut check = Transaction::default();
    check.check_absent(turn_key(0));
    assert_eq!(store.commit(check).await, conflict);
    let mut check = Transaction::default();
    check.check_absent(turn_key(1));
    assert!(store.commit(check).await.is_ok());
}

async fn a_version_holds_only_for_its_row(store: &impl Store) {
    let conflict = Err(PortError::Conflict);
    let first = create(store, [turn(0, 7)]).await;
    let other = create(store, [turn(1, 7)]).await;
    for wrong in [other, Version(0), Version(u128::MAX), Version(u128::from(u64::MAX))] {
        let expect = Expect::Version(wrong);
        assert_eq!(store.commit(put(turn(0, 8), expect)).await, conflict);
        assert_eq!(store.commit(delete(turn_key(0), expect)).await, conflict);
        assert_eq!(store.commit(put(turn(9, 8), expect)).await, conflict, "no row, no version");
        let mut check = Transaction::default();
        check.check(turn_key(0), wrong);
        assert_eq!(store.commit(check).await, conflict);
    }
    let second = store.commit(put(turn(0, 8), Expect::Version(first))).await.unwrap();
    assert_eq!(store.commit(put(turn(0, 9), Expect::Version(first))).await, conflict);
    assert!(store.commit(put(turn(0, 9), Expect::Version(second))).await.is_ok());
}

async fn owned_always_holds(store: &impl Store) {
    store.commit(delete(turn_key(0), Expect::Owned)).await.unwrap();
    store.commit(put(turn(0, 1), Expect::Owned)).await.unwrap();
    let version = store.commit(put(turn(0, 2), Expect::Owned)).await.unwrap();
    assert_eq!(store.get(turn_key(0)).await, Ok(Some(Stored { record: turn(0, 2), version })));
    store.commit(delete(turn_key(0), Expect::Owned)).await.unwrap();
    assert_eq!(store.get(turn_key(0)).await, Ok(None));
}

async fn a_failed_expectation_leaves_nothing_behind(store: &impl Store) {
    create(store, [turn(0, 7), turn(1, 7)]).await;
    let before = all(store).await;
    // Wherever it stands among the others.
    for place in 0..4 {
        let mut transaction = Transaction::default();
        transaction.put(turn(0, 8));
        transaction.delete(turn_key(1), Expect::Owned);
        transaction.create(turn(2, 8));
        let failing = Write::Check(turn_key(3), Expect::Version(Version(u128::MAX)));
        transaction.writes.insert(place, failing);
        assert_eq!(store.commit(transaction).await, Err(PortError::Conflict));
        assert_eq!(all(store).await, before);
    }
}

async fn rows_of_a_commit_share_a_stamp_of_its_own(store: &impl Store) {
    let mut stamps = Vec::new();
    for n in 0..20_u16 {
        let rows = [turn(n, 1), job_ref(n)];
        let keys: Vec<Key> = rows.iter().map(Record::key).collect();
        let version = create(store, rows).await;
        for stored in store.get_many(keys).await.unwrap() {
            assert_eq!(stored.unwrap().version, version);
        }
        assert!(!stamps.contains(&version));
        stamps.push(version);
        // What failed in between takes nothing from that.
        let conflict = store.commit(put(turn(n, 1), Expect::Absent)).await;
        assert_eq!(conflict, Err(PortError::Conflict));
    }
}

/// A counter for each row would start again, and a late writer would take the new row for the
/// one that it read.
async fn a_row_that_went_and_came_back_has_another_stamp(store: &impl Store) {
    let first = create(store, [turn(0, 7)]).await;
    store.commit(delete(turn_key(0), Expect::Version(first))).await.unwrap();
    let second = create(store, [turn(0, 7)]).await;
    assert_ne!(first, second);
    let late = store.commit(put(turn(0, 8), Expect::Version(first))).await;
    assert_eq!(late, Err(PortError::Conflict));
}

async fn a_check_changes_nothing(store: &impl Store) {
    let version = create(store, [turn(0, 7)]).await;
    let before = all(store).await;
    let mut transaction = Transaction::default();
    transaction.check(turn_key(0), version);
    transaction.check_absent(turn_key(1));
    transaction.writes.push(Write::Check(turn_key(2), Expect::Owned));
    assert!(store.commit(transaction).await.is_ok());
    assert_eq!(all(store).await, before);
}

async fn an_empty_transaction_is_fine(store: &impl Store) {
    assert!(store.commit(Transaction::default()).await.is_ok());
    assert_eq!(all(store).await, []);
}

async fn many_are_read_in_the_order_of_the_keys(store: &impl Store) {
    create(store, [turn(0, 1), turn(2, 1), job_ref(5)]).await;
    let asked = [turn_key(2), turn_key(1), job_ref(5).key(), turn_key(2), turn_key(0)];
    let found = store.get_many(asked.to_vec()).await.unwrap();
    let found: Vec<_> = found.into_iter().map(|row| row.map(|row| row.record)).collect();
    let twice = Some(turn(2, 1));
    assert_eq!(found, [twice.clone(), None, Some(job_ref(5)), twice, Some(turn(0, 1))]);
    assert_eq!(store.get_many(Vec::new()).await, Ok(Vec::new()));
    assert_eq!(store.get_many(vec![turn_key(0); 100]).await.unwrap().len(), 100);
    let more = store.get_many(vec![turn_key(0); 101]).await;
    assert!(matches!(more, Err(PortError::Invalid(_))));
}

async fn ranges_hold_both_ends(store: &impl Store) {
    create(store, (0..20).map(job_ref).chain([turn(0, 1), turn(300, 1)])).await;
    let ranged = async |from: Sort, to: Sort, reverse, limit| -> Vec<u16> {
        let partition = Partition::Account(account());
        let rows = store.range(Range { partition, from, to, reverse, limit }).await.unwrap();
        let second = |row: &Stored| (0..20).find(|n| row.record == job_ref(*n)).unwrap();
        rows.iter().map(second).collect()
    };
    let exact = |n: u16| Sort::Job(at(n), job(n).as_str().into());
    let before = |n: u16| Sort::Job(at(n), "".into());
    let after = |n: u16| Sort::Job(at(n), AFTER_ALL.into());
    assert_eq!(ranged(exact(3), exact(6), false, 99).await, [3, 4, 5, 6]);
    assert_eq!(ranged(exact(3), exact(6), true, 99).await, [6, 5, 4, 3]);
    assert_eq!(ranged(exact(3), exact(6), false, 2).await, [3, 4]);
    assert_eq!(ranged(exact(3), exact(6), true, 2).await, [6, 5]);
    assert_eq!(ranged(exact(3), exact(3), false, 1).await, [3]);
    assert_eq!(ranged(before(3), before(6), false, 99).await, [3, 4, 5]);
    assert_eq!(ranged(before(3), after(6), false, 99).await, [3, 4, 5, 6]);
    assert_eq!(ranged(after(3), after(6), true, 99).await, [6, 5, 4]);
    assert_eq!(ranged(exact(6), exact(3), false, 99).await, [] as [u16; 0]);
    assert_eq!(ranged(exact(3), exact(6), false, 0).await, [] as [u16; 0]);
    let (least, most) = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
    let (least, most) = (Sort::Job(least, "".into()), Sort::Job(most, AFTER_ALL.into()));
    assert_eq!(ranged(least, most, false, usize::MAX).await.len(), 20);
}

async fn ranges_stay_in_their_partition(store: &impl Store) {
    let other =
        |id: &str| -> Record { Turn { account: id.parse().unwrap(), n: 1, job: job(1) }.into() };
    // Neighbours in the order of the partitions, one a prefix of ours.
    let (shorter, next) = (other("100000000000001"), other("1000000000000013"));
    create(store, [shorter, next, turn(1, 2), job_ref(4)]).await;
    let found: Vec<Record> = all(store).await.into_iter().map(|row| row.record).collect();
    assert_eq!(found, [job_ref(4), turn(1, 2)]);
}

async fn too_much_is_refused_whole(store: &impl Store) {
    // 100 writes are fine, one more is not.
    create(store, (0..100).map(|n| turn(n, 1))).await;
    let mut more = Transaction::default();
    (0..101).for_each(|n| more.put(turn(n, 2)));
    assert!(is_invalid(&store.commit(more).await));
    assert_eq!(store.get(turn_key(100)).await, Ok(None));

    // Two of one key, whatever they do.
    let version = all(store).await[0].version;
    for second in [
        Write::Put(Box::new(turn(0, 3)), Expect::Owned),
        Write::Delete(turn_key(0), Expect::Owned),
        Write::Check(turn_key(0), Expect::Version(version)),
    ] {
        let mut twice = put(turn(0, 2), Expect::Owned);
        twice.writes.push(second);
        assert!(is_invalid(&store.commit(twice).await));
    }

    // A row beyond 400 KB, and rows beyond 4 MB together.
    let page = |page: u32, bytes: usize| -> Record {
        let message = "m".repeat(bytes);
        let file = FailedFile { path: "p".into(), code: "C".into(), message };
        Failures { job: job(0), page, files: vec![file] }.into()
    };
    let mut large = put(page(0, 410_000), Expect::Owned);
    large.create(turn(100, 2));
    assert!(is_invalid(&store.commit(large).await));
    let mut many = Transaction::default();
    (0..11).for_each(|n| many.create(page(n, 390_000)));
    assert!(is_invalid(&store.commit(many).await));
    assert_eq!(store.get(Key::failures(&job(0), 0)).await, Ok(None));
    let mut fine = Transaction::default();
    (0..10).for_each(|n| fine.create(page(n, 390_000)));
    assert!(store.commit(fine).await.is_ok());

    let found = all(store).await;
    assert_eq!(found.len(), 100);
    assert!(found.iter().all(|row| row.version == version));
}

async fn of_commits_on_one_row_one_wins(store: &impl Store) {
    let mut version = create(store, [turn(0, 0)]).await;
    for _ in 0..5 {
        let attempts = (1..=20_u16).map(|n| {
            let mut transaction = put(turn(0, n), Expect::Version(version));
            transaction.put(turn(n, n));
            store.commit(transaction)
        });
        let ends = together(attempts).await;
        let won: Vec<_> = ends.iter().filter_map(|end| end.as_ref().ok()).collect();
        assert_eq!(won.len(), 1);
        assert!(ends.iter().all(|end| !matches!(end, Err(error) if *error != PortError::Conflict)));
        version = *won[0];
        let written = all(store).await.into_iter().filter(|row| row.version == version);
        assert_eq!(written.count(), 2, "what the losers wrote beside it is not there");
    }
}

async fn of_commits_on_different_rows_all_win(store: &impl Store) {
    let commits = (0..300).map(|n| store.commit(put(turn(n, n), Expect::Absent)));
    let ends = together(commits).await;
    let mut stamps: Vec<u128> = ends.into_iter().map(|end| end.unwrap().0).collect();
    assert_eq!(all(store).await.len(), 300);
    stamps.sort_unstable();
    stamps.dedup();
    assert_eq!(stamps.len(), 300);
}

/// Runs futures at the same time, under any executor.
async fn together<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<Pin<Box<F>>> = futures.map(Box::pin).collect();
    let mut ends: Vec<Option<F::Output>> = running.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (future, end) in running.iter_mut().zip(&mut ends) {
            if end.is_none()
                && let Poll::Ready(value) = future.as_mut().poll(context)
            {
                *end = Some(value);
            }
        }
        if ends.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    ends.into_iter().flatten().collect()
}
