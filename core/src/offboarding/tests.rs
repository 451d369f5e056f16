use proptest::{collection::vec, option, prelude::*, sample::select};

use super::*;
use crate::{
    catalog::Party,
    grant::Method,
    ids::{AccountId, DataSource, JobId, Region, RoleArn, SourceKind, VaultId},
    quantity::Bytes,
};

const PAYROLL: &str = "1000000000000012";

/// What the steps work on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct World {
    /// Policies bound to sources of the account.
    bound: u64,
    /// Jobs, with whether they end at once when they are asked to.
    jobs: Vec<(JobId, bool)>,
    clients: Option<Vec<DataSource>>,
    is_listed: bool,
    presence: Presence,
    needed_in: Vec<Region>,
}

impl World {
    /// Carries out an effect and tells what came of it. Two policies come off at a time.
    fn carry_out(&mut self, effect: Effect) -> Event {
        match effect {
            Effect::CountBindings => Event::Bound(self.bound),
            Effect::Unbind => {
                self.bound = self.bound.saturating_sub(2);
                Event::Unbound
            }
            Effect::FindJobs => {
                Event::Running(self.jobs.iter().map(|(job, _)| job.clone()).collect())
            }
            Effect::Cancel(jobs) => {
                self.jobs.retain(|(job, stops)| !(jobs.contains(job) && *stops));
                Event::CancelAsked
            }
            Effect::FindClients => Event::Installed(self.clients.clone().unwrap_or_default()),
            Effect::DeleteGrant => {
                assert_eq!(self.bound, 0, "new jobs could begin");
                assert!(self.clients.as_ref().is_none_or(Vec::is_empty), "they stay for ever");
                self.is_listed = false;
                Event::Deleted
            }
            Effect::FindRole => Event::Role(self.needed_in.is_empty().then_some(self.presence)),
        }
    }

    /// Leads through the steps, at most so many of them.
    fn lead(&mut self, jobs: RunningJobs, effects_max: usize) -> Option<Outcome> {
        let (mut state, mut effect) = State::begin(self.is_listed, jobs);
        for _ in 0..effects_max {
            let event = match effect {
                Some(effect) => self.carry_out(effect),
                None => break,
            };
            (state, effect) = transition(state, event).unwrap();
        }
        let State::Stopped(outcome) = state else { return None };
        Some(outcome)
    }

    fn facts(&self, method: Method) -> Facts {
        let account: AccountId = PAYROLL.parse().unwrap();
        let name = match &method {
            Method::Directory => "AliyunServiceRoleForHbrRd".parse().unwrap(),
            Method::Role { name } => name.clone(),
        };
        let bindings = [(SourceKind::Nas, self.bound)].into_iter().filter(|(_, n)| *n > 0);
        Facts {
            management: "1000000000000001".parse().unwrap(),
            region: "cn-hangzhou".parse().unwrap(),
            method,
            is_listed: self.is_listed,
            bindings: bindings.collect(),
            jobs: self.jobs.iter().map(|(job, _)| job.clone()).collect(),
            clients: self.clients.clone(),
            role: RoleFacts {
                role: RoleArn { account: account.clone(), name },
                presence: self.presence,
                policies: None,
                needed_in: self.needed_in.clone(),
            },
            points: vec![],
            granted: [].into(),
            account,
        }
    }
}

fn source(name: &str) -> DataSource {
    format!("{PAYROLL}/cn-hangzhou/{name}").parse().unwrap()
}

fn any_method() -> impl Strategy<Value = Method> {
    select(vec![Method::Directory, Method::Role { name: "hbrcrossrole".parse().unwrap() }])
}

fn any_running() -> impl Strategy<Value = RunningJobs> {
    select(vec![RunningJobs::Finish, RunningJobs::Cancel, RunningJobs::Abandon])
}

fn any_world() -> impl Strategy<Value = World> {
    let job = (0..4_u8, any::<bool>());
    let jobs = vec(job, 0..3).prop_map(|jobs| {
        jobs.into_iter().map(|(n, stops)| (JobId::derive(&[&n.to_string()]), stops)).collect()
    });
    let clients =
        option::of(vec(select(vec![source("ecs-files/i-1"), source("sap-hana/h-1")]), 0..2));
    let presence = select(vec![Presence::Present, Presence::Absent, Presence::Unseen]);
    let needed_in = vec(Just("cn-beijing".parse().unwrap()), 0..2);
    (0..6_u64, jobs, clients, any::<bool>(), presence, needed_in).prop_map(
        |(bound, jobs, clients, is_listed, presence, needed_in)| World {
            bound,
            jobs,
            clients,
            is_listed,
            presence,
            needed_in,
        },
    )
}

proptest! {
    /// Nothing is stored of the cancelling, so an end after any step loses nothing: whoever begins
    /// again comes to the same end.
    #[test]
    fn it_stops_and_goes_on_anywhere(world in any_world(), jobs in any_running(), cut in 0..12_usize) {
        let mut whole = world.clone();
        let outcome = whole.lead(jobs, 100);
        prop_assert!(outcome.is_some(), "it never ends: {whole:?}");
        let mut cut_off = world;
        cut_off.lead(jobs, cut);
        prop_assert_eq!(cut_off.lead(jobs, 100), outcome);
        prop_assert_eq!(cut_off, whole);
    }

    /// What stops the steps is what the plan shows as next: both look at the same facts.
    #[test]
    fn the_plan_shows_where_the_steps_stop(
        mut world in any_world(),
        method in any_method(),
        jobs in select(vec![RunningJobs::Finish, RunningJobs::Cancel]),
    ) {
        // An account off the list is not looked at any more.
        if !world.is_listed {
            (world.bound, world.jobs, world.clients) = (0, vec![], None);
        }
        let outcome = world.lead(jobs, 100).unwrap();
        let plan = plan(&world.facts(method));
        let next = plan.next().map(|step| (&step.task, step.who));
        match outcome {
            Outcome::Jobs(jobs) => {
                prop_assert_eq!(next, Some((&Task::EndJobs { jobs }, Party::Management)));
                prop_assert!(world.is_listed);
            }
            Outcome::Clients(clients) => {
                prop_assert_eq!(next, Some((&Task::UninstallClients { clients }, Party::Management)));
                prop_assert!(world.is_listed);
            }
            Outcome::Role(Presence::Unseen) => prop_assert!(next.is_none() && !plan.is_over()),
            Outcome::Role(_) => prop_assert_eq!(next.map(|(_, who)| who), Some(Party::Resource)),
            Outcome::Over => prop_assert!(next.is_none() && plan.is_over(), "{plan:?}"),
        }
    }

    /// A plan has at most one next step, and all before it are done.
    #[test]
    fn steps_are_taken_in_order(world in any_world(), method in any_method()) {
        let steps = plan(&world.facts(method)).steps;
        let next = steps.iter().position(|step| step.state == StepState::Next);
        let before = steps.iter().take(next.unwrap_or(0));
        for step in before {
            prop_assert!(matches!(step.state, StepState::Done | StepState::Kept { .. }), "{step:?}");
        }
        prop_assert!(steps.iter().filter(|step| step.state == StepState::Next).count() <= 1);
        let has_clients = steps.iter().any(|step| matches!(step.task, Task::UninstallClients { .. }));
        prop_assert_eq!(has_clients, world.clients.is_some());
    }
}

/// A machine's mistake is an error, not a grant that is deleted too early.
#[test]
fn what_can_not_follow_is_refused() {
    let draining = State::Draining { jobs: RunningJobs::Finish, asked: false };
    assert!(transition(draining, Event::Deleted).is_err());
    let unbinding = State::Unbinding { jobs: RunningJobs::Abandon };
    assert!(transition(unbinding, Event::Installed(vec![])).is_err());
    let stopped = State::Stopped(Outcome::Over);
    assert_eq!(transition(stopped.clone(), Event::Unbound), Ok((stopped, None)));
}

#[test]
fn points_stay_restorable_elsewhere_and_go_on_costing() {
    let of = |name: &str, vault: &str, count| Points {
        source: source(name),
        vault: VaultId::derive(&[vault]),
        vault_name: vault.to_owned(),
        count,
        restorable: count,
        newest: Some("2026-03-02T12:00:00Z".parse().unwrap()),
        content: Bytes(100),
        added: Bytes(10),
    };
    let world = World {
        bound: 1,
        jobs: vec![],
        clients: None,
        is_listed: true,
        presence: Presence::Present,
        needed_in: vec![],
    };
    let rescue: AccountId = "1000000000000013".parse().unwrap();
    let mut facts = world.facts(Method::Directory);
    let (payroll, management) = (facts.account.clone(), facts.management.clone());
    let beijing: Region = "cn-beijing".parse().unwrap();
    facts.granted = [(rescue.clone(), facts.region.clone()), (payroll.clone(), beijing)].into();
    facts.points = vec![
        of("nas/fs-1", "one", 3),
        of("nas/fs-1", "two", 2),
        of("ecs-instance/i-1", "one", 1),
        of("oss/b-1", "two", 1),
        Points { restorable: 0, ..of("ecs-files/i-9", "two", 1) },
    ];
    let plan = plan(&facts);
    let to: Vec<_> = plan
        .stays_restorable
        .iter()
        .map(|one| (one.source.to_string(), one.points, one.to.clone()))
        .collect();
    let all = vec![management, payroll, rescue];
    let name = |name: &str| source(name).to_string();
    assert_eq!(to.len(), 3, "{to:?}");
    for expected in [
        (name("ecs-instance/i-1"), 1, vec![]),
        (name("nas/fs-1"), 5, all.clone()),
        (name("oss/b-1"), 1, all),
    ] {
        assert!(to.contains(&expected), "{expected:?} is not in {to:?}");
    }

    let stored = |vault: &str, points, content, added| Cost {
        item: Item::VaultStorage {
            vault: VaultId::derive(&[vault]),
            name: vault.to_owned(),
            points,
            content: Bytes(content),
            added: Bytes(added),
        },
        payer: Party::Management,
    };
    for expected in [
        stored("one", 4, 200, 20),
        stored("two", 4, 300, 30),
        Cost { item: Item::Snapshots { sources: 1 }, payer: Party::Resource },
        Cost { item: Item::InstanceBackup { sources: 1 }, payer: Party::Management },
        Cost { item: Item::FileClients { sources: 1 }, payer: Party::Management },
    ] {
        assert!(plan.goes_on_costing.contains(&expected), "{expected:?}: {plan:?}");
    }
    assert_eq!(plan.goes_on_costing.len(), 5);
    assert!(plan.stops.contains(&Cost { item: Item::OssRequests, payer: Party::Resource }));
}
