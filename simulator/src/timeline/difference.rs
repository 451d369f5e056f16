//! What changed between two values, so that a run's every state fits into a page.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::Value;

/// How a value became another. As JSON: `0` when it is gone, `[value]` when it is another one, an
/// object for what changed inside of an object, or of an array of the same length, by index.
#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    /// It is gone.
    Gone,
    /// It is this now.
    Is(Value),
    /// Parts of it changed.
    Parts(BTreeMap<String, Difference>),
}

impl Difference {
    /// What leads from one value to another; none when they are equal.
    #[must_use]
    pub fn between(before: Option<&Value>, after: Option<&Value>) -> Option<Self> {
        match (before, after) {
            (None, None) => None,
            (Some(_), None) => Some(Self::Gone),
            (Some(before), Some(after)) if before == after => None,
            (Some(before), Some(after)) => match parts(before, after) {
                Some(parts) => Some(Self::Parts(parts)),
                None => Some(Self::Is(after.clone())),
            },
            (None, Some(after)) => Some(Self::Is(after.clone())),
        }
    }
}

/// What changed inside; none when the two have nothing in common that could stay.
fn parts(before: &Value, after: &Value) -> Option<BTreeMap<String, Difference>> {
    let mut parts = BTreeMap::new();
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for key in before.keys().chain(after.keys()) {
                if let Some(part) = Difference::between(before.get(key), after.get(key)) {
                    parts.insert(key.clone(), part);
                }
            }
        }
        (Value::Array(before), Value::Array(after)) if before.len() == after.len() => {
            for (n, (before, after)) in before.iter().zip(after).enumerate() {
                if let Some(part) = Difference::between(Some(before), Some(after)) {
                    parts.insert(n.to_string(), part);
                }
            }
        }
        _ => return None,
    }
    Some(parts)
}

impl Serialize for Difference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Gone => serializer.serialize_u8(0),
            Self::Is(value) => [value].serialize(serializer),
            Self::Parts(parts) => parts.serialize(serializer),
        }
    }
}

/// The value without what is absent in it: an option that is none says no more than no field.
pub(super) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let present = fields.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(present.map(|(key, value)| (key, without_nulls(value))).collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(without_nulls).collect()),
        other => other,
    }
}
