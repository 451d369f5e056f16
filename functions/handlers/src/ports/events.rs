use std::future::Future;

use crossvault_core::{alert::Alert, ids::EffectId};

use super::PortError;

/// News for people and their programs, as CloudEvents.
pub trait Events: Sync {
    /// Publishes an alert. The id is the event's id: receivers drop repeats by it.
    ///
    /// # Errors
    /// A passing failure; it may have been published.
    fn publish(
        &self,
        id: EffectId,
        alert: Alert,
    ) -> impl Future<Output = Result<(), PortError>> + Send;
}
