//! Jobs: backups by hand, and what all jobs come to.

use chrono::{DateTime, Utc};
use crossvault_core::{
    backup::Backup,
    backup_policy::BackupPolicy,
    explain::Explain,
    ids::{AccountId, DataSource, JobId},
    job::{State, Trouble},
};

use super::{
    Answer, ApiError, JobView, Refusal,
    bindings::{self, Bound, check_kind},
    change::{Asked, Change, Note},
    names::{self, unknown},
    rows,
};
use crate::{
    job::{self, Happened, StepError},
    ports::{Clock, Directory, FailedFile, Sources, Store, Transaction},
    records::{
        AFTER_ALL, Busy, BusyOf, Failures, Job, JobRef, JobWork, Key, Partition, Sort, read,
    },
};

/// Backs up a source now: for a binding of it, or into a vault without a policy's retention.
///
/// With neither policy nor vault the source's only binding is meant. Authority is asked at the
/// job's first step: a job that lacks it ends with the cause.
pub(super) async fn back_up<P: Clock + Store + Sources>(
    ports: &P,
    asked: &Asked,
    source: &DataSource,
    policy: Option<&str>,
    vault: Option<&str>,
) -> Result<Change, ApiError> {
    check_kind(ports, source)?;
    let mut transaction = Transaction::default();
    let backup = match (policy, vault) {
        (Some(policy), vault) => {
            let (policy, bound) = bindings::find(ports, policy, source).await?;
            if let Some(vault) = vault
                && names::vault(ports, vault).await?.id != policy.vault
            {
                let name = format!("{vault} of policy {}", policy.name);
                return Err(unknown("vault", &name));
            }
            for_binding(&mut transaction, &policy, &bound)
        }
        (None, Some(vault)) => Backup {
            source: source.clone(),
            vault: names::vault(ports, vault).await?.id,
            policy: None,
            binding: None,
            due: None,
        },
        (None, None) => {
            let found = bindings::of_source(ports, source).await?;
            let [(policy, bound)] = found.as_slice() else {
                return Err(Refusal::NoVault.into());
            };
            for_binding(&mut transaction, policy, bound)
        }
    };
    let of = BusyOf::of(&backup);
    if let Some((busy, _)) = read::<Busy>(ports, Key::busy(&of)).await? {
        return Err(Refusal::Busy { job: busy.job }.into());
    }
    transaction.create(Busy { of, job: asked.job() }.into());
    let work = JobWork::Backup(backup, State::Queued);
    asked.start(ports, transaction, work, source.account.clone(), ports.now()).await
}

/// Lists the newest jobs of one account or of all.
pub(super) async fn list<P: Store + Directory>(
    ports: &P,
    account: Option<&AccountId>,
    limit: usize,
) -> Result<Answer, ApiError> {
    check_limit(limit, 99)?;
    // Every job is referred to under the backup management account too.
    let account = account.cloned().unwrap_or_else(|| ports.management());
    let partition = Partition::Account(account);
    let from = Sort::Job(DateTime::<Utc>::MIN_UTC, "".into());
    let to = Sort::Job(DateTime::<Utc>::MAX_UTC, AFTER_ALL.into());
    let references: Vec<JobRef> = rows::newest(ports, partition, from, to, limit).await?;
    let keys = references.iter().map(|reference| Key::job(&reference.job)).collect();
    let jobs = rows::many::<Box<Job>>(ports, keys).await?;
    Ok(Answer::Jobs(jobs.iter().map(|(job, _)| JobView::of(job)).collect()))
}

/// Shows a job with the files that it could not move, as far as they are named.
pub(super) async fn show(ports: &impl Store, id: &JobId) -> Result<Answer, ApiError> {
    let Some((job, _)) = read::<Box<Job>>(ports, Key::job(id)).await? else {
        return Err(unknown("job", id));
    };
    // Pages beyond are of an earlier attempt.
    let keys = (0..job.failure_pages).map(|page| Key::failures(id, page));
    let pages = rows::many::<Failures>(ports, keys.collect()).await?;
    let failures: Vec<FailedFile> = pages.into_iter().flat_map(|(page, _)| page.files).collect();
    Ok(Answer::Job(Box::new(JobView { failures, ..JobView::of(&job) })))
}

/// Asks a job to stop. One that has not begun ends at once; one that runs stops at its next pulse.
pub(super) async fn cancel<P: Clock + Store + Directory>(
    ports: &P,
    asked: &Asked,
    id: &JobId,
) -> Result<Change, ApiError> {
    let Some((job, seen)) = read::<Box<Job>>(ports, Key::job(id)).await? else {
        return Err(unknown("job", id));
    };
    if job.work.is_ended() {
        return Err(Refusal::JobEnded { job: id.clone(), status: job.work.status() }.into());
    }
    if job.work.is_canceling() {
        return Ok(Change::none(Answer::JobStarted(id.clone())));
    }
    let now = ports.now();
    let planned = job::plan(ports, &job, seen, Happened::CancelAsked, now).await;
    let mut transaction = planned.map_err(of_step)?.into_transaction();
    let (what, why) = ("job.cancel-asked", job.work.kind().to_owned());
    let note = Note { what, subject: id.as_str(), account: &job.account, why };
    asked.note(&mut transaction, now, note);
    Ok(Change { transaction, answer: Answer::JobStarted(id.clone()) })
}

/// Refuses a limit of a list that is out of bounds.
pub(super) fn check_limit(limit: usize, high: u64) -> Result<(), Refusal> {
    let given = u64::try_from(limit).unwrap_or(u64::MAX);
    if (1..=high).contains(&given) {
        Ok(())
    } else {
        Err(Refusal::OutOfBounds { what: "the limit", low: 1, high, given })
    }
}

/// A backup for a binding, which must still be there when the job is made.
fn for_binding(transaction: &mut Transaction, policy: &BackupPolicy, bound: &Bound) -> Backup {
    let (row, seen) = bound;
    transaction.check(Key::binding(&row.0.id), *seen);
    Backup {
        source: row.0.source.clone(),
        vault: policy.vault.clone(),
        policy: Some(policy.id.clone()),
        binding: Some(row.0.id.clone()),
        due: None,
    }
}

fn of_step(error: StepError) -> ApiError {
    match error {
        StepError::Port(error) => error.into(),
        StepError::Illegal(illegal) => {
            let trouble = Trouble { code: illegal.code().to_owned(), ..Trouble::of(&illegal) };
            Refusal::Trouble(trouble).into()
        }
    }
}
