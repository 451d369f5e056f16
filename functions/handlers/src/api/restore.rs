//! Restores of recovery points into sources.

use crossvault_core::{
    ids::{DataSource, PointId},
    job::State,
    restore::{Overwrite, plan},
};

use super::{
    ApiError, Refusal,
    bindings::check_kind,
    change::{Asked, Change},
    names::unknown,
};
use crate::{
    points,
    ports::{Clock, Sources, Store, Transaction},
    records::JobWork,
};

/// Writes a recovery point's content into a source of the management account or of any granted
/// one. The point stays as long as the job reads it.
///
/// Authority over the target is asked at the job's first step: a job that lacks it ends with the
/// cause, and its files are untouched.
pub(super) async fn restore<P: Clock + Store + Sources>(
    ports: &P,
    asked: &Asked,
    point: &PointId,
    to: &DataSource,
    into: &str,
    only: Option<&str>,
    overwrite: Overwrite,
) -> Result<Change, ApiError> {
    let Some((mut row, seen)) = points::find(ports, point).await? else {
        return Err(unknown("recovery point", point));
    };
    let restore = plan(&row.0, to, into, only, overwrite).map_err(Refusal::from)?;
    check_kind(ports, to)?;
    let mut transaction = Transaction::default();
    row.0.in_use_by.push(asked.job());
    transaction.replace(row.into(), seen);
    let work = JobWork::Restore(restore, State::Queued);
    asked.start(ports, transaction, work, to.account.clone(), ports.now()).await
}
