//! **No credential or key is in the store, the trace, a log or an error.**
//!
//! Types see to most of it: credentials and sessions can be neither printed nor serialized, which is
//! checked below when this is compiled. What types can't see is text that was made of them. Every
//! session has a token whose text begins with a mark that stands nowhere else; this looks for the
//! mark, and for the words that go with credentials, in rows as they are written down, in alerts, in
//! answers and in errors. A run's trace is a hash and its text is made of what is looked at here.

use std::fmt::{Debug, Display, Write};

use chrono::{DateTime, Utc};
use crossvault_handlers::{
    ports::{PortError, Stored},
    records::codec,
};
use serde::Serialize;

use super::{Oracle, broken, is_sampled};
use crate::{
    cloud::{Cloud, Fact, Issued, TOKEN_MARK},
    ports::SimCredentials,
    run::{Ending, Event, Invariant, Violation, Watch},
    world::Session,
};

/// What stands in credentials and keys, and nowhere else.
///
/// Source: RAM, "`AccessKey` pair" and STS API, `AssumeRole`, for ids that begin with `LTAI` and
/// for the names of the fields; RFC 7468 for keys.
const MARKS: [&str; 5] =
    [TOKEN_MARK, "LTAI", "AccessKeySecret", "SecurityToken", "PRIVATE KEY-----"];

/// Watches over secrecy.
#[derive(Clone, Default)]
pub struct Secrecy {
    is_paranoid: bool,
    text: String,
}

impl Oracle for Secrecy {
    const INVARIANT: Invariant = Invariant::Secrecy;

    fn be_paranoid(&mut self) {
        self.is_paranoid = true;
    }
}

impl Watch for Secrecy {
    fn event(&mut self, _: &Cloud, now: DateTime<Utc>, event: &Event<'_>) -> Result<(), Violation> {
        match event {
            Event::Answered { answer: Err(error), .. } => self.in_error(error),
            Event::Ended { ending: Ending::Failed { code, message }, .. } => {
                is_clean("error of a function", code)?;
                is_clean("error of a function", message)
            }
            Event::Ended { of, ending: Ending::Answered(answer), .. } => {
                let moment = now.timestamp_millis().cast_unsigned() ^ u64::from(of.0);
                if self.is_paranoid || is_sampled(moment) {
                    return self.in_text("answer", answer);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn fact(&mut self, _: &Cloud, _: DateTime<Utc>, fact: &Fact) -> Result<(), Violation> {
        match fact {
            Fact::Committed { changes, .. } => {
                let stored = changes.iter().filter_map(|change| change.after.as_deref());
                for (n, row) in (0_u64..).zip(stored) {
                    if self.is_paranoid || is_sampled(stamp(row) ^ (n << 40)) {
                        in_row(row)?;
                    }
                }
                Ok(())
            }
            Fact::Published { alert, .. } => {
                is_clean("alert", &alert.code)?;
                is_clean("alert", &alert.message)?;
                is_clean("alert", &alert.remedy)
            }
            _ => Ok(()),
        }
    }

    /// Looks at rows of one kind of stamp in sixteen: other runs look at others.
    fn at_rest(&mut self, cloud: &Cloud, now: DateTime<Utc>) -> Result<(), Violation> {
        let part = now.timestamp_millis().cast_unsigned() & 15;
        for (_, row) in cloud.rows.all() {
            if self.is_paranoid || stamp(row) & 15 == part {
                in_row(row)?;
            }
        }
        if self.is_paranoid {
            return cloud.alerts.iter().try_for_each(|alert| self.in_text("alert", alert));
        }
        Ok(())
    }
}

impl Secrecy {
    fn in_error(&mut self, error: &PortError) -> Result<(), Violation> {
        match error {
            PortError::NotFound(text) | PortError::Full(text) | PortError::Invalid(text) => {
                is_clean("error of a port", text)
            }
            PortError::Denied { .. }
            | PortError::Quota { .. }
            | PortError::Corrupt { .. }
            | PortError::Failed { .. } => self.in_text("error of a port", error),
            PortError::Conflict
            | PortError::Expired
            | PortError::Throttled
            | PortError::TimedOut => Ok(()),
        }
    }

    fn in_text(&mut self, site: &str, shown: &impl Debug) -> Result<(), Violation> {
        self.text.clear();
        if write!(self.text, "{shown:?}").is_err() {
            return Ok(());
        }
        is_clean(site, &self.text)
    }
}

fn stamp(row: &Stored) -> u64 {
    u64::try_from(row.version.0).unwrap_or(u64::MAX)
}

/// Looks at a row as a store would write it down.
fn in_row(row: &Stored) -> Result<(), Violation> {
    let name = row.record.name();
    match codec::encode(&row.record) {
        Ok(text) => is_clean(name, &text),
        Err(error) => Err(broken::<Secrecy>("UNWRITTEN", name, error.to_string())),
    }
}

fn is_clean(site: &str, text: &str) -> Result<(), Violation> {
    let Some(mark) = MARKS.into_iter().find(|mark| text.contains(mark)) else { return Ok(()) };
    // The rest of the text is not repeated: it may be the secret.
    let says = format!("`{mark}` stands in what nobody should find a credential in: {site}");
    Err(broken::<Secrecy>("TOLD", site, says))
}

/// Holds only for types that are neither `Debug` nor `Display` nor `Serialize`: for others there
/// are two of it, and this does not compile.
trait IsSilent<Way> {
    fn is_silent() {}
}

struct ByDebug;
struct ByDisplay;
struct BySerialize;

impl<T: ?Sized> IsSilent<()> for T {}
impl<T: ?Sized + Debug> IsSilent<ByDebug> for T {}
impl<T: ?Sized + Display> IsSilent<ByDisplay> for T {}
impl<T: ?Sized + Serialize> IsSilent<BySerialize> for T {}

const _: fn() = <SimCredentials as IsSilent<_>>::is_silent;
const _: fn() = <Session as IsSilent<_>>::is_silent;
const _: fn() = <Issued as IsSilent<_>>::is_silent;

#[cfg(test)]
mod tests;
