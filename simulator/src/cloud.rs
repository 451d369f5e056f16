//! The whole simulated cloud as one value: what a call can read or change.
//!
//! [`Cloud::apply`] carries out one call. It judges authority by itself, against the policies as
//! they are at that moment, and writes down every change as a [`Fact`]: what oracles look at.

mod apply;
mod breakage;
mod contents;
mod fact;
mod rows;
mod sessions;
mod storage;
mod transfer;

use chrono::{DateTime, Utc};
use crossvault_core::{
    alert::Alert,
    ids::{AccountId, DataSource, EffectId},
};

pub use apply::Circumstances;
pub use contents::{Content, Contents, File, Held, Size};
pub(crate) use contents::{mix, put};
pub use fact::{Fact, InvocationId, RowChange};
pub use rows::Rows;
pub(crate) use rows::key_of;
pub use sessions::{Issued, Sessions, TOKEN_MARK, token};
pub use storage::{Snapshot, Storage, Vaulted};
pub use transfer::{Moving, Transfers};
pub(crate) use transfer::{path, restored_name};

use crate::world::{self, Command, Refusal, World};

/// The cloud.
#[derive(Clone, Debug)]
pub struct Cloud {
    /// The backup management account.
    pub management: AccountId,
    /// Identities, directory, sources.
    pub world: World,
    /// The world as it was before its last change: what a stale read shows.
    pub earlier: Option<Box<World>>,
    /// Sessions that were issued and have not ended.
    pub sessions: Sessions,
    /// What Crossvault stores.
    pub rows: Rows,
    /// What the sources hold.
    pub contents: Contents,
    /// What the vaults hold.
    pub storage: Storage,
    /// Transfers in the memory of those who run them.
    pub transfers: Transfers,
    /// Alerts that were published, repeats too.
    pub alerts: Vec<(EffectId, Alert)>,
    /// What has happened since the facts were last taken.
    pub facts: Vec<Fact>,
    /// What heals the authority that was broken, the last change first from the end.
    wounds: Vec<world::Change>,
    /// Whether it remembers the earlier world.
    pub may_be_stale: bool,
    /// How many milliseconds of work the last call took, beside its way there and back.
    pub took_ms: u64,
}

impl Cloud {
    /// A cloud with one account: the backup management account.
    ///
    /// # Errors
    /// When the world refuses the account.
    pub fn new(management: AccountId, now: DateTime<Utc>) -> Result<Self, Refusal> {
        let mut cloud = Self {
            sessions: Sessions::new(management.clone()),
            management: management.clone(),
            world: World::default(),
            earlier: None,
            rows: Rows::default(),
            contents: Contents::default(),
            storage: Storage::default(),
            transfers: Transfers::default(),
            alerts: Vec::new(),
            facts: Vec::new(),
            wounds: Vec::new(),
            may_be_stale: false,
            took_ms: 0,
        };
        let deed = world::Deed::CreateAccount { name: "vaults".to_owned() };
        cloud.does(Command { by: management, deed }, now)?;
        Ok(cloud)
    }

    /// Lets an administrator do something, and returns what the cloud's audit trails tell of it.
    ///
    /// # Errors
    /// When the world refuses it.
    pub fn does(
        &mut self,
        command: Command,
        now: DateTime<Utc>,
    ) -> Result<Vec<world::Event>, Refusal> {
        let (_, changes) = world::decide(&self.world, now, command.clone())?;
        let events = world::events(&self.world, now, &command, &changes);
        self.change(changes, Some(command));
        Ok(events)
    }

    /// Makes changes of the world so, whoever is behind them.
    pub fn change(&mut self, changes: Vec<world::Change>, by: Option<Command>) {
        if changes.is_empty() {
            return;
        }
        if self.may_be_stale {
            self.earlier = Some(Box::new(self.world.clone()));
        }
        for change in &changes {
            self.world.absorb(change);
            self.follow(change);
        }
        self.facts.push(Fact::Changed { changes, by });
    }

    /// A source that is gone takes its data with it.
    fn follow(&mut self, change: &world::Change) {
        match change {
            world::Change::Put(world::Entity::Source(source)) => self.contents.open(&source.id),
            world::Change::Remove(world::EntityKey::Source(source)) => self.contents.close(source),
            world::Change::Put(_) | world::Change::Remove(_) => {}
        }
    }

    /// Changes what a source holds, as its users do: some files, perhaps a new one, perhaps one less.
    pub fn edit(&mut self, source: &DataSource) {
        if let Some(edited) = self.contents.edit(source) {
            self.facts.push(Fact::Edited { source: edited });
        }
    }

    /// What is yet to be healed, the last change first from the end.
    #[must_use]
    pub fn wounds(&self) -> &[world::Change] {
        &self.wounds
    }

    /// Takes what has happened.
    pub fn take_facts(&mut self) -> Vec<Fact> {
        std::mem::take(&mut self.facts)
    }
}
