//! Everything a person or a program asks for.
//!
//! A command that changes something is carried out at most once for each token: its change, its
//! answer and its audit record are one transaction, and whoever repeats it gets the same answer. A
//! command that only shows something stores nothing.

mod accounts;
mod answer;
mod audit;
mod bindings;
mod change;
mod command;
mod jobs;
mod names;
mod offboarding;
mod points;
mod policies;
mod refusal;
mod restore;
mod reviews;
mod rows;
mod slots;
mod vaults;

use crossvault_core::{
    access,
    ids::{AccountId, Token},
};

pub use answer::{
    Answer, BindingView, CauseView, Check, CheckedOperation, JobView, MemberView, SlotView,
    VaultView,
};
pub use command::{Command, PolicySpec, RetentionSpec};
pub use refusal::{ApiError, Refusal};

use self::change::{Asked, Change};
use crate::ports::{Clock, Directory, PortError, Sources, Store, Vaults};

/// How often a change is decided again because another one came first.
const ATTEMPTS: u32 = 8;

/// Answers a command of a caller whom the platform's edge has identified.
///
/// The same token with the same command gives the same answer for 24 hours; what was changed is
/// changed once.
///
/// # Errors
/// [`ApiError::Refused`] when asking again changes nothing; [`ApiError::Port`] for a passing
/// failure, after which the same token may be used again.
pub async fn handle<P: Clock + Store + Directory + Sources + Vaults>(
    ports: &P,
    caller: &AccountId,
    token: &Token,
    command: Command,
) -> Result<Answer, ApiError> {
    access::decide(caller, &ports.management()).map_err(Refusal::from)?;
    let asked = Asked::new(ports.management(), caller, token, &command)?;
    let answered = if command.is_change() {
        carry_out(ports, &asked, &command).await
    } else {
        match attempt(ports, &asked, &command).await {
            Ok(Outcome::Shown(answer)) => Ok(answer),
            Ok(Outcome::Decided(_)) => Err(unlike(&command)),
            Err(error) => Err(error),
        }
    };
    answered.map_err(without_hope)
}

/// What a command came to.
enum Outcome {
    /// Something was read.
    Shown(Answer),
    /// Something is to be changed.
    Decided(Change),
}

/// Carries a change out once: decides, and stores the change with its answer; when another change
/// came first, decides again.
async fn carry_out<P: Clock + Store + Directory + Sources + Vaults>(
    ports: &P,
    asked: &Asked,
    command: &Command,
) -> Result<Answer, ApiError> {
    for _ in 0..ATTEMPTS {
        if let Some(answer) = asked.answered(ports).await? {
            return Ok(answer);
        }
        let change = match attempt(ports, asked, command).await {
            Ok(Outcome::Decided(change)) => change,
            Ok(Outcome::Shown(_)) => return Err(unlike(command)),
            Err(ApiError::Port(PortError::Conflict)) => continue,
            // It may stand in its own way: an earlier attempt, whose answer was lost.
            Err(error) => return asked.answered(ports).await?.ok_or(error),
        };
        let answer = change.answer.clone();
        match ports.commit(asked.seal(change, ports.now())?).await {
            Ok(_) => return Ok(answer),
            Err(PortError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(PortError::Conflict.into())
}

async fn attempt<P: Clock + Store + Directory + Sources + Vaults>(
    ports: &P,
    asked: &Asked,
    command: &Command,
) -> Result<Outcome, ApiError> {
    match command {
        Command::AddAccount { account, region, method, alias, consent } => {
            accounts::add(ports, asked, account, region, method, alias, *consent).await.map(decided)
        }
        Command::CheckAccount { account, region, method, source } => {
            let (method, source) = (method.as_ref(), source.as_ref());
            accounts::check(ports, asked, account, region, method, source).await.map(shown)
        }
        Command::ListAccounts { region, search } => {
            accounts::list(ports, asked, region.as_ref(), search.as_deref()).await.map(shown)
        }
        Command::SearchMembers { search } => {
            accounts::members(ports, asked, search).await.map(shown)
        }
        Command::PlanRemoval { account, region } => {
            offboarding::plan(ports, asked, account, region).await.map(shown)
        }
        Command::RemoveAccount { account, region, jobs } => {
            offboarding::remove(ports, asked, account, region, *jobs).await.map(decided)
        }
        Command::ListReviews { account, now } => {
            reviews::list(ports, asked, account.as_ref(), *now).await.map(shown)
        }
        Command::ListSources { account, region, kind } => {
            accounts::sources(ports, asked, account, region, *kind).await.map(shown)
        }
        Command::CreateVault { name, region } => {
            vaults::create(ports, asked, name, region).await.map(decided)
        }
        Command::ListVaults => vaults::list(ports).await.map(shown),
        Command::PruneVault { vault } => vaults::prune(ports, asked, vault).await.map(decided),
        Command::ExportKey { vault } => vaults::export(ports, asked, vault).await.map(decided),
        Command::CreatePolicy(spec) => policies::create(ports, asked, spec).await.map(decided),
        Command::UpdatePolicy { policy, schedule, zone, retention } => {
            let (schedule, zone) = (schedule.as_deref(), zone.as_deref());
            policies::update(ports, asked, policy, schedule, zone, retention.as_ref())
                .await
                .map(decided)
        }
        Command::ListPolicies => policies::list(ports).await.map(shown),
        Command::DeletePolicy { policy } => {
            policies::delete(ports, asked, policy).await.map(decided)
        }
        Command::Bind { policy, source } => {
            bindings::bind(ports, asked, policy, source).await.map(decided)
        }
        Command::Unbind { policy, source } => {
            bindings::unbind(ports, asked, policy, source).await.map(decided)
        }
        Command::PauseBinding { policy, source, paused } => {
            bindings::pause(ports, asked, policy, source, *paused).await.map(decided)
        }
        Command::ListBindings { policy } => {
            bindings::list(ports, policy.as_deref()).await.map(shown)
        }
        Command::BackUp { source, policy, vault } => {
            jobs::back_up(ports, asked, source, policy.as_deref(), vault.as_deref())
                .await
                .map(decided)
        }
        Command::ListJobs { account, limit } => {
            jobs::list(ports, account.as_ref(), *limit).await.map(shown)
        }
        Command::ShowJob { job } => jobs::show(ports, job).await.map(shown),
        Command::CancelJob { job } => jobs::cancel(ports, asked, job).await.map(decided),
        Command::ListPoints { source, account, vault } => {
            points::list(ports, source.as_ref(), account.as_ref(), vault.as_deref())
                .await
                .map(shown)
        }
        Command::BrowsePoint { point, path } => points::browse(ports, point, path).await.map(shown),
        Command::DeletePoint { point } => points::delete(ports, asked, point).await.map(decided),
        Command::Restore { point, to, into, only, overwrite } => {
            restore::restore(ports, asked, point, to, into, only.as_deref(), *overwrite)
                .await
                .map(decided)
        }
        Command::ListAudit { account, limit } => {
            audit::list(ports, account.as_ref(), *limit).await.map(shown)
        }
        Command::ListSlots { policy, source, limit } => {
            slots::list(ports, policy, source, *limit).await.map(shown)
        }
    }
}

fn shown(answer: Answer) -> Outcome {
    Outcome::Shown(answer)
}

fn decided(change: Change) -> Outcome {
    Outcome::Decided(change)
}

/// Only [`Command::is_change`] and [`attempt`] together can bring this about.
fn unlike(command: &Command) -> ApiError {
    PortError::Invalid(format!("{command:?} is both a change and none")).into()
}

/// A failure that does not pass is a refusal: asking again changes nothing.
fn without_hope(error: ApiError) -> ApiError {
    match error {
        ApiError::Refused(refusal) => ApiError::Refused(refusal),
        ApiError::Port(error) => match error {
            PortError::Conflict
            | PortError::Expired
            | PortError::Throttled
            | PortError::TimedOut => ApiError::Port(error),
            PortError::NotFound(_)
            | PortError::Denied { .. }
            | PortError::Quota { .. }
            | PortError::Full(_)
            | PortError::Corrupt { .. }
            | PortError::Failed { .. }
            | PortError::Invalid(_) => Refusal::of(&error).into(),
        },
    }
}
