//! What became of a binding's slots.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use crossvault_core::{backup_policy::Binding, ids::DataSource};

use super::{
    Answer, ApiError, SlotView,
    jobs::check_limit,
    names::{self, unknown},
    rows,
};
use crate::{
    ports::Store,
    records::{Key, MissedSlots, Partition, SlotRow, Sort},
};

/// Lists the decided slots of a binding, newest first; also of one that was taken off its source.
pub(super) async fn list(
    ports: &impl Store,
    policy: &str,
    source: &DataSource,
    limit: usize,
) -> Result<Answer, ApiError> {
    check_limit(limit, 99)?;
    let (policy, _) = names::policy(ports, policy).await?;
    let id = Binding::id(&policy.id, source);
    let partition = Partition::Binding(id.clone());
    let (from, to) = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
    let slots: Vec<SlotRow> =
        rows::newest(ports, partition.clone(), Sort::Slot(from), Sort::Slot(to), limit).await?;
    let missed: Vec<MissedSlots> =
        rows::newest(ports, partition, Sort::Missed(from), Sort::Missed(to), limit).await?;
    let slots = slots.into_iter().map(|row| SlotView::Slot { due: row.due, outcome: row.outcome });
    let missed = missed.into_iter().map(|row| SlotView::Missed(row.missed));
    let mut views: Vec<SlotView> = slots.chain(missed).collect();
    if views.is_empty() && ports.get(Key::binding(&id)).await?.is_none() {
        return Err(unknown("binding", &format!("{} to {source}", policy.name)));
    }
    views.sort_by_key(|view| Reverse(time(view)));
    views.truncate(limit);
    Ok(Answer::Slots(views))
}

fn time(view: &SlotView) -> DateTime<Utc> {
    match view {
        SlotView::Slot { due, .. } => *due,
        SlotView::Missed(missed) => missed.last,
    }
}
