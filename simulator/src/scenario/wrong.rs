//! Why a text is no scenario, and where.

use crossvault_core::explain::Explain;

/// What is wrong with a scenario's text, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {mistake}")]
pub struct Wrong {
    /// The line, from 1.
    pub line: usize,
    /// The character of the line, from 1.
    pub column: usize,
    /// What is wrong there.
    pub mistake: Mistake,
}

/// What is wrong. A field is named by its way from the top: `acts[2].at`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    /// It is no TOML.
    #[error("this is no TOML: {0}")]
    Syntax(String),
    /// It was written for a version before the first.
    #[error("`format` is {0}: there is none before {now}", now = super::FORMAT)]
    FormatOld(i64),
    /// It was written for a later version.
    #[error("`format` is {0}: this version reads up to {now}", now = super::FORMAT)]
    FormatNew(i64),
    /// A field is not there.
    #[error("`{field}` is missing")]
    Missing {
        /// The field.
        field: String,
        /// What it would hold.
        expected: String,
    },
    /// A field is there that has no meaning.
    #[error("`{field}` means nothing here")]
    Unknown {
        /// The field.
        field: String,
        /// What may stand there.
        allowed: Vec<String>,
    },
    /// A field holds something else than it should.
    #[error("`{field}` is {found}, not {expected}")]
    Value {
        /// The field.
        field: String,
        /// What it holds.
        found: String,
        /// What it should hold.
        expected: String,
    },
    /// A field names an account that `accounts` does not have.
    #[error("`{field}` names `{name}`, which is no account of this scenario")]
    Account {
        /// The field.
        field: String,
        /// The name.
        name: String,
        /// The accounts that are there.
        known: Vec<String>,
    },
    /// Something has the same name or id as another.
    #[error("`{field}` is `{found}`, as another one is already")]
    Twice {
        /// The field.
        field: String,
        /// The name or id.
        found: String,
    },
}

impl Explain for Wrong {
    fn code(&self) -> &'static str {
        match &self.mistake {
            Mistake::Syntax(_) => "SCENARIO_SYNTAX",
            Mistake::FormatOld(_) => "SCENARIO_FORMAT_OLD",
            Mistake::FormatNew(_) => "SCENARIO_FORMAT_NEW",
            Mistake::Missing { .. } => "SCENARIO_FIELD_MISSING",
            Mistake::Unknown { .. } => "SCENARIO_FIELD_UNKNOWN",
            Mistake::Value { .. } => "SCENARIO_VALUE_INVALID",
            Mistake::Account { .. } => "SCENARIO_ACCOUNT_UNKNOWN",
            Mistake::Twice { .. } => "SCENARIO_NAME_TWICE",
        }
    }

    fn remedy(&self) -> String {
        match &self.mistake {
            Mistake::Syntax(_) => "Mend it there; the language is TOML 1.0.".to_owned(),
            Mistake::FormatOld(_) => format!("Write `format = {}`.", super::FORMAT),
            Mistake::FormatNew(_) => "Read it with the version that wrote it.".to_owned(),
            Mistake::Missing { field, expected } => format!("Add `{field}`: {expected}."),
            Mistake::Unknown { allowed, .. } if allowed.is_empty() => "Take it out.".to_owned(),
            Mistake::Unknown { allowed, .. } => format!("Allowed here: {}.", allowed.join(", ")),
            Mistake::Value { expected, .. } => format!("Give {expected}."),
            Mistake::Account { known, .. } => {
                format!("Add it to `accounts`, or name one of: {}.", known.join(", "))
            }
            Mistake::Twice { .. } => "Give it another one.".to_owned(),
        }
    }
}
