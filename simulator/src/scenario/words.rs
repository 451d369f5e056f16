//! What people do, in words: `does = "delete-role"`, `asks = "back-up"`, `restores = …`.
//!
//! Deeds and commands are read and written through their own serialization, so each that there is
//! has its word and its fields at once. Accounts and sources are called by their names.

use chrono::{DateTime, Utc};
use crossvault_core::{
    ids::{AccountId, DataSource},
    policy::trust_policy_for,
    restore::Overwrite,
};
use crossvault_handlers::api;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use toml::de::DeValue;

use super::{
    HOME, MANAGEMENT, Names,
    table::{Field, Read, Table},
    time,
    wrong::Mistake,
};
use crate::{
    cloud::Size,
    script::{Act, Action},
    world::{self, Deed},
};

/// The words that say what an act is.
const VERBS: [&str; 8] =
    ["does", "asks", "opens", "edits", "restores", "cancels", "deletes", "runs"];

pub(super) const ACCOUNT: &str = "the name or id of an account";
pub(super) const SOURCE: &str = "a source, such as `payroll/nas/fs-1`";
const METHOD: &str = "`directory` or a role, such as `role hbrcrossrole`";
const OVERWRITE: [(&str, Overwrite); 2] =
    [("refuse", Overwrite::Refuse), ("replace", Overwrite::Replace)];

/// What words mean in a scenario.
pub(super) struct Words<'n> {
    pub(super) names: &'n Names,
    pub(super) start: DateTime<Utc>,
    pub(super) management: AccountId,
}

/// What a field is if it is left out, for those that mostly are the same.
pub(super) fn usual(word: &str, key: &str) -> Option<Value> {
    Some(match (word, key) {
        ("add-account", "alias") | ("restore", "into") | ("put-source", "name" | "location") => {
            json!("")
        }
        ("add-account", "consent") | ("put-source", "running") => json!(true),
        ("add-account" | "create-vault", "region") => json!(HOME),
        ("create-policy", "zone") => json!("UTC"),
        ("create-policy", "retention") => json!({}),
        ("add-member", "joined") => json!("created"),
        ("remove-account", "jobs") => json!("finish"),
        ("retention", "keep_latest") => json!(false),
        _ => return None,
    })
}

const USUAL: [&str; 10] = [
    "alias",
    "into",
    "name",
    "location",
    "consent",
    "running",
    "region",
    "zone",
    "retention",
    "joined",
];

impl Words<'_> {
    /// A moment of the scenario.
    pub(super) fn at(&self, field: &Field<'_>) -> Read<DateTime<Utc>> {
        let offset = time::offset(field.text()?);
        let at = offset.and_then(|offset| self.start.checked_add_signed(offset));
        at.ok_or_else(|| field.not(time::EXPECTED))
    }

    pub(super) fn account(&self, field: &Field<'_>) -> Read<AccountId> {
        let name = field.text()?;
        self.names.account(name).ok_or_else(|| self.no_account(field, name))
    }

    fn no_account(&self, field: &Field<'_>, name: &str) -> super::Wrong {
        field.wrong(Mistake::Account {
            field: field.path.clone(),
            name: name.to_owned(),
            known: self.names.all().map(str::to_owned).collect(),
        })
    }

    pub(super) fn source(&self, field: &Field<'_>) -> Read<DataSource> {
        self.source_of(field.text()?, field)
    }

    /// A source by its name, which a field has or is.
    pub(super) fn source_of(&self, text: &str, field: &Field<'_>) -> Read<DataSource> {
        let account = text.split('/').next().unwrap_or_default();
        if text.contains('/') && self.names.account(account).is_none() {
            return Err(self.no_account(field, account));
        }
        self.names.source(text).ok_or_else(|| field.not(SOURCE))
    }

    /// A schedule: its own text, or `every 1h from +10m`.
    pub(super) fn schedule(&self, field: &Field<'_>) -> Read<String> {
        let text = field.text()?;
        if text.starts_with("I|") || text.starts_with("C|") {
            return Ok(text.to_owned());
        }
        let expected = "a schedule, such as `every 1h from +10m` or `C|0|0 2 * * *`";
        let (every, from) = text
            .strip_prefix("every ")
            .and_then(|rest| rest.split_once(" from "))
            .and_then(|(every, from)| Some((time::length(every)?, time::offset(from)?)))
            .ok_or_else(|| field.not(expected))?;
        let from = self.start.checked_add_signed(from).ok_or_else(|| field.not(expected))?;
        Ok(format!("I|{}|{}", from.timestamp(), time::iso(every.num_seconds())))
    }

    /// A value as the field of that name means it.
    fn json(&self, key: &str, field: &Field<'_>) -> Read<Value> {
        Ok(match (key, field.value) {
            ("account" | "caller", DeValue::String(_)) => json!(self.account(field)?),
            ("target", DeValue::String(text)) => {
                self.names.account(text).map_or_else(|| json!(text), |account| json!(account))
            }
            ("source" | "to", DeValue::String(_)) => json!(self.source(field)?),
            ("schedule", DeValue::String(_)) => json!(self.schedule(field)?),
            ("trust", DeValue::String(text)) if text == MANAGEMENT => {
                json!(trust_policy_for(&self.management))
            }
            ("method", DeValue::String(text)) => match text.strip_prefix("role ") {
                Some(name) => json!({ "Role": { "name": name } }),
                None if text == "directory" => json!("Directory"),
                None => return Err(field.not(METHOD)),
            },
            ("overwrite", _) => json!(field.one_of(&OVERWRITE)?),
            (_, DeValue::String(text)) => json!(text),
            (_, DeValue::Integer(_)) => json!(field.number::<i64>()?),
            (_, DeValue::Boolean(value)) => json!(value),
            (_, DeValue::Array(_)) => {
                let all = field.list()?;
                Value::Array(all.iter().map(|one| self.json("", one)).collect::<Read<_>>()?)
            }
            (_, DeValue::Table(_)) => {
                let mut map = Map::new();
                if let Some(value) = usual(key, "keep_latest") {
                    map.insert("keep_latest".to_owned(), value);
                }
                for (name, field) in field.table()?.rest() {
                    map.insert(name.to_owned(), self.json(name, &field)?);
                }
                Value::Object(map)
            }
            (_, DeValue::Float(_) | DeValue::Datetime(_)) => {
                return Err(field.not("a text, a whole number, a list or a table"));
            }
        })
    }

    /// All further fields of a table.
    fn fields(&self, word: &str, table: &mut Table<'_>) -> Read<(Map<String, Value>, Vec<String>)> {
        let mut given = Vec::new();
        let mut map = Map::new();
        for key in USUAL.into_iter().chain(["jobs"]) {
            if let Some(value) = usual(word, key) {
                map.insert(key.to_owned(), value);
            }
        }
        if word == "create-policy" {
            map.insert("retention".to_owned(), json!({ "keep_latest": false }));
        }
        for (key, field) in table.rest() {
            map.insert(key.to_owned(), self.json(key, &field)?);
            given.push(key.to_owned());
        }
        Ok((map, given))
    }

    /// Reads an act.
    ///
    /// It has the number `n` if it says nothing of it.
    pub(super) fn act(&self, n: u32, mut table: Table<'_>) -> Read<Act> {
        let id = table.get("id").map(|field| field.number()).transpose()?.unwrap_or(n);
        if let Some(until) = table.get("until") {
            let at = self.at(&until)?;
            table.finish()?;
            return Ok(Act { id, at, action: Action::Waits });
        }
        let at = self.at(&table.need("at", time::EXPECTED)?)?;
        let Some(verb) = table.first_of(&VERBS) else {
            let all: Vec<_> = VERBS.iter().map(|verb| format!("`{verb}`")).collect();
            return Err(table.missing("does", &format!("or one of {}", all.join(", "))));
        };
        let object = table.need(verb, "what it is about")?;
        let action = match verb {
            "does" => {
                let by =
                    self.account(&table.need("by", "the account whose administrator does it")?)?;
                let deed = self.deed(&object, &mut table)?;
                Action::Does(world::Command { by, deed })
            }
            "asks" => {
                let by = table.get("by").map(|field| self.account(&field)).transpose()?;
                let caller = by.unwrap_or_else(|| self.management.clone());
                Action::Asks { caller, command: self.command(&object, &mut table)? }
            }
            "opens" => Action::Opens { source: self.source(&object)?, size: size(&mut table)? },
            "edits" => Action::Edits(self.source(&object)?),
            "restores" => {
                let to = table.need("to", SOURCE)?;
                let into = table.get("into").map(|field| field.text().map(str::to_owned));
                let overwrite = table.get("overwrite").map(|field| field.one_of(&OVERWRITE));
                Action::Restores {
                    of: self.source(&object)?,
                    to: self.source(&to)?,
                    into: into.transpose()?.unwrap_or_default(),
                    overwrite: overwrite.transpose()?.unwrap_or_default(),
                }
            }
            "cancels" => Action::Cancels(self.source(&object)?),
            "deletes" => Action::Deletes(self.source(&object)?),
            _ if object.one_of(&[("retention", true), ("review", false)])? => Action::Retains,
            _ => Action::Reviews,
        };
        table.finish()?;
        Ok(Act { id, at, action })
    }

    fn deed(&self, object: &Field<'_>, table: &mut Table<'_>) -> Read<Deed> {
        let word = object.text()?;
        let (map, given) = self.fields(word, table)?;
        let variant = camel(word);
        let value = if map.is_empty() { json!(variant) } else { json!({ variant.clone(): map }) };
        let deed: Deed = parsed(value, object, table)?;
        let known = serde_json::to_value(&deed).unwrap_or_default();
        all_known(&given, known.get(&variant), table)?;
        Ok(deed)
    }

    fn command(&self, object: &Field<'_>, table: &mut Table<'_>) -> Read<api::Command> {
        let word = object.text()?;
        let (mut map, given) = self.fields(word, table)?;
        map.insert("command".to_owned(), json!(word));
        let command: api::Command = parsed(Value::Object(map), object, table)?;
        let known = serde_json::to_value(&command).unwrap_or_default();
        all_known(&given, Some(&known), table)?;
        Ok(command)
    }
}

/// What a source holds.
pub(super) fn size(table: &mut Table<'_>) -> Read<Size> {
    let usual = Size::default();
    let files = table.get("files").map(|field| field.number()).transpose()?;
    let length = table.get("length").map(|field| field.number()).transpose()?;
    Ok(Size { files: files.unwrap_or(usual.files), length: length.unwrap_or(usual.length) })
}

/// Takes what its own deserialization makes of it.
fn parsed<T: DeserializeOwned>(value: Value, word: &Field<'_>, table: &Table<'_>) -> Read<T> {
    serde_json::from_value(value).map_err(|error| {
        let message = error.to_string();
        let quoted = |rest: &str| rest.split('`').next().unwrap_or_default().to_owned();
        if let Some(rest) = message.strip_prefix("missing field `") {
            return table.missing(&quoted(rest), "what it is done with");
        }
        if message.starts_with("unknown variant `") {
            let all = message.split_once("expected one of ").map_or("", |(_, all)| all);
            let all: Vec<_> =
                all.split(", ").map(|one| format!("`{}`", kebab(one.trim_matches('`')))).collect();
            return word.not(&format!("one of {}", all.join(", ")));
        }
        let field = table.path().to_owned();
        table.wrong(Mistake::Value { field, found: "something else".to_owned(), expected: message })
    })
}

/// That each field that was given has a meaning.
fn all_known(given: &[String], known: Option<&Value>, table: &Table<'_>) -> Read<()> {
    let known: Vec<String> = known
        .and_then(Value::as_object)
        .map(|map| map.keys().filter(|key| *key != "command").cloned().collect())
        .unwrap_or_default();
    match given.iter().find(|key| !known.contains(key)) {
        None => Ok(()),
        Some(key) => {
            let field = format!("{}.{key}", table.path());
            Err(table.wrong(Mistake::Unknown { field, allowed: known }))
        }
    }
}

/// `delete-role` as `DeleteRole`.
fn camel(word: &str) -> String {
    word.split('-')
        .flat_map(|part| {
            part.chars().take(1).map(|c| c.to_ascii_uppercase()).chain(part.chars().skip(1))
        })
        .collect()
}

/// `DeleteRole` as `delete-role`.
pub(super) fn kebab(name: &str) -> String {
    let mut word = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !word.is_empty() {
            word.push('-');
        }
        word.push(c.to_ascii_lowercase());
    }
    word
}

/// The word of a command.
#[must_use]
pub fn command_word(command: &api::Command) -> String {
    let value = serde_json::to_value(command).unwrap_or_default();
    value.get("command").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The word of a deed.
#[must_use]
pub fn deed_word(deed: &Deed) -> String {
    kebab(&split(deed).0)
}

pub(super) fn split(deed: &Deed) -> (String, Value) {
    match serde_json::to_value(deed).unwrap_or_default() {
        Value::String(variant) => (variant, json!({})),
        Value::Object(map) => map.into_iter().next().unwrap_or_default(),
        _ => (String::new(), json!({})),
    }
}
