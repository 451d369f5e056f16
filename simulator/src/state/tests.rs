use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::ids::{AccountId, DataSource, VaultId};
use crossvault_handlers::{
    ports::Transaction,
    records::{Key, NameOf, NameRef, Record},
};

use super::{Digest, Stand, of_cloud};
use crate::{
    cloud::{Cloud, Size},
    world::{Command, Deed},
};

fn start() -> DateTime<Utc> {
    "2026-01-05T00:00:00Z".parse().unwrap()
}

fn cloud() -> Cloud {
    let management: AccountId = "1000000000000001".parse().unwrap();
    let source: DataSource = "1000000000000001/cn-hangzhou/nas/fs-1".parse().unwrap();
    let mut cloud = Cloud::new(management.clone(), start()).unwrap();
    cloud.contents.size = Size { files: 2, length: 10 };
    let deed =
        Deed::PutSource { source, name: "files".into(), location: String::new(), running: true };
    cloud.does(Command { by: management, deed }, start()).unwrap();
    cloud
}

fn name(name: &str) -> Record {
    named(name, "1")
}

fn named(name: &str, id: &str) -> Record {
    NameRef::Vault { name: name.into(), id: VaultId::derive(&[id]) }.into()
}

fn put(cloud: &mut Cloud, record: Record) {
    let mut transaction = Transaction::default();
    transaction.put(record);
    cloud.rows.commit(transaction).unwrap();
}

/// Each part of a cloud counts.
#[test]
fn what_differs_stands_elsewhere() {
    type Change = fn(&mut Cloud, &DataSource, AccountId);
    let base = cloud();
    let source: DataSource = "1000000000000001/cn-hangzhou/nas/fs-1".parse().unwrap();
    let by: AccountId = "1000000000000001".parse().unwrap();
    let changes: [(&str, Change); 7] = [
        ("nothing", |_, _, _| {}),
        ("a row", |cloud, _, _| put(cloud, name("a"))),
        ("another row", |cloud, _, _| put(cloud, name("b"))),
        ("another row in its place", |cloud, _, _| put(cloud, named("b", "2"))),
        ("a file", |cloud, source, _| cloud.edit(source)),
        ("a source", |cloud, source, by| {
            let deed = Deed::RemoveSource { source: source.clone() };
            cloud.does(Command { by, deed }, start()).unwrap();
        }),
        ("a blob", |cloud, _, _| {
            let vaulted = cloud.storage.vaults.entry(VaultId::derive(&["1"])).or_default();
            vaulted.blobs.insert(crate::cloud::Content { seed: 1, length: 1 }, 1);
        }),
    ];
    let mut seen: Vec<(Stand, &str)> = Vec::new();
    for (what, change) in changes {
        let mut other = base.clone();
        change(&mut other, &source, by.clone());
        let stand = of_cloud(&other);
        let same = seen.iter().find(|(known, _)| *known == stand);
        assert_eq!(same, None, "with {what}");
        seen.push((stand, what));
    }
}

/// A row that went and came back is the same row: stamps are compared only with each other.
#[test]
fn how_it_came_about_does_not_count() {
    let mut once = cloud();
    put(&mut once, name("a"));
    let mut twice = once.clone();
    let mut away = Transaction::default();
    away.delete(Key::name(NameOf::Vault, "a"), crossvault_handlers::ports::Expect::Owned);
    twice.rows.commit(away).unwrap();
    assert_ne!(of_cloud(&once), of_cloud(&twice));
    put(&mut twice, name("a"));
    assert_eq!(of_cloud(&once), of_cloud(&twice));
}

/// Instants count by their distance.
#[test]
fn an_hour_later_is_the_same_when_measured_an_hour_later() {
    let at = |from: DateTime<Utc>| {
        let mut digest = Digest::default();
        digest.instant(from + TimeDelta::microseconds(7), from);
        digest.stand()
    };
    assert_eq!(at(start()), at(start() + TimeDelta::hours(1)));
    let mut digest = Digest::default();
    digest.instant(start() + TimeDelta::microseconds(8), start());
    assert_ne!(digest.stand(), at(start()));
}
