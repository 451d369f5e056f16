//! A case of a policy test: policies, a request, and what they should decide, as one line of JSON.
//!
//! ```json
//! {"id": "reads", "source": "whoever says so", "policies": {"identity": [{…}], "session": null,
//!  "control": [[{…}]]}, "request": {"principal": "acs:ram::…:role/x", "action": "oss:GetObject",
//!  "resource": "acs:oss:…", "context": {"acs:SourceIp": "10.0.0.1"}}, "expected": "Allow"}
//! ```
//!
//! `id`, `policies.identity`, `request.action`, `request.resource` and `expected` must be there. In
//! place of a list of policies one policy may stand; a value of the context is a text, a number, a
//! boolean, or a list of those. No other fields are known.

mod read;

use std::fmt;

use serde_json::Value;

use super::{
    compiled::CompiledLayers,
    decide,
    dialect::Dialect,
    document::{Policy, PolicyKind},
    invalid::InvalidPolicy,
    layers::{Layers, Ruling},
    request::{Context, Request},
    translate,
    vocabulary::Vocabulary,
};
use crate::explain::Explain;

/// A case, read and not yet run.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Its name.
    pub id: String,
    /// Who says what is expected.
    pub source: String,
    /// What is expected.
    pub expected: Decision,
    line: usize,
    identity: Vec<Value>,
    session: Option<Value>,
    control: Vec<Vec<Value>>,
    action: String,
    resource: String,
    context: Vec<(String, String)>,
}

/// What policies decide, without what decided it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    /// They allow.
    Allow,
    /// A statement denies.
    ExplicitDeny,
    /// Nothing allows.
    ImplicitDeny,
}

/// What a case expects and what was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What the case expects.
    pub expected: Decision,
    /// What was decided, and by what.
    pub found: Ruling,
}

/// A line that is no case, and the field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, `{field}`: {fault}")]
pub struct InvalidCase {
    /// The line's number, from 1.
    pub line: usize,
    /// The field, such as `policies.control[0][1]`; `case` is the whole.
    pub field: String,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The line is not JSON, or an object of it has two members of one name.
    #[error("{rule}, in column {column}")]
    NotJson {
        /// What the line breaks.
        rule: super::Rule,
        /// Where, in characters from 1.
        column: u32,
    },
    /// It must be there.
    #[error("missing")]
    Missing,
    /// A case has no such field.
    #[error("no such field")]
    Unknown,
    /// It must be something else.
    #[error("must be {0}")]
    WrongType(&'static str),
    /// It is a policy that breaks a rule; the place is within it, written without white space.
    #[error(transparent)]
    Policy(InvalidPolicy),
    /// The two evaluators don't decide alike, which is a mistake of ours.
    #[error("the reference decides {reference:?}, the compiled evaluator {compiled:?}")]
    EvaluatorsDiffer {
        /// What the reference decides.
        reference: Ruling,
        /// What the compiled evaluator decides.
        compiled: Ruling,
    },
}

impl Case {
    /// Reads a case from its line.
    ///
    /// # Errors
    /// [`InvalidCase`] with the first field that is wrong, as of line 1.
    pub fn parse(line: &str) -> Result<Self, InvalidCase> {
        read::case(line, 1)
    }

    /// Reads the cases of a file, one a line; empty lines are passed over.
    pub fn parse_lines(text: &str) -> impl Iterator<Item = Result<Self, InvalidCase>> {
        let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
        lines.map(|(number, line)| read::case(line, number))
    }

    /// The number of its line in the file, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// Decides the case in that language; policies and request in the words of the other are
    /// [translated](translate::translate) first. The limits of length don't apply.
    ///
    /// # Errors
    /// [`InvalidCase`] if a policy breaks a rule of the language, or the two evaluators differ.
    pub fn run(&self, dialect: Dialect) -> Result<Outcome, InvalidCase> {
        let read = |document: &Value, field: String| {
            let text = translate::translate(document, dialect).to_string();
            Policy::parse_in(dialect, &text, PolicyKind::System).map_err(|error| InvalidCase {
                line: self.line,
                field,
                fault: Fault::Policy(error),
            })
        };
        let all = |documents: &[Value], field: &str| {
            let numbered = documents.iter().enumerate();
            numbered
                .map(|(number, document)| read(document, format!("{field}[{number}]")))
                .collect::<Result<Vec<Policy>, _>>()
        };
        let identity = all(&self.identity, "policies.identity")?;
        let session = self
            .session
            .as_ref()
            .map(|document| read(document, "policies.session".into()))
            .transpose()?;
        let control = (0..)
            .zip(&self.control)
            .map(|(level, documents): (usize, _)| {
                all(documents, &format!("policies.control[{level}]"))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let layers = Layers {
            control: control.iter().map(|level| level.iter().collect()).collect(),
            session: session.as_ref(),
            identity: identity.iter().collect(),
        };
        let mut context = Context::default();
        for (key, value) in &self.context {
            context.add(&translate::key(key, dialect), &translate::name(value, dialect));
        }
        let resource = translate::name(&self.resource, dialect);
        let request = Request { action: &self.action, resource: &resource, context: &context };
        let found = decide(&layers, &request);
        let compiled = CompiledLayers::of(Vocabulary::product(), &layers).decide(&request);
        if compiled != found {
            let fault = Fault::EvaluatorsDiffer { reference: found, compiled };
            return Err(InvalidCase { line: self.line, field: "case".into(), fault });
        }
        Ok(Outcome { expected: self.expected, found })
    }
}

impl Outcome {
    /// What was decided, without what decided it.
    #[must_use]
    pub fn decision(&self) -> Decision {
        self.found.into()
    }

    /// Whether it is what the case expects.
    #[must_use]
    pub fn is_expected(&self) -> bool {
        self.decision() == self.expected
    }
}

impl From<Ruling> for Decision {
    fn from(ruling: Ruling) -> Self {
        match ruling {
            Ruling::Allow { .. } => Self::Allow,
            Ruling::ExplicitDeny { .. } => Self::ExplicitDeny,
            Ruling::ImplicitDeny { .. } => Self::ImplicitDeny,
        }
    }
}

impl Decision {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Allow, Self::ExplicitDeny, Self::ImplicitDeny];

    /// The name, as cases write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "Allow",
            Self::ExplicitDeny => "ExplicitDeny",
            Self::ImplicitDeny => "ImplicitDeny",
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Explain for InvalidCase {
    fn code(&self) -> &'static str {
        match &self.fault {
            Fault::NotJson { .. } => "CASE_NOT_JSON",
            Fault::Missing => "CASE_FIELD_MISSING",
            Fault::Unknown => "CASE_FIELD_UNKNOWN",
            Fault::WrongType(_) => "CASE_WRONG_TYPE",
            Fault::Policy(error) => error.code(),
            Fault::EvaluatorsDiffer { .. } => "CASE_EVALUATORS_DIFFER",
        }
    }
    fn remedy(&self) -> String {
        match &self.fault {
            Fault::NotJson { .. } => "Write each case as one JSON object on one line.".into(),
            Fault::Missing => format!("Add `{}`.", self.field),
            Fault::Unknown => "Remove it, or correct its spelling; case counts.".into(),
            Fault::WrongType(expected) => format!("Give {expected}."),
            Fault::Policy(error) => error.remedy(),
            Fault::EvaluatorsDiffer { .. } => {
                "This is a mistake in Crossvault: please report it with the case.".to_owned()
            }
        }
    }
}
