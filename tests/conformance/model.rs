//! SQLite against the plain store: the same random work gives the same answers.

use std::collections::BTreeMap;

use crossvault_embedded::store::SqliteStore;
use crossvault_handlers::{
    ports::{Expect, PortError, Range, Store, Stored, Transaction, Version, Write},
    records::{JobRef, Key, Outbox, Partition, Record, Sort, Turn, Waiting},
};
use crossvault_tests::memory_store::MemoryStore;
use proptest::{collection::vec, prelude::*, strategy::ValueTree, test_runner::TestRunner};

use crate::{
    place::{folder, run},
    records::Any,
};

/// One step of a random run; numbers choose among few rows, so that they meet.
#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<(u8, What, Condition)>),
    Get(Vec<u8>),
    Range { from: u8, to: u8, reverse: bool, limit: usize },
    Reopen,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Put(u64),
    Delete,
    Check,
}

#[derive(Clone, Copy, Debug)]
enum Condition {
    Absent,
    /// The present stamp, or one that never was.
    Present,
    /// The stamp that the row had when it was first seen.
    First,
    Owned,
}

fn any_steps() -> impl Strategy<Value = Vec<Step>> {
    let what = prop_oneof![3 => any::<u64>().prop_map(What::Put), 1 => Just(What::Delete), 1 => Just(What::Check)];
    let condition = prop_oneof![
        2 => Just(Condition::Absent),
        3 => Just(Condition::Present),
        1 => Just(Condition::First),
        2 => Just(Condition::Owned),
    ];
    let step = prop_oneof![
        8 => vec((0_u8..12, what, condition), 0..5).prop_map(Step::Commit),
        3 => vec(0_u8..14, 0..6).prop_map(Step::Get),
        4 => (0_u8..14, 0_u8..14, any::<bool>(), 0_usize..6)
            .prop_map(|(from, to, reverse, limit)| Step::Range { from, to, reverse, limit }),
        1 => Just(Step::Reopen),
    ];
    vec(step, 1..40)
}

/// The n-th row: most lie in one partition, of three types.
fn row(n: u8, seed: u64) -> Record {
    let account = || "1000000000000012".parse().unwrap();
    let at = format!("2026-07-27T03:00:00.{:09}Z", n / 2).parse().unwrap();
    let mut any = Any::new(seed);
    let job = crossvault_core::ids::JobId::derive(&[&any.below(9).to_string()]);
    match n {
        0..4 => Turn { account: account(), n: n.into(), job }.into(),
        4..7 => {
            let job = crossvault_core::ids::JobId::derive(&[&n.to_string()]);
            JobRef { account: account(), queued: at, job }.into()
        }
        7..10 => {
            let job = crossvault_core::ids::JobId::derive(&[&n.to_string()]);
            Waiting { account: account(), since: at, job }.into()
        }
        _ => {
            let Record::Outbox(outbox) = any.record(22) else { unreachable!() };
            let id = crossvault_core::ids::EffectId::derive(&[&n.to_string()]);
            Outbox { id, shard: 0, not_before: at, ..outbox }.into()
        }
    }
}

/// What two stores can agree on: rows with stamps told apart by the order of their first sight.
#[derive(Default)]
struct Seen {
    stamps: Vec<Version>,
    first: BTreeMap<u8, Version>,
}

impl Seen {
    fn number(&mut self, version: Version) -> usize {
        self.stamps.iter().position(|seen| *seen == version).unwrap_or_else(|| {
            self.stamps.push(version);
            self.stamps.len().saturating_sub(1)
        })
    }
}

/// An answer in words that are the same for both stores.
fn told(seen: &mut Seen, answer: Result<Vec<Option<Stored>>, PortError>) -> String {
    let answer = answer.map(|rows| {
        rows.into_iter()
            .map(|row| row.map(|row| (seen.number(row.version), row.record)))
            .collect::<Vec<_>>()
    });
    format!("{answer:?}")
}

async fn take(store: &impl Store, seen: &mut Seen, step: &Step) -> String {
    match step {
        Step::Commit(writes) => {
            let mut transaction = Transaction::default();
            for (n, what, condition) in writes {
                let key = row(*n, 0).key();
                let present = store.get(key.clone()).await.unwrap().map(|row| row.version);
                let never = Version(u128::MAX);
                let expect = match condition {
                    Condition::Absent => Expect::Absent,
                    Condition::Present => Expect::Version(present.unwrap_or(never)),
                    Condition::First => {
                        Expect::Version(seen.first.get(n).copied().unwrap_or(never))
                    }
                    Condition::Owned => Expect::Owned,
                };
                if let Some(present) = present {
                    seen.first.entry(*n).or_insert(present);
                }
                transaction.writes.push(match what {
                    What::Put(content) => Write::Put(Box::new(row(*n, *content)), expect),
                    What::Delete => Write::Delete(key, expect),
                    What::Check => Write::Check(key, expect),
                });
            }
            match store.commit(transaction).await {
                Ok(version) => format!("committed as {}", seen.number(version)),
                // The kind counts; the words are each store's own.
                Err(error) => crossvault_core::explain::Explain::code(&error).to_owned(),
            }
        }
        Step::Get(rows) => {
            let keys = rows.iter().map(|n| row(*n, 0).key()).collect();
            let answer = store.get_many(keys).await;
            told(seen, answer)
        }
        Step::Range { from, to, reverse, limit } => {
            let bound = |n: &u8| -> Sort {
                match n {
                    12 => Sort::Account("".into()),
                    13 => Sort::Waiting(chrono::DateTime::<chrono::Utc>::MAX_UTC, "".into()),
                    n => row(*n, 0).key().sort,
                }
            };
            let Key { partition, .. } = row(*from, 0).key();
            let partition = if *from >= 12 {
                Partition::Account("1000000000000012".parse().unwrap())
            } else {
                partition
            };
            let (reverse, limit) = (*reverse, *limit);
            let range = Range { partition, from: bound(from), to: bound(to), reverse, limit };
            let answer = store.range(range).await;
            told(seen, answer.map(|rows| rows.into_iter().map(Some).collect()))
        }
        Step::Reopen => String::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The plain store is right at sight; the one on disk must not be told from it.
    #[test]
    fn sqlite_answers_as_the_plain_store(steps in any_steps()) {
        let dir = folder();
        let file = dir.path().join("state.sqlite");
        let mut sqlite = SqliteStore::create(&file).unwrap();
        let plain = MemoryStore::default();
        let (mut of_sqlite, mut of_plain) = (Seen::default(), Seen::default());
        for step in &steps {
            if matches!(step, Step::Reopen) {
                sqlite.close();
                sqlite = SqliteStore::open(&file).unwrap();
            }
            let answer = run(take(&sqlite, &mut of_sqlite, step));
            prop_assert_eq!(answer, run(take(&plain, &mut of_plain, step)), "{:?}", step);
        }
    }
}

/// The law above proves something only if commits succeed and fail, and ranges find rows.
#[test]
fn random_runs_reach_each_end() {
    let mut runner = TestRunner::deterministic();
    let (mut committed, mut conflicts, mut invalid, mut ranges) = (0, 0, 0, 0);
    for _ in 0..50 {
        let steps = any_steps().new_tree(&mut runner).unwrap().current();
        let (plain, mut seen) = (MemoryStore::default(), Seen::default());
        for step in &steps {
            let answer = run(take(&plain, &mut seen, step));
            committed += i32::from(answer.starts_with("committed"));
            conflicts += i32::from(answer == "CONFLICT");
            invalid += i32::from(answer == "INVALID");
            ranges += i32::from(matches!(step, Step::Range { .. }) && answer.contains("Some"));
        }
    }
    let counts = [committed, conflicts, invalid, ranges];
    assert!(counts.iter().all(|count| *count >= 20), "{counts:?}");
}
