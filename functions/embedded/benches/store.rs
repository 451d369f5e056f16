//! How many durable commits a second the store on one machine does: a row and its effect each.
//!
//! `sequential` waits for each commit before the next; `together` has 100 callers at once, which
//! share commits; `large` writes 100 rows in one transaction.

#![expect(clippy::unwrap_used, reason = "a bench is no test to clippy, and ends like one")]

use std::{path::Path, sync::Arc};

use chrono::DateTime;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use crossvault_core::{
    ids::{AccountId, EffectId, JobId, VaultId},
    job::State,
    upkeep::Prune,
};
use crossvault_embedded::store::SqliteStore;
use crossvault_handlers::{
    ports::{Message, Store, Transaction},
    records::{Job, JobWork, Outbox, Record, Send},
};
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinSet,
};

/// Callers, and rows of a large transaction.
const MANY: u64 = 100;

/// A job's step as it is stored: the job again, and a new effect.
fn step(transaction: &mut Transaction, n: u64) {
    let id = JobId::derive(&[&(n % 1_000).to_string()]);
    let account = "1000000000000012".parse::<AccountId>().unwrap();
    let work = JobWork::Prune(Prune { vault: VaultId::derive(&["bench"]) }, State::Queued);
    let job = Job::new(id.clone(), work, account.clone(), DateTime::UNIX_EPOCH);
    transaction.put(Record::Job(Box::new(job)));
    transaction.put(
        Outbox {
            id: EffectId::derive(&[&n.to_string()]),
            shard: 0,
            not_before: DateTime::UNIX_EPOCH,
            send: Send::Message { message: Message::TakeStep(id), group: account },
            attempts: 0,
            error: None,
        }
        .into(),
    );
}

async fn commit(store: &SqliteStore, steps: std::ops::Range<u64>) {
    let mut transaction = Transaction::default();
    steps.for_each(|n| step(&mut transaction, n));
    store.commit(transaction).await.unwrap();
}

fn durable_commits(criterion: &mut Criterion) {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let runtime: Runtime = Builder::new_current_thread().build().unwrap();
    let open =
        |name: &str| Arc::new(SqliteStore::create(&Path::new(dir.path()).join(name)).unwrap());
    let mut group = criterion.benchmark_group("store");
    let mut n = 0_u64;
    let mut take = |count: u64| {
        let from = n;
        n = n.wrapping_add(count);
        from..n
    };

    let store = open("sequential");
    group.throughput(Throughput::Elements(1));
    group.bench_function("sequential", |bench| {
        bench.iter(|| runtime.block_on(commit(&store, take(1))));
    });

    let store = open("together");
    group.throughput(Throughput::Elements(MANY));
    group.bench_function("together", |bench| {
        bench.iter(|| {
            runtime.block_on(async {
                let mut callers = JoinSet::new();
                for _ in 0..MANY {
                    let (store, steps) = (Arc::clone(&store), take(1));
                    callers.spawn(async move { commit(&store, steps).await });
                }
                callers.join_all().await;
            });
        });
    });

    let store = open("large");
    group.throughput(Throughput::Elements(MANY));
    group.bench_function("large", |bench| {
        bench.iter(|| runtime.block_on(commit(&store, take(MANY / 2))));
    });
    group.finish();
}

criterion_group!(benches, durable_commits);
criterion_main!(benches);
