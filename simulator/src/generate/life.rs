//! What people do once all is set up: they work, back up, restore, change their minds, break their
//! grants and mend them, leave and come back.

mod breaking;

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{offboarding::RunningJobs, restore::Overwrite};
use crossvault_handlers::api::Command;

use super::{
    Scale,
    cast::{Cast, Resident, Sourced, every, retention},
    later,
    onboarding::{add, asks, does, schedule},
};
use crate::{chooser::Chance, script::Action, world::Deed};

/// A kind of deed.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Edit,
    BackUp,
    Restore,
    RestoreElsewhere,
    Cancel,
    Delete,
    Pause,
    Rebind,
    UpdatePolicy,
    DeletePolicy,
    Retain,
    Review,
    Prune,
    Look,
    Remove,
    Stop,
    Offboard,
    Break,
}

impl Kind {
    const ALL: [Self; 18] = [
        Self::Edit,
        Self::BackUp,
        Self::Restore,
        Self::RestoreElsewhere,
        Self::Cancel,
        Self::Delete,
        Self::Pause,
        Self::Rebind,
        Self::UpdatePolicy,
        Self::DeletePolicy,
        Self::Retain,
        Self::Review,
        Self::Prune,
        Self::Look,
        Self::Remove,
        Self::Stop,
        Self::Offboard,
        Self::Break,
    ];

    /// How many percent of the seeds have it; what ends much of a scenario is rarer.
    fn share(self) -> u64 {
        match self {
            Self::Edit | Self::BackUp => 90,
            Self::Restore | Self::Break => 60,
            Self::DeletePolicy | Self::Remove | Self::Offboard => 25,
            _ => 45,
        }
    }
}

/// Draws deeds and keeps them with their times.
struct Life<'a> {
    chance: &'a mut Chance,
    cast: &'a Cast,
    /// When it begins and how many seconds it goes on.
    from: DateTime<Utc>,
    span_s: u64,
    acts: Vec<(DateTime<Utc>, Action)>,
}

/// What is done from an instant on, with its times.
pub(super) fn acts(
    chance: &mut Chance,
    cast: &Cast,
    scale: Scale,
    from: DateTime<Utc>,
) -> Vec<(DateTime<Utc>, Action)> {
    let span_s = cast.span_h.saturating_mul(3600);
    let kinds = swarm(chance);
    let (first, last) = scale.deeds();
    let count = chance.between(first, last);
    let mut life = Life { chance, cast, from, span_s, acts: Vec::new() };
    for _ in 0..count {
        if let Some(kind) = life.chance.pick(&kinds).copied() {
            life.deed(kind);
        }
    }
    let end = later(from, seconds(span_s));
    life.acts.push((end, Action::Waits));
    life.acts
}

/// A part of all kinds, each as often as it weighs: 1 to 10.
fn swarm(chance: &mut Chance) -> Vec<Kind> {
    let mut kinds = Vec::new();
    for kind in Kind::ALL {
        let (is_in, weight) = (chance.percent(kind.share()), chance.between(1, 10));
        kinds.extend((0..weight).filter(|_| is_in).map(|_| kind));
    }
    kinds
}

impl Life<'_> {
    fn deed(&mut self, kind: Kind) {
        let at = self.sometime();
        let Some(sourced) = self.owned() else { return };
        let source = sourced.source.clone();
        match kind {
            Kind::Edit => self.act(at, Action::Edits(source)),
            Kind::BackUp => self.back_up(at, &sourced),
            Kind::Restore => self.restore(at, &sourced, &sourced),
            Kind::RestoreElsewhere => self.restore_elsewhere(at, &sourced),
            Kind::Cancel => self.cancel(at, &sourced),
            Kind::Delete => self.act(at, Action::Deletes(source)),
            Kind::Pause => self.pause(at, &sourced),
            Kind::Rebind => self.rebind(at, &sourced),
            Kind::UpdatePolicy => self.update_policy(at),
            Kind::DeletePolicy => {
                let policy = self.policy();
                self.ask(at, Command::DeletePolicy { policy });
            }
            Kind::Retain => self.act(at, Action::Retains),
            Kind::Review => self.act(at, Action::Reviews),
            Kind::Prune => {
                let vault = vault(&sourced);
                self.ask(at, Command::PruneVault { vault });
            }
            Kind::Look => self.look(at, &sourced),
            Kind::Remove => self.remove(at, &sourced),
            Kind::Stop => self.stop(at, &sourced),
            Kind::Offboard => self.offboard(at),
            Kind::Break => self.break_authority(at),
        }
    }

    /// An instant of the span; one in three lies close to an earlier deed, where things meet.
    fn sometime(&mut self) -> DateTime<Utc> {
        let earlier = self.chance.pick(&self.acts).map(|(at, _)| *at);
        let is_close = self.chance.below(3) == 0;
        let (close_s, any_s) = (self.chance.below(120), self.chance.below(self.span_s));
        match earlier.filter(|_| is_close) {
            Some(at) => later(at, seconds(close_s)),
            None => later(self.from, seconds(any_s)),
        }
    }

    /// Some time after an instant: from seconds to hours.
    fn after(&mut self, at: DateTime<Utc>) -> DateTime<Utc> {
        let most_s = self.chance.pick(&[20, 600, 3_600, 21_600]).copied().unwrap_or(20);
        let after_s = self.chance.between(1, most_s);
        later(at, seconds(after_s))
    }

    fn act(&mut self, at: DateTime<Utc>, action: Action) {
        self.acts.push((at, action));
    }

    fn ask(&mut self, at: DateTime<Utc>, command: Command) {
        let action = asks(self.cast, command);
        self.act(at, action);
    }

    fn policy(&mut self) -> String {
        self.chance.pick(&self.cast.policies).map_or_else(String::new, |one| one.name.clone())
    }

    /// A source of a resource account; the management account's are only restored into.
    fn owned(&mut self) -> Option<Sourced> {
        let management = &self.cast.management;
        let all = self.cast.sources.iter();
        let owned: Vec<_> = all.filter(|one| one.source.account != *management).collect();
        self.chance.pick(&owned).copied().cloned()
    }

    fn resident(&mut self) -> Option<Resident> {
        self.chance.pick(&self.cast.residents).cloned()
    }

    /// For its binding, or into a vault without one.
    fn back_up(&mut self, at: DateTime<Utc>, sourced: &Sourced) {
        let policy = sourced.policy.clone().filter(|_| self.chance.percent(70));
        let vault = policy.is_none().then(|| vault(sourced));
        self.ask(at, Command::BackUp { source: sourced.source.clone(), policy, vault });
    }

    /// Mostly of a job that was just asked for: others have long ended.
    fn cancel(&mut self, at: DateTime<Utc>, sourced: &Sourced) {
        if self.chance.percent(80) {
            self.back_up(at, sourced);
        }
        let most_ms = self.chance.pick(&[300, 1_500, 6_000]).copied().unwrap_or(300);
        let ms = i64::try_from(self.chance.below(most_ms)).unwrap_or(0);
        let at = later(at, TimeDelta::milliseconds(ms));
        self.act(at, Action::Cancels(sourced.source.clone()));
    }

    fn restore(&mut self, at: DateTime<Utc>, of: &Sourced, to: &Sourced) {
        let into = if self.chance.percent(50) { "restored" } else { "" }.to_owned();
        let is_replaced = self.chance.percent(50);
        let overwrite = if is_replaced { Overwrite::Replace } else { Overwrite::Refuse };
        let (of, to) = (of.source.clone(), to.source.clone());
        self.act(at, Action::Restores { of, to, into, overwrite });
    }

    /// Into another source of that kind, if there is one; an instance is then refused.
    fn restore_elsewhere(&mut self, at: DateTime<Utc>, of: &Sourced) {
        let all = self.cast.sources.iter();
        let others = all.filter(|to| to.source.kind == of.source.kind && to.source != of.source);
        let others: Vec<Sourced> = others.cloned().collect();
        if let Some(to) = self.chance.pick(&others) {
            self.restore(at, of, to);
        }
    }

    fn pause(&mut self, at: DateTime<Utc>, sourced: &Sourced) {
        let Some(policy) = sourced.policy.clone() else { return };
        let source = sourced.source.clone();
        let pause = |paused| {
            let (policy, source) = (policy.clone(), source.clone());
            Command::PauseBinding { policy, source, paused }
        };
        self.ask(at, pause(true));
        if self.chance.percent(70) {
            let again = self.after(at);
            self.ask(again, pause(false));
        }
    }

    fn rebind(&mut self, at: DateTime<Utc>, sourced: &Sourced) {
        let source = sourced.source.clone();
        if let Some(policy) = sourced.policy.clone() {
            self.ask(at, Command::Unbind { policy, source: source.clone() });
        }
        if let Some(policy) = self.cast.policy_for(self.chance, &source) {
            let again = self.after(at);
            self.ask(again, Command::Bind { policy, source });
        }
    }

    fn update_policy(&mut self, at: DateTime<Utc>) {
        let policy = self.policy();
        let every = every(self.chance, self.cast.span_h);
        let schedule = self.chance.percent(60).then(|| schedule(every, at));
        let rules = retention(self.chance, true);
        let retention = Some(rules).filter(|_| schedule.is_none() || self.chance.percent(30));
        let zone = self.chance.percent(20).then(|| "Europe/Berlin".to_owned());
        self.ask(at, Command::UpdatePolicy { policy, schedule, zone, retention });
    }

    /// Somebody looks; one in four is somebody who may not.
    fn look(&mut self, at: DateTime<Utc>, sourced: &Sourced) {
        let source = sourced.source.clone();
        let (account, region) = (source.account.clone(), source.region.clone());
        let looks = [
            Command::CheckAccount { account: account.clone(), region, method: None, source: None },
            Command::ListJobs { account: None, limit: 99 },
            Command::ListPoints { source: Some(source), account: None, vault: None },
            Command::ListAccounts { region: None, search: None },
            Command::ListReviews { account: None, now: true },
            Command::ListAudit { account: None, limit: 100 },
        ];
        let Some(command) = self.chance.pick(&looks).cloned() else { return };
        let is_other = self.chance.percent(25);
        let caller = if is_other { account } else { self.cast.management.clone() };
        self.act(at, Action::Asks { caller, command });
    }

    /// A source goes, and perhaps one of that name comes again.
    fn remove(&mut self, at: DateTime<Utc>, sourced: &Sourced) {
        let source = sourced.source.clone();
        let removed = Deed::RemoveSource { source: source.clone() };
        self.act(at, does(&source.account, removed));
        if self.chance.percent(50) {
            let again = self.after(at);
            self.act(again, Action::Opens { source, size: sourced.size });
        }
    }

    /// An instance stops, and perhaps runs again.
    fn stop(&mut self, at: DateTime<Utc>, sourced: &Sourced) {
        let source = &sourced.source;
        let put = |running| {
            let (name, location) = (source.id.to_string(), String::new());
            does(
                &source.account,
                Deed::PutSource { source: source.clone(), name, location, running },
            )
        };
        self.act(at, put(false));
        if self.chance.percent(70) {
            let again = self.after(at);
            self.act(again, put(true));
        }
    }

    /// An account is taken off the list, in as many requests as it takes, and perhaps comes back.
    fn offboard(&mut self, at: DateTime<Utc>) {
        let Some(resident) = self.resident() else { return };
        let ways = [RunningJobs::Finish, RunningJobs::Cancel, RunningJobs::Abandon];
        let jobs = self.chance.pick(&ways).copied().unwrap_or_default();
        let (account, region) = (resident.account.clone(), resident.region.clone());
        let remove = Command::RemoveAccount { account, region, jobs };
        let mut at = at;
        for _ in 0..self.chance.between(1, 3) {
            self.ask(at, remove.clone());
            at = self.after(at);
        }
        if self.chance.percent(50) {
            self.act(at, add(self.cast, &resident));
        }
    }
}

/// The vault of a source's region.
fn vault(sourced: &Sourced) -> String {
    format!("vault-{}", sourced.source.region)
}

fn seconds(seconds: u64) -> TimeDelta {
    i64::try_from(seconds).ok().and_then(TimeDelta::try_seconds).unwrap_or_default()
}
