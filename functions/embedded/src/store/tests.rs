use std::path::PathBuf;

use crossvault_core::explain::Explain;
use crossvault_handlers::records::{NameOf, NameRef, Record};

use super::*;

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn name(name: &str) -> Record {
    let id = "v-00000000000000000000".parse().unwrap();
    NameRef::Vault { name: name.to_owned(), id }.into()
}

fn create(store: &SqliteStore, text: &str) -> Result<Version, PortError> {
    let mut transaction = Transaction::default();
    transaction.create(name(text));
    run(store.commit(transaction))
}

fn is_there(store: &SqliteStore, text: &str) -> bool {
    run(store.get(Key::name(NameOf::Vault, text))).unwrap().is_some()
}

fn store() -> (tempfile::TempDir, SqliteStore) {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::create(&PathBuf::from(dir.path()).join("state.sqlite")).unwrap();
    (dir, store)
}

/// SQLite's own bound on the file's length stands for the disk's.
fn limit_pages(store: &SqliteStore, pages: i64) {
    run(store.read(move |db| Ok(db.pragma_update(None, "max_page_count", pages)?))).unwrap();
}

#[test]
fn a_full_disk_is_told_and_what_was_committed_stays() {
    let (_dir, store) = store();
    limit_pages(&store, 14);
    let text = |n: u32| format!("{n:0>300}");
    let (n, error) = (0..200).find_map(|n| Some((n, create(&store, &text(n)).err()?))).unwrap();
    assert_eq!(error.code(), "FULL", "{error}");
    assert!(error.to_string().contains("state.sqlite"), "{error}");
    assert!(n > 0);
    assert!((0..n).all(|n| is_there(&store, &text(n))));
    assert!(!is_there(&store, &text(n)));

    // With space again, it goes on.
    limit_pages(&store, 100);
    assert!(create(&store, &text(n)).is_ok());
    assert!(is_there(&store, &text(n)));
}

/// Nobody is told of a success that the group's commit did not have.
#[test]
fn a_group_of_which_one_fills_the_disk_tells_each_the_truth() {
    let (_dir, store) = store();
    limit_pages(&store, 40);
    let text = |n: u32| format!("{n:0>400}");
    let mut ends = Vec::new();
    run(async {
        let mut commits: Vec<_> = (0..200)
            .map(|n| {
                let mut transaction = Transaction::default();
                transaction.create(name(&text(n)));
                Box::pin(store.commit(transaction))
            })
            .collect();
        std::future::poll_fn(|context| {
            // All are sent before the first is waited for.
            ends = commits.iter_mut().map(|commit| commit.as_mut().poll(context)).collect();
            std::task::Poll::Ready(())
        })
        .await;
        for (commit, end) in commits.into_iter().zip(&mut ends) {
            if end.is_pending() {
                *end = std::task::Poll::Ready(commit.await);
            }
        }
    });
    let is_ok = |end: &std::task::Poll<Result<Version, PortError>>| match end {
        std::task::Poll::Ready(end) => end.is_ok(),
        std::task::Poll::Pending => false,
    };
    let kept: Vec<bool> = ends.iter().map(is_ok).collect();
    assert!(kept.iter().any(|kept| !kept));
    for (n, kept) in (0..).zip(kept) {
        assert_eq!(is_there(&store, &text(n)), kept, "{n}");
    }
}

/// What a task wrote before it was refused goes, and what its neighbours wrote stays.
#[test]
fn a_refused_task_leaves_nothing_in_its_group() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("state.sqlite");
    schema::create(&file).unwrap();
    let (db, stamp) = schema::open(&file).unwrap();
    let (notice, woken) = watch::channel(0);
    let counters = Arc::default();
    let engine = Engine::new(db, file.into(), stamp, Arc::clone(&counters), notice);
    let (requests, receiver) = mpsc::channel();
    let put = |key: &'static str, end: Result<(), PortError>| {
        let effect = Effect { rows: 1, wakes_outbox: end.is_err() };
        let (task, answer) = errand(effect, move |db, stamp| {
            db.execute("INSERT INTO world VALUES (?1, '')", [key])?;
            end?;
            Ok(stamp)
        });
        requests.send(Request::Write(task)).unwrap();
        answer
    };
    let answers = [
        put("a", Ok(())),
        put("b", Err(PortError::Conflict)),
        // SQLite refuses this one itself.
        put("a", Ok(())),
        put("c", Ok(())),
    ];
    let (look, seen) = errand(Effect::default(), |db, _| {
        Ok(db.query_row("SELECT count(*) FROM world", (), |row| row.get::<_, i64>(0))?)
    });
    requests.send(Request::Read(look)).unwrap();
    drop(requests);
    engine.run(&receiver);

    let [a, b, again, c] = answers.map(|answer| answer.blocking_recv().unwrap());
    assert_ne!(a.unwrap(), c.unwrap());
    assert_eq!(b, Err(PortError::Conflict));
    assert_eq!(again.unwrap_err().root_code(), "STATE_IO");
    assert_eq!(seen.blocking_recv().unwrap(), Ok(0), "a read does not see what is not committed");
    assert_eq!(*woken.borrow(), 0, "only what is kept wakes the outbox");
    assert_eq!(counters.commits.load(Ordering::Relaxed), 1);
    assert_eq!(counters.rows_written.load(Ordering::Relaxed), 2);
    let store = SqliteStore::open(&dir.path().join("state.sqlite")).unwrap();
    let keys: Vec<_> = run(store.world()).unwrap().into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["a", "c"]);
}
