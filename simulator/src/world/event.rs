//! What the cloud tells of a deed: the events of its audit trail, as an event bus delivers them.
//!
//! Source: `ActionTrail`, "Management event structure"; the names are those of the API operations of
//! RAM and of the resource directory.

mod calls;

use chrono::{DateTime, SecondsFormat, Utc};
use crossvault_core::ids::{AccountId, TrailEventId};
use serde_json::{Value, json};

use self::calls::{Call, calls};
use super::{Change, Command, World};

/// An event, and whose trail has it.
///
/// Outside a directory nobody but that account sees it: who passes it on decides who hears of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The account whose resource was touched.
    pub account: AccountId,
    /// A `CloudEvent` 1.0 as JSON text, whose data is an event of `ActionTrail`.
    pub json: String,
}

/// The events that a command leaves: none when it changed nothing, or when the cloud has no
/// operation like it. `before` is the world as it was, `changes` what was decided on it.
#[must_use]
pub fn events(
    before: &World,
    now: DateTime<Utc>,
    command: &Command,
    changes: &[Change],
) -> Vec<Event> {
    if changes.is_empty() {
        return Vec::new();
    }
    calls(before, command, changes).into_iter().map(|call| told(call, now)).collect()
}

fn told(call: Call, now: DateTime<Utc>) -> Event {
    let Call { operation, service, region, recipient, parameters, answer, caller } = call;
    let at = now.to_rfc3339_opts(SecondsFormat::Secs, true);
    let id = TrailEventId::derive(&[
        recipient.as_str(),
        operation,
        &now.to_rfc3339_opts(SecondsFormat::Nanos, true),
        &parameters.to_string(),
    ]);
    let name = service.name();
    let event = json!({
        "eventId": id,
        "eventVersion": "1",
        "eventTime": at,
        "eventName": operation,
        "eventType": "ApiCall",
        "eventRW": "Write",
        "eventSource": service.endpoint(),
        "serviceName": name,
        "apiVersion": service.version(),
        "acsRegion": region,
        "requestId": id,
        "recipientAccountId": recipient,
        "userIdentity": caller.identity(),
        "requestParameters": parameters,
        "responseElements": answer.unwrap_or(Value::Null),
        "sourceIpAddress": "127.0.0.1",
        "userAgent": "crossvault-world",
    });
    let kind = name.to_ascii_lowercase();
    let envelope = json!({
        "specversion": "1.0",
        "id": id,
        "source": format!("acs.{kind}"),
        "type": format!("{kind}:ActionTrail:ApiCall"),
        "subject": format!("acs:{kind}:{region}:{recipient}:{operation}"),
        "time": at,
        "datacontenttype": "application/json;charset=utf-8",
        "aliyunaccountid": recipient,
        "aliyunregionid": region,
        "aliyunpublishtime": at,
        "aliyuneventbusname": "default",
        "data": event,
    });
    Event { account: recipient, json: envelope.to_string() }
}
