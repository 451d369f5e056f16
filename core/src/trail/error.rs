//! What is no event of a trail: the rule that it breaks, its place, what to do.

use crate::{explain::Explain, ids::InvalidId};

/// A text that is not the event it should be, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no event of a trail, at `{place}`: {rule}")]
pub struct InvalidEvent {
    /// The place, as a JSON path such as `$.data.requestParameters.RoleName`.
    pub place: String,
    /// What is wrong there.
    pub rule: Rule,
}

/// A rule for events, as it was broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// The text is not JSON.
    #[error("not JSON: {0}")]
    NotJson(String),
    /// It is neither a CloudEvent nor an event of ActionTrail.
    #[error("neither `specversion` nor `eventName` is there")]
    NotATrailEvent,
    /// A CloudEvent of another version.
    #[error("version `{0}` of CloudEvents is not 1.0")]
    Version(String),
    /// A member that must be there is not.
    #[error("it is missing")]
    Missing,
    /// A member has a value of another type.
    #[error("it is not {0}")]
    WrongType(&'static str),
    /// A text is not what it should be.
    #[error(transparent)]
    Invalid(#[from] InvalidId),
}

impl InvalidEvent {
    pub(super) fn new(place: impl Into<String>, rule: Rule) -> Self {
        Self { place: place.into(), rule }
    }

    pub(super) fn not_json(error: &serde_json::Error) -> Self {
        Self::new("$", Rule::NotJson(error.to_string()))
    }
}

impl Explain for InvalidEvent {
    fn code(&self) -> &'static str {
        "INVALID_EVENT"
    }
    fn remedy(&self) -> String {
        match &self.rule {
            Rule::NotJson(_) | Rule::NotATrailEvent => {
                "Give one event of ActionTrail as JSON, alone or in the CloudEvent of EventBridge."
                    .to_owned()
            }
            Rule::Version(_) => "Let the event's sender speak CloudEvents 1.0.".to_owned(),
            Rule::Missing | Rule::WrongType(_) => {
                format!("Send the event whole, with `{}` as ActionTrail records it.", self.place)
            }
            Rule::Invalid(invalid) => format!("Let `{}` be {}.", self.place, invalid.expected),
        }
    }
}
