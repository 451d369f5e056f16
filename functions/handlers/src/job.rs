//! Takes one job one step. Trigger: queue; safe to run twice, late, or at the same time.
//!
//! A step claims the job (a higher fence, a lease, a turn of its account), asks for authority,
//! and advances the transfer until the job ends, rests at a checkpoint, or the platform's time
//! limit is near. Each commit on the way is progress bar, lease renewal, notice of a cancel, and
//! fence in one.

mod claim;
mod event;
mod finish;
mod order;
mod prune;
mod recover;
mod wake;

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    authorization::{self, Cause, Causes, Decision, Denial, Facts, Refused, Subject},
    explain::Explain,
    ids::JobId,
    job::{Illegal, Trouble},
};

pub use event::Happened;
pub(crate) use event::plan;
pub use recover::recover;
pub(crate) use wake::wake;

use self::claim::{Claim, Held};
use crate::{
    enqueue::later,
    facts::{self, Visit},
    ports::{
        Clock, Credentials, Directory, FailedFile, Order, PortError, Sources, Standing, Store,
        TransferName, Transfers,
    },
};

/// How long a step's claim lives without a commit: a pulse lost six times is a dead runner.
pub const LEASE: TimeDelta = TimeDelta::seconds(60);

/// How long before its credentials end a transfer is asked to stand at a checkpoint.
const WIND_DOWN: TimeDelta = TimeDelta::seconds(60);

/// How a platform paces its steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How often a transfer is asked how it stands, and how often a job that waits for its vault
    /// looks again.
    pub pulse: TimeDelta,
    /// The length of a job's first step; each further one doubles it.
    pub step: TimeDelta,
    /// How many jobs of one account may run at a time.
    pub turns: u16,
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// The job has ended.
    Ended,
    /// The job goes on with a further step.
    Rests,
    /// It waits for a turn of its account, or for its vault.
    Waits,
    /// Another invocation has the job, or it has ended before.
    Stale,
}

/// Why a step is delivered again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// The world failed in passing.
    #[error(transparent)]
    Port(#[from] PortError),
    /// A mistake of ours.
    #[error(transparent)]
    Illegal(#[from] Illegal),
}

impl Explain for StepError {
    fn code(&self) -> &'static str {
        match self {
            Self::Port(error) => error.code(),
            Self::Illegal(illegal) => illegal.code(),
        }
    }
    fn remedy(&self) -> String {
        match self {
            Self::Port(error) => error.remedy(),
            Self::Illegal(illegal) => illegal.remedy(),
        }
    }
}

/// Takes the job one step, until `stop_at` at the latest.
///
/// # Errors
/// A port's passing failure, after which the message is delivered again; what trying again does
/// not mend ends the job instead.
pub async fn step<P: Clock + Store + Directory + Sources + Transfers>(
    ports: &P,
    id: &JobId,
    pace: Pace,
    stop_at: DateTime<Utc>,
) -> Result<Done, StepError> {
    let mut held = match claim::claim(ports, id, pace).await? {
        Claim::Held(held) => *held,
        Claim::Waits => return Ok(Done::Waits),
        Claim::Stale => return Ok(Done::Stale),
    };
    tracing::debug!(job = %id, fence = held.job.fence, "claimed");
    let name = TransferName { job: id.clone(), fence: held.job.fence };
    let done = run(ports, &mut held, &name, pace, stop_at).await;
    if !matches!(done, Ok(Done::Rests)) {
        // Whatever ended the step, nothing may be sealed in its name afterwards.
        ports.halt(name).await?;
    }
    done
}

async fn run<P: Clock + Store + Directory + Sources + Transfers>(
    ports: &P,
    held: &mut Held,
    name: &TransferName,
    pace: Pace,
    stop_at: DateTime<Utc>,
) -> Result<Done, StepError> {
    if held.job.work.is_canceling() {
        ports.halt(name.clone()).await?;
        clear(ports, held, order::of(&held.job, name.clone(), pace, ports.now(), stop_at)).await;
        return tell(ports, held, Happened::Halted, vec![]).await.map(ending);
    }
    if !prune::make_way(ports, held).await? {
        claim::rest(ports, held, pace.pulse).await?;
        return Ok(Done::Waits);
    }
    let authority = match authorize(ports, held).await {
        Ok(Authority::Given(credentials)) => Ok(credentials),
        Ok(Authority::Refused(causes)) => Err(Happened::Refused(causes)),
        Err(PortError::Quota { quota, limit }) => {
            Err(Happened::Refused(Causes::one(Cause::QuotaExceeded {
                account: held.job.account.clone(),
                quota,
                limit,
            })))
        }
        Err(error) if may_pass(&error) => return Err(error.into()),
        Err(error) => Err(Happened::Broken(trouble(&error))),
    };
    let mut credentials = match authority {
        Ok(credentials) => credentials,
        Err(happened) => {
            ports.halt(name.clone()).await?;
            return tell(ports, held, happened, vec![]).await.map(ending);
        }
    };
    if !tell(ports, held, Happened::Authorized, vec![]).await? {
        return Ok(Done::Stale);
    }
    let pause_by = stop_at.min(in_time(&credentials, ports.now(), pace));
    let order = order::of(&held.job, name.clone(), pace, ports.now(), pause_by);
    // Whether the credentials are new and have not been of use yet.
    let mut is_fresh = false;
    loop {
        let report_by = later(ports.now(), pace.pulse);
        let (happened, failures) = match ports.advance(order.clone(), &credentials, report_by).await
        {
            Ok(standing) => {
                is_fresh = false;
                of_standing(standing)
            }
            Err(PortError::Expired) if !is_fresh => match authorize(ports, held).await? {
                Authority::Given(fresh) => {
                    (credentials, is_fresh) = (fresh, true);
                    continue;
                }
                Authority::Refused(causes) => (Happened::Refused(causes), vec![]),
            },
            Err(error) => {
                let is_valid = credentials.expires() > ports.now();
                (of_error(ports, held, error, is_valid).await?, vec![])
            }
        };
        let is_paused = matches!(happened, Happened::Paused { .. });
        if !tell(ports, held, happened, failures).await? {
            return Ok(Done::Stale);
        }
        if is_paused && !held.job.work.is_canceling() && held.job.lease_until.is_some() {
            // It stands where this step began: asked again at once, it would stand there still.
            let (fence, trouble) = (held.job.fence, trouble(&PortError::TimedOut));
            if !tell(ports, held, Happened::Stumbled { fence, trouble }, vec![]).await? {
                return Ok(Done::Stale);
            }
        }
        if held.job.work.is_ended() {
            return Ok(Done::Ended);
        }
        if held.job.work.is_canceling() {
            ports.halt(name.clone()).await?;
            return tell(ports, held, Happened::Halted, vec![]).await.map(ending);
        }
        if held.job.lease_until.is_none() {
            return Ok(Done::Rests);
        }
    }
}

/// When a transfer has to wind down so that it stands before its credentials end: what it moved
/// since its checkpoint would be lost with them. A pulse it always has.
fn in_time(credentials: &impl Credentials, now: DateTime<Utc>, pace: Pace) -> DateTime<Utc> {
    let end = credentials.expires();
    end.checked_sub_signed(WIND_DOWN).unwrap_or(end).max(later(now, pace.pulse))
}

/// Removes what the job's dead runners left half-written, as far as there is authority: the job
/// ends either way.
async fn clear<P: Store + Directory + Sources + Transfers>(ports: &P, held: &Held, order: Order) {
    if held.job.fence <= 1 {
        return;
    }
    let cleared = match authorize(ports, held).await {
        Ok(Authority::Given(credentials)) => ports.clear(order, &credentials).await,
        Ok(Authority::Refused(_)) => Ok(()),
        Err(error) => Err(error),
    };
    if let Err(error) = cleared {
        tracing::warn!(job = %held.job.id, %error, "what a dead step left stays");
    }
}

/// Stores what happened; false when the job is no longer ours.
async fn tell<P: Clock + Store + Directory>(
    ports: &P,
    held: &mut Held,
    happened: Happened,
    failures: Vec<FailedFile>,
) -> Result<bool, StepError> {
    event::store(ports, held, happened, failures).await
}

fn ending(is_ours: bool) -> Done {
    if is_ours { Done::Ended } else { Done::Stale }
}

fn of_standing(standing: Standing) -> (Happened, Vec<FailedFile>) {
    match standing {
        Standing::Moving { progress, failures } => (Happened::Moved(progress), failures),
        Standing::Paused { at, progress, failures } => {
            (Happened::Paused { at, progress }, failures)
        }
        Standing::Sealed { sealed, progress, failures } => {
            (Happened::Sealed { sealed, progress }, failures)
        }
    }
}

enum Authority<C> {
    Given(C),
    Refused(Causes),
}

/// Asks for authority anew: facts, then the decision. Upkeep touches only the management
/// account's own vaults.
async fn authorize<P: Store + Directory + Sources>(
    ports: &P,
    held: &Held,
) -> Result<Authority<P::Credentials>, PortError> {
    let Some(subject) = order::subject(&held.job, ports.management()) else {
        return Ok(Authority::Given(ports.own().await?));
    };
    let read = read(ports, held, &subject).await?;
    match (authorization::decide(&subject, &read.facts), read.credentials) {
        (Decision::Allowed(_), Some(credentials)) => Ok(Authority::Given(credentials)),
        (Decision::Denied(causes), _) => Ok(Authority::Refused(causes)),
        (Decision::Allowed(_), None) => {
            Err(PortError::Invalid("a way that is open gave no credentials".to_owned()))
        }
    }
}

/// Reads the facts, and enters the roles for what the job does and for the look at its source.
async fn read<P: Store + Directory + Sources>(
    ports: &P,
    held: &Held,
    subject: &Subject,
) -> Result<facts::Read<P::Credentials>, PortError> {
    let operations = [subject.operation.look(), subject.operation];
    let visit = Visit { session: held.job.id.as_str(), operations: &operations };
    facts::of_subject(ports, subject, visit).await
}

fn trouble(error: &PortError) -> Trouble {
    Trouble { code: error.root_code().to_owned(), ..Trouble::of(error) }
}

/// Whether trying again may mend it; what is missing or denied may be a change on its way.
fn may_pass(error: &PortError) -> bool {
    match error {
        PortError::Conflict
        | PortError::NotFound(_)
        | PortError::Denied { .. }
        | PortError::Expired
        | PortError::Throttled
        | PortError::TimedOut => true,
        PortError::Full(_)
        | PortError::Corrupt { .. }
        | PortError::Quota { .. }
        | PortError::Failed { .. }
        | PortError::Invalid(_) => false,
    }
}

/// What a failed call means for the job, made with credentials that are valid by our clock or not.
async fn of_error<P: Store + Directory + Sources>(
    ports: &P,
    held: &Held,
    error: PortError,
    is_valid: bool,
) -> Result<Happened, PortError> {
    let trouble = trouble(&error);
    let refused = match error {
        PortError::Denied { action, resource, by } => {
            Some(Refused::Denied(Denial { action, resource, by }))
        }
        PortError::Quota { quota, limit } => Some(Refused::Quota { quota, limit }),
        // The credentials are new: the cloud's clock and ours differ.
        PortError::Expired if is_valid => Some(Refused::Expired),
        PortError::NotFound(_) => None,
        PortError::Conflict | PortError::Expired | PortError::Throttled | PortError::TimedOut => {
            return Ok(Happened::Stumbled { fence: held.job.fence, trouble });
        }
        PortError::Full(_)
        | PortError::Corrupt { .. }
        | PortError::Failed { .. }
        | PortError::Invalid(_) => return Ok(Happened::Broken(trouble)),
    };
    // If the facts allow the call, a change has not spread yet.
    Ok(match causes_of(ports, held, refused).await? {
        Some(causes) => Happened::Refused(causes),
        None => Happened::Stumbled { fence: held.job.fence, trouble },
    })
}

/// The causes behind a call that was refused: what the facts show now, and what the refusal itself
/// says where they show nothing.
async fn causes_of<P: Store + Directory + Sources>(
    ports: &P,
    held: &Held,
    refused: Option<Refused>,
) -> Result<Option<Causes>, PortError> {
    let Some(subject) = order::subject(&held.job, ports.management()) else {
        return Ok(None);
    };
    let read = read(ports, held, &subject).await?;
    let facts = Facts { refused, ..read.facts };
    Ok(match authorization::decide(&subject, &facts) {
        Decision::Denied(causes) => Some(causes),
        Decision::Allowed(_) => None,
    })
}
