//! A request and the policies that bear on it, as they are written.

use std::{collections::BTreeMap, fmt::Write};

use crate::policy::{
    Compiled, CompiledLayers, Context, Dialect, Effect, InvalidPolicy, Layer, Layers, Policy,
    PolicyKind, Request, ResourcePattern, Ruling, Verdict, Vocabulary, decide, evaluate,
};

#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) dialect: Dialect,
    pub(super) version: &'static str,
    pub(super) control: Vec<Vec<Document>>,
    pub(super) session: Option<Document>,
    pub(super) identity: Vec<Document>,
    pub(super) action: String,
    pub(super) resource: String,
    pub(super) context: Vec<(String, Vec<String>)>,
}

pub(super) type Document = Vec<Said>;

/// A statement.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) effect: Effect,
    pub(super) not_action: bool,
    pub(super) actions: Vec<String>,
    pub(super) not_resource: bool,
    pub(super) resources: Vec<String>,
    pub(super) conditions: Vec<Tested>,
}

/// A condition.
#[derive(Clone, Debug)]
pub(super) struct Tested {
    pub(super) operator: String,
    pub(super) key: String,
    pub(super) values: Vec<String>,
}

/// A case whose documents are read.
pub(super) struct Ready {
    control: Vec<Vec<Policy>>,
    session: Option<Policy>,
    identity: Vec<Policy>,
    context: Context,
}

/// Which way it went, whatever statement decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    Allow,
    ExplicitDeny,
    ImplicitDeny,
}

impl Case {
    pub(super) fn read(&self) -> Ready {
        self.try_read().unwrap_or_else(|error| panic!("{error}\n{}", self.show()))
    }

    fn try_read(&self) -> Result<Ready, InvalidPolicy> {
        let policy = |document: &Document| {
            Policy::parse_in(self.dialect, &self.text(document), PolicyKind::System)
        };
        let all = |documents: &[Document]| documents.iter().map(policy).collect();
        let mut context = Context::default();
        for (key, values) in &self.context {
            for value in values {
                context.add(key, value);
            }
        }
        Ok(Ready {
            control: self.control.iter().map(|level| all(level)).collect::<Result<_, _>>()?,
            session: self.session.as_ref().map(policy).transpose()?,
            identity: all(&self.identity)?,
            context,
        })
    }

    pub(super) fn request<'a>(&'a self, ready: &'a Ready) -> Request<'a> {
        Request::new(&self.action, &self.resource).within(&ready.context)
    }

    /// Whether a text may stand for resources in the case's documents.
    pub(super) fn is_resource(&self, text: &str) -> bool {
        let read = match self.version {
            "2012-10-17" => ResourcePattern::parse_with_variables,
            _ => ResourcePattern::parse,
        };
        read(self.dialect, text).is_some()
    }

    fn text(&self, document: &Document) -> String {
        let list = |texts: &[String]| {
            let quoted: Vec<String> = texts.iter().map(|text| format!("\"{text}\"")).collect();
            format!("[{}]", quoted.join(","))
        };
        let statement = |said: &Said| {
            let mut blocks = BTreeMap::<&str, BTreeMap<&str, &[String]>>::new();
            for Tested { operator, key, values } in &said.conditions {
                blocks.entry(operator).or_default().insert(key, values);
            }
            let blocks: Vec<String> = blocks
                .iter()
                .map(|(operator, keys)| {
                    let keys =
                        keys.iter().map(|(key, values)| format!("\"{key}\":{}", list(values)));
                    format!("\"{operator}\":{{{}}}", keys.collect::<Vec<_>>().join(","))
                })
                .collect();
            format!(
                "{{\"Effect\":\"{:?}\",\"{}Action\":{},\"{}Resource\":{},\"Condition\":{{{}}}}}",
                said.effect,
                if said.not_action { "Not" } else { "" },
                list(&said.actions),
                if said.not_resource { "Not" } else { "" },
                list(&said.resources),
                blocks.join(","),
            )
        };
        let statements: Vec<String> = document.iter().map(statement).collect();
        format!("{{\"Version\":\"{}\",\"Statement\":[{}]}}", self.version, statements.join(","))
    }

    /// Every statement of every layer.
    pub(super) fn statements(&mut self) -> impl Iterator<Item = &mut Said> {
        self.documents().flatten()
    }

    /// Every document of every layer.
    pub(super) fn documents(&mut self) -> impl Iterator<Item = &mut Document> {
        let control = self.control.iter_mut().flatten();
        control.chain(&mut self.session).chain(&mut self.identity)
    }

    /// That policy of that layer.
    pub(super) fn document_of(&mut self, layer: Layer, policy: usize) -> &mut Document {
        match layer {
            Layer::Control(level) => &mut self.control[level][policy],
            Layer::Session => self.session.as_mut().unwrap(),
            Layer::Identity => &mut self.identity[policy],
        }
    }

    /// The values that the request has of a key.
    pub(super) fn given(&self, key: &str) -> &[String] {
        let found = self.context.iter().find(|(other, _)| other.eq_ignore_ascii_case(key));
        found.map_or(&[], |(_, values)| values)
    }

    /// The case as one would write it down.
    pub(super) fn show(&self) -> String {
        let mut shown = format!(
            "{:?} {}\n{} on {}\n{:?}\n",
            self.dialect, self.version, self.action, self.resource, self.context
        );
        let mut copy = self.clone();
        for document in copy.documents() {
            writeln!(shown, "{}", self.text(document)).unwrap();
        }
        shown
    }
}

impl Ready {
    pub(super) fn identity(&self) -> Vec<&Policy> {
        self.identity.iter().collect()
    }

    pub(super) fn layers(&self) -> Layers<'_> {
        Layers {
            control: self.control.iter().map(|level| level.iter().collect()).collect(),
            session: self.session.as_ref(),
            identity: self.identity(),
        }
    }
}

impl Outcome {
    /// What the reference says of all layers; none if a document breaks a rule.
    pub(super) fn plain(case: &Case) -> Option<Self> {
        let ready = case.try_read().ok()?;
        Some(decide(&ready.layers(), &case.request(&ready)).into())
    }

    /// What the quick evaluator says of all layers.
    pub(super) fn quick(case: &Case, vocabulary: &Vocabulary) -> Self {
        let ready = case.read();
        CompiledLayers::of(vocabulary, &ready.layers()).decide(&case.request(&ready)).into()
    }
}

impl From<Ruling> for Outcome {
    fn from(ruling: Ruling) -> Self {
        match ruling {
            Ruling::Allow { .. } => Self::Allow,
            Ruling::ExplicitDeny { .. } => Self::ExplicitDeny,
            Ruling::ImplicitDeny { .. } => Self::ImplicitDeny,
        }
    }
}

/// What each evaluator says of the identity's policies and of all layers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answers(pub(super) Verdict, pub(super) Ruling);

impl Answers {
    pub(super) fn plain(case: &Case, ready: &Ready) -> Self {
        let request = case.request(ready);
        Self(evaluate(&ready.identity(), &request), decide(&ready.layers(), &request))
    }

    pub(super) fn quick(case: &Case, ready: &Ready, vocabulary: &Vocabulary) -> Self {
        let request = case.request(ready);
        Self(
            Compiled::of(vocabulary, &ready.identity()).evaluate(&request),
            CompiledLayers::of(vocabulary, &ready.layers()).decide(&request),
        )
    }
}
