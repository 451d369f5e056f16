//! What a run's future depends on, as one number: two runs that stand equally go on equally.
//!
//! A stand is taken only while no function runs, since what a function has in memory can't be
//! compared. Left out is what nothing ahead can tell apart: stamps of rows (they are compared with
//! each other, never with a number), sessions and transfers (they end with their functions), how
//! often the world has changed, and what time it is (only what is planned counts).

use std::{
    hash::{Hash, Hasher},
    io,
};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::{
    cloud::{Cloud, Held, Snapshot, Storage},
    trace::Trace,
    world::World,
};

/// Where a run stands: equal when all that is ahead is equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stand(pub u64);

/// A hash that takes in values of all kinds, the same on every machine.
#[derive(Debug, Default)]
pub struct Digest(Trace);

impl Digest {
    /// Takes in what can be hashed.
    pub fn hash(&mut self, value: &impl Hash) {
        value.hash(&mut self.0);
        self.0.record();
    }

    /// Takes in what can be written down.
    pub fn written(&mut self, value: &impl Serialize) {
        // The sink takes everything; a value that JSON can't hold is told apart by its length so far.
        if serde_json::to_writer(Sink(&mut self.0), value).is_err() {
            self.0.write_u8(0);
        }
        self.0.record();
    }

    /// Takes in what can only be shown.
    pub fn shown(&mut self, value: &impl std::fmt::Debug) {
        let mut sink = Sink(&mut self.0);
        if io::Write::write_fmt(&mut sink, format_args!("{value:?}")).is_err() {
            self.0.write_u8(0);
        }
        self.0.record();
    }

    /// Takes in an instant as its distance from another.
    pub fn instant(&mut self, at: DateTime<Utc>, from: DateTime<Utc>) {
        let distance = at.signed_duration_since(from);
        self.0.write_i64(distance.num_milliseconds());
        self.0.write_i32(distance.subsec_nanos() % NANOS_A_MS);
    }

    /// The number so far.
    #[must_use]
    pub fn stand(&self) -> Stand {
        Stand(self.0.finish())
    }
}

const NANOS_A_MS: i32 = TimeDelta::milliseconds(1).subsec_nanos();

/// Writes into a hash.
struct Sink<'a>(&'a mut Trace);

impl io::Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The stand of a cloud: rows, world, sources, vaults, alerts, and what is yet to be healed.
#[must_use]
pub fn of_cloud(cloud: &Cloud) -> Stand {
    let mut digest = Digest::default();
    add_cloud(&mut digest, cloud);
    digest.stand()
}

/// Takes in a cloud.
pub fn add_cloud(digest: &mut Digest, cloud: &Cloud) {
    for (key, row) in cloud.rows.all() {
        digest.hash(key);
        digest.written(&row.record);
    }
    add_world(digest, &cloud.world);
    // What a stale read shows is of use only where it is another world.
    if let Some(earlier) = cloud.earlier.as_deref().filter(|_| cloud.may_be_stale) {
        add_world(digest, earlier);
    }
    digest.written(&cloud.wounds());
    for Held { source, version, files } in cloud.contents.all() {
        digest.hash(&(source, version, files));
    }
    digest.hash(&(cloud.contents.size.files, cloud.contents.size.length));
    add_storage(digest, &cloud.storage);
    for (id, alert) in &cloud.alerts {
        digest.hash(id);
        digest.written(alert);
    }
}

fn add_world(digest: &mut Digest, world: &World) {
    for entity in world.entities() {
        digest.written(&entity);
    }
    digest.hash(&());
}

fn add_storage(digest: &mut Digest, storage: &Storage) {
    for (vault, vaulted) in &storage.vaults {
        digest.hash(&(vault, &vaulted.blobs));
        for snapshot in vaulted.snapshots.values() {
            let Snapshot { name, job, fence, source, begun, files, sealed } = &**snapshot;
            digest.hash(&(name, job, fence, source, begun, files));
            digest.written(sealed);
        }
    }
    for (job, restored) in &storage.restored {
        digest.hash(job);
        digest.written(restored);
    }
    for (job, failures) in &storage.failures {
        digest.hash(job);
        digest.written(failures);
    }
}

#[cfg(test)]
mod tests;
