//! What a tick of `schedule` costs with nothing due, whatever the number of bindings that exist.

use std::{error::Error, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use criterion::Criterion;
use crossvault_core::ids::BindingId;
use crossvault_embedded::{Embedded, Settings};
use crossvault_handlers::{
    enqueue::DUE_SHARD,
    ports::{Clock, Store, Transaction, WRITES_MAX},
    records::{Due, Wake},
    schedule::tick,
};
use tokio::runtime::Runtime;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Outcome {
    let engine = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut criterion = Criterion::default()
        .measurement_time(Duration::from_secs(3))
        .warm_up_time(Duration::from_secs(1))
        .configure_from_args();
    for bindings in [1_000_u32, 1_000_000] {
        let place = tempfile::tempdir()?;
        let platform = engine.block_on(make(&place.path().join("home"), bindings))?;
        measure(&mut criterion, &engine, &platform, bindings);
    }
    criterion.final_summary();
    Ok(())
}

fn measure(criterion: &mut Criterion, engine: &Runtime, platform: &Embedded, bindings: u32) {
    let name = format!("tick with nothing due, {bindings} bindings");
    criterion.bench_function(&name, |bencher| {
        bencher.iter(|| {
            let (at, stop_at) = (platform.now(), DateTime::<Utc>::MAX_UTC);
            engine.block_on(tick(platform, DUE_SHARD, at, stop_at))
        });
    });
}

/// A home whose due index has a row for each binding, all in the future.
async fn make(home: &std::path::Path, bindings: u32) -> Outcome<Embedded> {
    let settings =
        Settings { management: "1000000000000001".parse()?, region: "cn-hangzhou".parse()? };
    let platform = Embedded::create(home, settings, "vaults").await?;
    let tomorrow = platform.now().checked_add_signed(TimeDelta::days(1)).ok_or("no tomorrow")?;
    let mut transaction = Transaction::default();
    for n in 0..bindings {
        let at = tomorrow.checked_add_signed(TimeDelta::milliseconds(n.into()));
        let wake = Wake::Binding(BindingId::derive(&[&n.to_string()]));
        transaction.put(Due { shard: DUE_SHARD, at: at.ok_or("too late")?, wake }.into());
        if transaction.writes.len() == WRITES_MAX {
            platform.commit(std::mem::take(&mut transaction)).await?;
        }
    }
    Ok(platform)
}
