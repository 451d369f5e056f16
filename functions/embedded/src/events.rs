//! Alerts on one machine: kept with the state, each once, as CloudEvents.

use crossvault_core::{alert::Alert, ids::EffectId};
use crossvault_handlers::ports::{Events, Identity, PortError};
use serde_json::json;

use crate::platform::Embedded;

impl Events for Embedded {
    async fn publish(&self, id: EffectId, alert: Alert) -> Result<(), PortError> {
        let at = alert.at;
        let event = json!({
            "specversion": "1.0",
            "id": id.to_string(),
            "source": format!("crossvault/{}", self.management()),
            "type": alert.kind,
            "time": at.to_rfc3339(),
            "subject": alert.job.as_ref().map(ToString::to_string),
            "datacontenttype": "application/json",
            "data": alert,
        });
        self.store().add_alert(id.to_string(), at, event.to_string()).await?;
        Ok(())
    }
}
