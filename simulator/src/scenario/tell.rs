//! How acts and their values are written: what [`super::words`] reads.

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{ids::AccountId, policy::trust_policy_for, restore::Overwrite};
use serde_json::{Map, Value};

use super::{
    MANAGEMENT, time,
    words::{Words, command_word, kebab, split, usual},
};
use crate::{
    cloud::Size,
    script::{Act, Action},
};

/// A text in quotes.
pub(super) fn quoted(text: &str) -> String {
    if text.contains('"') && !text.contains('\'') && !text.chars().any(char::is_control) {
        return format!("'{text}'");
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.extend(format!("\\u{:04X}", u32::from(c)).chars()),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A key, in quotes if it must be.
pub(super) fn key(text: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !text.is_empty() && text.chars().all(is_bare) { text.to_owned() } else { quoted(text) }
}

impl Words<'_> {
    /// A moment as it is read.
    pub(super) fn moment(&self, at: DateTime<Utc>) -> String {
        time::signed(at.signed_duration_since(self.start))
    }

    /// A schedule as it is read.
    pub(super) fn schedule_words(&self, schedule: &str) -> String {
        let in_words = || {
            let (from, every) = schedule.strip_prefix("I|")?.split_once('|')?;
            let from = DateTime::from_timestamp(from.parse().ok()?, 0)?;
            let (digits, unit) =
                (every.trim_matches(|c: char| !c.is_ascii_digit()), every.chars().last()?);
            let unit = match (unit, every.starts_with("PT")) {
                ('D', false) => 86_400,
                ('H', true) => 3600,
                ('M', true) => 60,
                ('S', true) => 1,
                _ => return None,
            };
            let seconds = digits.parse::<i64>().ok()?.checked_mul(unit)?;
            let length = TimeDelta::try_seconds(seconds)?;
            let is_canonical = time::iso(seconds) == every;
            let text = format!("every {} from {}", time::words(length), self.moment(from));
            is_canonical.then_some(text)
        };
        in_words().unwrap_or_else(|| schedule.to_owned())
    }

    /// A value as it is read.
    fn toml(&self, name: &str, value: &Value) -> String {
        match (name, value) {
            ("account" | "caller" | "target", Value::String(id)) => quoted(
                &id.parse().map_or_else(|_| id.clone(), |id| self.names.name(&id).to_owned()),
            ),
            ("source" | "to", Value::String(text)) => quoted(
                &text
                    .parse()
                    .map_or_else(|_| text.clone(), |source| self.names.source_name(&source)),
            ),
            ("schedule", Value::String(text)) => quoted(&self.schedule_words(text)),
            ("trust", Value::String(text)) if *text == trust_policy_for(&self.management) => {
                quoted(MANAGEMENT)
            }
            ("method", Value::String(_)) => quoted("directory"),
            ("method", Value::Object(_)) => {
                let role = value.pointer("/Role/name").and_then(Value::as_str).unwrap_or_default();
                quoted(&format!("role {role}"))
            }
            ("overwrite", Value::String(text)) => quoted(&text.to_ascii_lowercase()),
            (_, Value::String(text)) => quoted(text),
            (_, Value::Array(all)) => {
                let all: Vec<_> = all.iter().map(|one| self.toml("", one)).collect();
                format!("[{}]", all.join(", "))
            }
            (_, Value::Object(map)) => {
                let parts = self.parts(name, map);
                if parts.is_empty() {
                    "{}".to_owned()
                } else {
                    format!("{{ {} }}", parts.join(", "))
                }
            }
            (_, other) => other.to_string(),
        }
    }

    /// Fields as they are read, but for those that are as usual.
    fn parts(&self, word: &str, map: &Map<String, Value>) -> Vec<String> {
        let is_told = |name: &str, value: &Value| {
            !value.is_null() && usual(word, name).as_ref() != Some(value) && name != "command"
        };
        map.iter()
            .filter(|(name, value)| is_told(name, value))
            .map(|(name, value)| (name, self.toml(name, value)))
            .filter(|(name, text)| {
                !(*name == "retention" && text == "{}" && word == "create-policy")
            })
            .map(|(name, text)| format!("{} = {text}", key(name)))
            .collect()
    }

    /// An act as it is read, on one line.
    ///
    /// Its number is left out if it is `n`.
    pub(super) fn act_words(&self, n: u32, act: &Act) -> String {
        let source = |source| quoted(&self.names.source_name(source));
        let at = format!("at = {}", quoted(&self.moment(act.at)));
        let by = |account: &AccountId| format!("by = {}", quoted(self.names.name(account)));
        let mut parts = vec![at];
        let id = (act.id != n).then(|| format!("id = {}", act.id));
        match &act.action {
            Action::Does(command) => {
                let (variant, fields) = split(&command.deed);
                let word = kebab(&variant);
                parts.push(by(&command.by));
                parts.push(format!("does = {}", quoted(&word)));
                parts.extend(self.parts(&word, fields.as_object().unwrap_or(&Map::new())));
            }
            Action::Asks { caller, command } => {
                let value = serde_json::to_value(command).unwrap_or_default();
                let word = command_word(command);
                if *caller != self.management {
                    parts.push(by(caller));
                }
                parts.push(format!("asks = {}", quoted(&word)));
                parts.extend(self.parts(&word, value.as_object().unwrap_or(&Map::new())));
            }
            Action::Opens { source: of, size } => {
                parts.push(format!("opens = {}", source(of)));
                parts.extend(size_words(*size));
            }
            Action::Edits(of) => parts.push(format!("edits = {}", source(of))),
            Action::Restores { of, to, into, overwrite } => {
                parts.push(format!("restores = {}", source(of)));
                parts.push(format!("to = {}", source(to)));
                if !into.is_empty() {
                    parts.push(format!("into = {}", quoted(into)));
                }
                if *overwrite == Overwrite::Replace {
                    parts.push("overwrite = \"replace\"".to_owned());
                }
            }
            Action::Cancels(of) => parts.push(format!("cancels = {}", source(of))),
            Action::Deletes(of) => parts.push(format!("deletes = {}", source(of))),
            Action::Retains => parts.push("runs = \"retention\"".to_owned()),
            Action::Reviews => parts.push("runs = \"review\"".to_owned()),
            Action::Waits => parts = vec![format!("until = {}", quoted(&self.moment(act.at)))],
        }
        format!("{{ {} }}", id.into_iter().chain(parts).collect::<Vec<_>>().join(", "))
    }
}

/// What a source holds, as it is read, where it is not as usual.
pub(super) fn size_words(size: Size) -> Vec<String> {
    let usual = Size::default();
    let mut parts = Vec::new();
    if size.files != usual.files {
        parts.push(format!("files = {}", size.files));
    }
    if size.length != usual.length {
        parts.push(format!("length = {}", size.length));
    }
    parts
}
