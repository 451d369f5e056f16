//! What was promised to whoever asked, and whether it is kept.

use std::collections::{BTreeMap, BTreeSet};

use crossvault_core::ids::{JobId, PointId, Token};
use crossvault_embedded::socket::{Failure, Kind};
use crossvault_handlers::api::{Answer, Command};

use super::server::Asker;

/// A change that was asked for.
#[derive(Clone, Debug)]
pub struct Promise {
    token: Token,
    /// What was asked for.
    pub command: Command,
    /// The answer; none when the process was gone before it came.
    pub answer: Option<Answer>,
}

/// All that was asked for and seen.
#[derive(Debug, Default)]
pub struct Books {
    /// Every change that was not refused.
    pub promises: Vec<Promise>,
    /// How often a change was refused, by code.
    pub refusals: BTreeMap<String, u64>,
    /// How many answers were lost and asked for again.
    pub lost: u64,
    /// How much was asked for.
    pub asked: u64,
    kept: usize,
    vaults: BTreeSet<String>,
    points: BTreeSet<PointId>,
}

impl Books {
    /// Asks for a change and takes down what came of it; false when the process is gone.
    pub fn ask(&mut self, asker: &Asker, command: Command) -> bool {
        self.asked += 1;
        let token: Token = format!("wish-{}", self.asked).parse().unwrap();
        match asker.ask(&token, command.clone()) {
            Ok(answer) => self.promises.push(Promise { token, command, answer: Some(answer) }),
            Err(failure) if is_lost(&failure) => {
                self.promises.push(Promise { token, command, answer: None });
                return false;
            }
            Err(failure) => self.refused(&command, failure),
        }
        true
    }

    fn refused(&mut self, command: &Command, failure: Failure) {
        assert_eq!(failure.kind, Kind::Refused, "{command:?}: {failure:?}");
        *self.refusals.entry(failure.code).or_default() += 1;
    }

    /// Takes down which vaults and points are listed; false when the process is gone.
    pub fn look(&mut self, asker: &Asker) -> bool {
        let Ok((vaults, points)) = listed(asker) else { return false };
        self.vaults.extend(vaults);
        self.points.extend(points);
        true
    }

    /// After a restart: every promise that has not been looked at since is kept, and all that was
    /// listed is still there.
    #[track_caller]
    pub fn check(&mut self, asker: &Asker) {
        let mut kept = self.promises.drain(self.kept..).collect::<Vec<_>>();
        kept.retain_mut(|promise| match asker.ask(&promise.token, promise.command.clone()) {
            Ok(again) => {
                if let Some(before) = &promise.answer {
                    assert_eq!(*before, again, "{promise:?}");
                } else {
                    self.lost += 1;
                }
                if let Answer::JobStarted(job) = &again {
                    asker.job(job).unwrap();
                }
                promise.answer = Some(again);
                true
            }
            Err(failure) => {
                // It was never carried out, and now something stands against it.
                assert!(promise.answer.is_none(), "{promise:?}: {failure:?}");
                *self.refusals.entry(failure.code).or_default() += 1;
                false
            }
        });
        self.promises.extend(kept);
        self.kept = self.promises.len();
        let (vaults, points) = listed(asker).unwrap();
        let gone: Vec<_> = self.vaults.difference(&vaults).collect();
        assert_eq!(gone, Vec::<&String>::new(), "vaults are lost");
        let deleted = self.deleted();
        let gone: Vec<_> =
            self.points.iter().filter(|id| !points.contains(id) && !deleted.contains(id)).collect();
        assert_eq!(gone, Vec::<&PointId>::new(), "points are lost");
        self.vaults.extend(vaults);
        self.points = points;
    }

    /// The points whose deletion was asked for.
    pub fn deleted(&self) -> BTreeSet<PointId> {
        let commands = self.promises.iter().map(|promise| &promise.command);
        let deleted = commands.filter_map(|command| {
            let Command::DeletePoint { point } = command else { return None };
            Some(point.clone())
        });
        deleted.collect()
    }

    /// The jobs that were asked to stop.
    pub fn canceled(&self) -> BTreeSet<JobId> {
        let commands = self.promises.iter().map(|promise| &promise.command);
        let canceled = commands.filter_map(|command| {
            let Command::CancelJob { job } = command else { return None };
            Some(job.clone())
        });
        canceled.collect()
    }

    /// The jobs that were promised.
    pub fn jobs(&self) -> BTreeSet<JobId> {
        let answers = self.promises.iter().map(|promise| &promise.answer);
        let jobs = answers.filter_map(|answer| {
            let Some(Answer::JobStarted(job)) = answer else { return None };
            Some(job.clone())
        });
        jobs.collect()
    }
}

/// Whether the process was gone before it answered.
pub fn is_lost(failure: &Failure) -> bool {
    failure.code == "SERVER_LOST"
}

type Listed = (BTreeSet<String>, BTreeSet<PointId>);

fn listed(asker: &Asker) -> Result<Listed, Failure> {
    let Answer::Vaults(vaults) = asker.look(Command::ListVaults)? else { panic!() };
    let points = Command::ListPoints { source: None, account: None, vault: None };
    let Answer::Points(points) = asker.look(points)? else { panic!() };
    Ok((
        vaults.into_iter().map(|view| view.vault.name).collect(),
        points.into_iter().map(|point| point.id).collect(),
    ))
}
