//! A part of an event, with its place for messages.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::error::{InvalidEvent, Rule};
use crate::ids::InvalidId;

/// How long a text may be: longer than any name or id of the cloud.
const TEXT_BYTES_MAX: usize = 512;

/// An object within an event.
pub(super) struct Part<'a> {
    members: &'a Map<String, Value>,
    place: String,
}

impl<'a> Part<'a> {
    /// The whole event.
    pub(super) fn root(json: &'a Value) -> Result<Self, InvalidEvent> {
        Self::of(json, "$".to_owned())
    }

    fn of(json: &'a Value, place: String) -> Result<Self, InvalidEvent> {
        match json.as_object() {
            Some(members) => Ok(Self { members, place }),
            None => Err(InvalidEvent::new(place, Rule::WrongType("an object"))),
        }
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// The place of a member.
    pub(super) fn under(&self, name: &str) -> String {
        format!("{}.{name}", self.place)
    }

    /// Whether a member says anything: `null` and an empty text do not.
    pub(super) fn has(&self, name: &str) -> bool {
        self.found(name).is_some()
    }

    /// An object that must be there.
    pub(super) fn part(&self, name: &str) -> Result<Self, InvalidEvent> {
        Self::of(self.needed(name)?, self.under(name))
    }

    /// A text that must be there; a whole number is taken for its digits.
    pub(super) fn text(&self, name: &str) -> Result<String, InvalidEvent> {
        match self.needed(name)? {
            Value::String(text) if text.len() <= TEXT_BYTES_MAX => Ok(text.clone()),
            Value::String(_) => {
                Err(InvalidEvent::new(self.under(name), Rule::WrongType("of at most 512 bytes")))
            }
            Value::Number(number) if number.is_u64() => Ok(number.to_string()),
            Value::Number(_)
            | Value::Null
            | Value::Bool(_)
            | Value::Array(_)
            | Value::Object(_) => {
                Err(InvalidEvent::new(self.under(name), Rule::WrongType("a text")))
            }
        }
    }

    /// An id that must be there.
    pub(super) fn parsed<T: FromStr<Err = InvalidId>>(
        &self,
        name: &str,
    ) -> Result<T, InvalidEvent> {
        self.parsed_from(name, |text| text)
    }

    /// An id that must be within a text.
    pub(super) fn parsed_from<T: FromStr<Err = InvalidId>>(
        &self,
        name: &str,
        within: impl Fn(&str) -> &str,
    ) -> Result<T, InvalidEvent> {
        let text = self.text(name)?;
        within(&text)
            .parse()
            .map_err(|error| InvalidEvent::new(self.under(name), Rule::from(error)))
    }

    /// An instant that must be there.
    pub(super) fn time(&self, name: &str) -> Result<DateTime<Utc>, InvalidEvent> {
        let wrong = |_| {
            let rule = Rule::WrongType("an instant such as `2026-03-01T08:58:50Z`");
            InvalidEvent::new(self.under(name), rule)
        };
        DateTime::parse_from_rfc3339(&self.text(name)?).map_err(wrong).map(|at| at.to_utc())
    }

    /// Whether a member is true, as a value or as a text.
    pub(super) fn is_true(&self, name: &str) -> bool {
        match self.found(name) {
            Some(Value::Bool(is_true)) => *is_true,
            Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
            Some(Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_)) | None => {
                false
            }
        }
    }

    fn found(&self, name: &str) -> Option<&'a Value> {
        let says = |value: &&Value| !value.is_null() && value.as_str() != Some("");
        self.members.get(name).filter(says)
    }

    fn needed(&self, name: &str) -> Result<&'a Value, InvalidEvent> {
        self.found(name).ok_or_else(|| InvalidEvent::new(self.under(name), Rule::Missing))
    }
}
