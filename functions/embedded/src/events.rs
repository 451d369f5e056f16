//! Alerts on one machine: kept with the state, each once, as CloudEvents.

use crossvault_core::{alert::Alert, ids::EffectId};
use crossvault_handlers::ports::{Events, Identity, PortError};

use crate::platform::Embedded;

impl Events for Embedded {
    async fn publish(&self, id: EffectId, alert: Alert) -> Result<(), PortError> {
        let at = alert.at;
        let event = alert.cloud_event(&id, &self.management());
        self.store().add_alert(id.to_string(), at, event.to_string()).await?;
        Ok(())
    }
}
