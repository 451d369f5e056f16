//! What only a store on disk can do: last, be damaged, be shared, fill the disk.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::{FileExt, PermissionsExt},
    path::Path,
    time::Duration,
};

use chrono::{DateTime, Utc};
use crossvault_core::explain::Explain;
use crossvault_embedded::{
    home::HomeError,
    store::{SqliteStore, StoredAlert, WorldWrite},
};
use crossvault_handlers::{
    ports::{Expect, Message, PortError, Store, Transaction, Version},
    records::{Key, NameOf, NameRef, Outbox, Record, Send},
};
use rusqlite::Connection;

use crate::place::{folder, run};

fn name(name: &str) -> Record {
    let id = "v-00000000000000000000".parse().unwrap();
    NameRef::Vault { name: name.to_owned(), id }.into()
}

fn effect() -> Record {
    let job = "job-00000000000000000000".parse().unwrap();
    let group = "1000000000000012".parse().unwrap();
    Outbox {
        id: "e-00000000000000000000".parse().unwrap(),
        shard: 0,
        not_before: DateTime::UNIX_EPOCH,
        send: Send::Message { message: Message::TakeStep(job), group },
        attempts: 0,
        error: None,
    }
    .into()
}

fn commit(store: &SqliteStore, record: Record) -> Result<Version, PortError> {
    let mut transaction = Transaction::default();
    transaction.put(record);
    run(store.commit(transaction))
}

fn get(store: &SqliteStore, name: &str) -> Result<Option<Record>, PortError> {
    Ok(run(store.get(Key::name(NameOf::Vault, name)))?.map(|stored| stored.record))
}

fn edit(file: &Path, sql: &str) {
    let db = Connection::open(file).unwrap();
    db.execute_batch(sql).unwrap();
    db.close().unwrap();
}

#[test]
fn what_was_committed_is_there_after_a_restart() {
    let dir = folder();
    let file = dir.path().join("state.sqlite");
    let store = SqliteStore::create(&file).unwrap();
    let first = commit(&store, name("gold")).unwrap();
    store.close();

    let store = SqliteStore::open(&file).unwrap();
    assert_eq!(get(&store, "gold"), Ok(Some(name("gold"))));
    // Stamps go on where they were.
    let second = commit(&store, name("gold")).unwrap();
    assert_ne!(first, second);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

/// A process that dies leaves file and log as they are at that moment.
#[test]
fn what_was_committed_is_there_after_a_crash() {
    let dir = folder();
    let file = dir.path().join("state.sqlite");
    let store = SqliteStore::create(&file).unwrap();
    let names: Vec<String> = (0..50).map(|n| format!("n{n}")).collect();
    for (n, text) in names.iter().enumerate() {
        commit(&store, name(text)).unwrap();
        if n % 10 == 9 {
            let copy = dir.path().join(format!("copy{n}.sqlite"));
            fs::copy(&file, &copy).unwrap();
            fs::copy(
                dir.path().join("state.sqlite-wal"),
                dir.path().join(format!("copy{n}.sqlite-wal")),
            )
            .unwrap();
            let crashed = SqliteStore::open(&copy).unwrap();
            for (m, text) in names.iter().enumerate() {
                assert_eq!(get(&crashed, text).unwrap().is_some(), m <= n, "{m} of {n}");
            }
        }
    }
}

/// A log that ends in the middle of a transaction ends before it.
#[test]
fn a_torn_log_holds_whole_transactions_only() {
    let dir = folder();
    let file = dir.path().join("state.sqlite");
    let store = SqliteStore::create(&file).unwrap();
    let log = dir.path().join("state.sqlite-wal");
    commit(&store, name("whole")).unwrap();
    let whole = fs::metadata(&log).unwrap().len();
    let mut transaction = Transaction::default();
    (0..100).for_each(|n| transaction.create(name(&format!("{n:0>400}"))));
    run(store.commit(transaction)).unwrap();
    let end = fs::metadata(&log).unwrap().len();
    assert!(end > whole);
    for cut in (whole..end).step_by(2_111).chain([end.saturating_sub(1)]) {
        let copy = dir.path().join(format!("copy{cut}.sqlite"));
        fs::copy(&file, &copy).unwrap();
        let copied = dir.path().join(format!("copy{cut}.sqlite-wal"));
        fs::copy(&log, &copied).unwrap();
        OpenOptions::new().write(true).open(&copied).unwrap().set_len(cut).unwrap();
        let torn = SqliteStore::open(&copy).unwrap();
        assert!(get(&torn, "whole").unwrap().is_some());
        for n in 0..100 {
            assert_eq!(get(&torn, &format!("{n:0>400}")), Ok(None), "cut at {cut} of {end}");
        }
    }
}

#[test]
fn a_damaged_file_is_named_and_left_as_it_is() {
    let dir = folder();
    let whole = dir.path().join("whole.sqlite");
    let store = SqliteStore::create(&whole).unwrap();
    for n in 0..200 {
        commit(&store, name(&format!("n{n:0>200}"))).unwrap();
    }
    store.close();
    let length = fs::metadata(&whole).unwrap().len();

    let file = dir.path().join("state.sqlite");
    let pages_overwritten = |from: u64, to: u64| {
        fs::copy(&whole, &file).unwrap();
        let handle = OpenOptions::new().write(true).open(&file).unwrap();
        let bytes = usize::try_from(to.saturating_sub(from)).unwrap();
        handle.write_all_at(&vec![0xa5; bytes], from).unwrap();
    };
    let no_database = || fs::write(&file, "not a database at all").unwrap();
    let cut_short = |to: u64| {
        fs::copy(&whole, &file).unwrap();
        OpenOptions::new().write(true).open(&file).unwrap().set_len(to).unwrap();
    };
    let damages: [&dyn Fn(); 6] = [
        &|| pages_overwritten(0, 4096),
        &|| pages_overwritten(4096, length),
        &|| pages_overwritten(length.saturating_sub(4096), length),
        &no_database,
        &|| cut_short(length.saturating_sub(4096)),
        &|| cut_short(0),
    ];
    for (n, damage) in damages.iter().enumerate() {
        damage();
        let before = fs::read(&file).unwrap();
        let error = SqliteStore::open(&file).unwrap_err();
        assert_eq!(error.code(), "STATE_DAMAGED", "{n}: {error}");
        assert!(error.to_string().contains("state.sqlite"), "{error}");
        assert!(error.remedy().contains("untouched"), "{}", error.remedy());
        assert_eq!(fs::read(&file).unwrap(), before, "{n}");
    }
}

/// The log of a damaged file may be what mends it: it is not merged into the damage.
#[test]
fn a_damaged_file_keeps_its_log() {
    let dir = folder();
    let file = dir.path().join("state.sqlite");
    let store = SqliteStore::create(&file).unwrap();
    for n in 0..200 {
        commit(&store, name(&format!("n{n:0>200}"))).unwrap();
    }
    store.close();
    let store = SqliteStore::open(&file).unwrap();
    commit(&store, name("in the log")).unwrap();
    let (damaged, log) = (dir.path().join("copy.sqlite"), dir.path().join("copy.sqlite-wal"));
    fs::copy(&file, &damaged).unwrap();
    fs::copy(dir.path().join("state.sqlite-wal"), &log).unwrap();
    let handle = OpenOptions::new().write(true).open(&damaged).unwrap();
    let length = handle.metadata().unwrap().len();
    handle.write_all_at(&[0xa5; 8192], length.saturating_sub(8192)).unwrap();
    let before = (fs::read(&damaged).unwrap(), fs::read(&log).unwrap());
    assert_eq!(SqliteStore::open(&damaged).unwrap_err().code(), "STATE_DAMAGED");
    assert!((fs::read(&damaged).unwrap(), fs::read(&log).unwrap()) == before);
}

#[test]
fn a_database_of_somebody_else_is_not_taken() {
    let dir = folder();
    let file = dir.path().join("state.sqlite");
    edit(&file, "CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1);");
    let before = fs::read(&file).unwrap();
    assert_eq!(SqliteStore::open(&file).unwrap_err().code(), "STATE_DAMAGED");
    assert_eq!(fs::read(&file).unwrap(), before);
    assert_eq!(SqliteStore::create(&file).unwrap_err().code(), "IO");
    assert_eq!(SqliteStore::open(&dir.path().join("none")).unwrap_err().code(), "IO");
    assert!(!dir.path().join("none").exists());
}

#[test]
fn a_newer_schema_is_refused() {
    let dir = folder();
    let file = dir.path().join("state.sqlite");
    SqliteStore::create(&file).unwrap().close();
    edit(&file, "PRAGMA user_version = 2");
    let error = SqliteStore::open(&file).unwrap_err();
    assert_eq!(error, HomeError::Newer { file: file.clone(), found: 2, known: 1 });
    assert_eq!(error.code(), "HOME_NEWER");
}

#[test]
fn a_row_that_is_none_is_named_and_the_others_stay_readable() {
    let dir = folder();
    let file = dir.path().join("state.sqlite");
    let store = SqliteStore::create(&file).unwrap();
    for text in ["a", "b", "c", "d"] {
        commit(&store, name(text)).unwrap();
    }
    store.close();
    edit(&file, "UPDATE rows SET body = substr(body, 2) WHERE sort LIKE '%!a'");
    edit(&file, "UPDATE rows SET body = replace(body, '\"b\"', '\"x\"') WHERE sort LIKE '%!b'");
    edit(&file, "UPDATE rows SET body = replace(body, '\"v\":1', '\"v\":7') WHERE sort LIKE '%!c'");
    let store = SqliteStore::open(&file).unwrap();
    for text in ["a", "b"] {
        let error = get(&store, text).unwrap_err();
        assert!(matches!(error, PortError::Corrupt { .. }), "{error}");
        assert!(error.to_string().contains(&format!("name!vault!{text}")), "{error}");
    }
    assert_eq!(get(&store, "c").unwrap_err().root_code(), "ROW_NEWER");
    assert_eq!(get(&store, "d"), Ok(Some(name("d"))));
}

#[test]
fn commits_wait_while_another_program_writes() {
    let dir = folder();
    let file = dir.path().join("state.sqlite");
    let store = SqliteStore::create(&file).unwrap();
    let other = Connection::open(&file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut transaction = Transaction::default();
    transaction.create(name("gold"));
    let (end, ()) = run(async {
        let release = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            other.execute_batch("ROLLBACK").unwrap();
        };
        tokio::join!(store.commit(transaction), release)
    });
    assert!(end.is_ok());
}

#[test]
fn many_transactions_share_a_commit() {
    let dir = folder();
    let store = SqliteStore::create(&dir.path().join("state.sqlite")).unwrap();
    run(async {
        let commits: Vec<_> = (0..1_000)
            .map(|n| {
                let mut transaction = Transaction::default();
                transaction.create(name(&format!("n{}", n / 2)));
                store.commit(transaction)
            })
            .collect();
        let mut ends = Vec::new();
        for mut commit in commits.into_iter().map(Box::pin).collect::<Vec<_>>() {
            // Sent at the first poll; a second pass waits for the answers.
            let end = std::future::poll_fn(|context| {
                std::task::Poll::Ready(commit.as_mut().poll(context))
            })
            .await;
            ends.push((commit, end));
        }
        let mut won = 0;
        for (commit, end) in ends {
            let end = match end {
                std::task::Poll::Ready(end) => end,
                std::task::Poll::Pending => commit.await,
            };
            match end {
                Ok(_) => won += 1,
                Err(error) => assert_eq!(error, PortError::Conflict),
            }
        }
        // Of the two that made one row, the second lost, beside the others in its group.
        assert_eq!(won, 500);
    });
    let done = store.statistics();
    assert_eq!((done.transactions, done.rows_written), (500, 500));
    assert!(done.commits < 250, "{done:?}");
}

#[test]
fn the_outbox_is_woken_by_its_own_rows_alone() {
    let dir = folder();
    let store = SqliteStore::create(&dir.path().join("state.sqlite")).unwrap();
    let mut woken = store.subscribe();
    commit(&store, name("gold")).unwrap();
    assert!(!woken.has_changed().unwrap());
    commit(&store, effect()).unwrap();
    assert!(woken.has_changed().unwrap());
    woken.mark_unchanged();
    let mut refused = Transaction::default();
    refused.create(effect());
    assert_eq!(run(store.commit(refused)), Err(PortError::Conflict));
    let mut gone = Transaction::default();
    gone.delete(effect().key(), Expect::Owned);
    run(store.commit(gone)).unwrap();
    assert!(!woken.has_changed().unwrap());
    // Whoever waits learns of the end of the store.
    store.close();
    assert!(run(woken.changed()).is_err());
}

#[test]
fn what_was_sent_is_done_although_nobody_waits() {
    let dir = folder();
    let file = dir.path().join("state.sqlite");
    let store = SqliteStore::create(&file).unwrap();
    run(async {
        let mut transaction = Transaction::default();
        transaction.create(name("gold"));
        let mut commit = Box::pin(store.commit(transaction));
        std::future::poll_fn(|context| {
            let _ = commit.as_mut().poll(context);
            std::task::Poll::Ready(())
        })
        .await;
    });
    store.close();
    assert!(get(&SqliteStore::open(&file).unwrap(), "gold").unwrap().is_some());
}

#[test]
fn a_copy_holds_all_of_its_moment() {
    let dir = folder();
    let store = SqliteStore::create(&dir.path().join("state.sqlite")).unwrap();
    commit(&store, name("gold")).unwrap();
    let copy = dir.path().join("copy.sqlite");
    run(store.copy_to(&copy)).unwrap();
    commit(&store, name("silver")).unwrap();
    assert!(run(store.copy_to(&copy)).is_err(), "a copy is not overwritten");
    let copy = SqliteStore::open(&copy).unwrap();
    assert!(get(&copy, "gold").unwrap().is_some());
    assert!(get(&copy, "silver").unwrap().is_none());
}

#[test]
fn the_world_is_changed_whole() {
    let dir = folder();
    let file = dir.path().join("state.sqlite");
    let store = SqliteStore::create(&file).unwrap();
    let put = |key: &str, body: &str| WorldWrite::Put { key: key.into(), body: body.into() };
    let remove = |key: &str| WorldWrite::Remove { key: key.into() };
    let world = |store: &SqliteStore| run(store.world()).unwrap();
    assert_eq!(world(&store), []);
    run(store.write_world(vec![put("b", "1"), put("a", "1"), put("b", "2"), remove("c")])).unwrap();
    let expected = [("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())];
    assert_eq!(world(&store), expected);
    store.close();
    let store = SqliteStore::open(&file).unwrap();
    assert_eq!(world(&store), expected);
    run(store.write_world(vec![remove("a"), put("a", ""), remove("b")])).unwrap();
    assert_eq!(world(&store), [("a".to_owned(), String::new())]);
}

#[test]
fn an_alert_is_kept_once() {
    let dir = folder();
    let store = SqliteStore::create(&dir.path().join("state.sqlite")).unwrap();
    let at = |text: &str| -> DateTime<Utc> { text.parse().unwrap() };
    let (early, late) = (at("2026-07-27T00:00:00Z"), at("2026-07-27T00:00:00.5Z"));
    let add = |id: &str, at, body: &str| run(store.add_alert(id.into(), at, body.into()));
    assert_eq!(add("e-1", late, "{1}"), Ok(true));
    assert_eq!(add("e-2", early, "{2}"), Ok(true));
    assert_eq!(add("e-1", early, "{3}"), Ok(false));
    let alert = |id: &str, at: &str, body: &str| StoredAlert {
        id: id.into(),
        at: at.into(),
        body: body.into(),
    };
    let expected = [
        alert("e-1", "2026-07-27T00:00:00.500000000Z", "{1}"),
        alert("e-2", "2026-07-27T00:00:00.000000000Z", "{2}"),
    ];
    assert_eq!(run(store.alerts(9)).unwrap(), expected);
    assert_eq!(run(store.alerts(1)).unwrap(), expected[..1]);
}
