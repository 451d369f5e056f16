//! Reads a document: JSON with places into a policy, or the first rule that it breaks.

mod condition;
mod element;
mod lint;
mod principal;
#[cfg(test)]
mod tests;

use self::element::{broken, member, object, only, required, scalar, text, texts, wrong_type};
use super::{
    dialect::{Dialect, Words},
    document::{Actions, Effect, PolicyKind, Principals, Resources, Statement},
    invalid::{InvalidPolicy, Rule},
    json::{self, Broken, Member, Node, Places, Value},
    pattern::{ActionPattern, ResourcePattern},
    warning::{Doubt, Warning},
};

/// The elements of a statement that both languages have.
const ELEMENTS: [&str; 8] =
    ["Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "Condition", "Sid"];

/// Reads the statements of a document, and what is worth knowing of them.
pub(super) fn policy(
    dialect: Dialect,
    text: &str,
    kind: PolicyKind,
) -> Result<(Vec<Statement>, Vec<Warning>), InvalidPolicy> {
    let words = dialect.words();
    let mut reader = Reader {
        dialect,
        words,
        kind,
        expands_variables: false,
        places: Places::new(text),
        doubts: Vec::new(),
    };
    let read = short_enough(words, text, kind)
        .and_then(|()| json::parse(text))
        .and_then(|node| reader.policy(&node));
    let statements = read.map_err(|broken| broken.within(dialect, text))?;
    let mut doubts = reader.doubts;
    doubts.sort_by_key(|(at, _)| *at);
    let mut places = Places::new(text);
    let mut warnings: Vec<Warning> =
        doubts.into_iter().map(|(at, doubt)| Warning { at: places.of(at), doubt }).collect();
    warnings.extend(lint::warnings(dialect, &statements));
    warnings.sort_by_key(|warning| warning.at);
    Ok((statements, warnings))
}

fn short_enough(words: &Words, text: &str, kind: PolicyKind) -> Result<(), Broken> {
    let characters = if words.counts_space(kind) {
        text.chars().count()
    } else {
        text.chars().filter(|letter| !letter.is_ascii_whitespace()).count()
    };
    let characters_max = words.characters_max(kind);
    if characters > characters_max {
        return Err(Broken::new(0, Rule::TooLong { characters, kind, characters_max }));
    }
    Ok(())
}

struct Reader<'a> {
    dialect: Dialect,
    words: &'static Words,
    kind: PolicyKind,
    /// Whether `${…}` is a variable, by the document's version.
    expands_variables: bool,
    places: Places<'a>,
    /// What is worth knowing, with the offset of what it is about.
    doubts: Vec<(usize, Doubt)>,
}

impl Reader<'_> {
    fn policy(&mut self, node: &Node<'_>) -> Result<Vec<Statement>, Broken> {
        let members = object(node, "the policy")?;
        only(members, &[self.words.document])?;
        self.version(node, members)?;
        if let Some(id) = member(members, "Id") {
            text(&id.value, "Id")?;
        }
        let found = required(node, members, "Statement")?;
        let items = match &found.value {
            Value::List(items) => items.as_slice(),
            Value::Object(_) if self.words.lone_statement => std::slice::from_ref(found),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Object(_) => {
                return Err(wrong_type(found, "Statement", "a list of statements"));
            }
        };
        if items.is_empty() {
            return Err(broken(found, Rule::Empty("Statement".into())));
        }
        let statements =
            items.iter().map(|item| self.statement(item)).collect::<Result<Vec<_>, _>>()?;
        self.distinct_names(&statements, items)?;
        Ok(statements)
    }

    fn version(&mut self, node: &Node<'_>, members: &[Member<'_>]) -> Result<(), Broken> {
        let version = match (member(members, "Version"), self.words.version_if_absent) {
            (Some(found), _) => {
                let version = text(&found.value, "Version")?;
                if !self.words.versions.contains(&version) {
                    return Err(broken(&found.value, Rule::Version(version.to_owned())));
                }
                version
            }
            (None, Some(version)) => {
                self.doubts.push((node.at, Doubt::NoVersion(version)));
                version
            }
            (None, None) => return Err(broken(node, Rule::Missing("Version"))),
        };
        self.expands_variables = self.words.variables_since == Some(version);
        Ok(())
    }

    /// Two statements of one policy may not share a name where the language forbids it.
    fn distinct_names(&self, statements: &[Statement], items: &[Node<'_>]) -> Result<(), Broken> {
        if !self.words.distinct_sids {
            return Ok(());
        }
        let named: Vec<(&String, &Node<'_>)> = statements
            .iter()
            .zip(items)
            .filter_map(|(statement, item)| Some((statement.sid.as_ref()?, item)))
            .collect();
        match json::repeated(&named.iter().map(|(sid, _)| *sid)).and_then(|n| named.get(n)) {
            Some((sid, item)) => Err(broken(item, Rule::SidTwice((*sid).clone()))),
            None => Ok(()),
        }
    }

    fn statement(&mut self, node: &Node<'_>) -> Result<Statement, Broken> {
        let members = object(node, "a statement")?;
        let own: &[&str] = if self.words.not_principal { &["NotPrincipal"] } else { &[] };
        only(members, &[&ELEMENTS, own])?;
        let effect = required(node, members, "Effect")?;
        let effect = match text(effect, "Effect")? {
            "Allow" => Effect::Allow,
            "Deny" => Effect::Deny,
            other => return Err(broken(effect, Rule::Effect(other.to_owned()))),
        };
        Ok(Statement {
            effect,
            actions: actions(node, members)?,
            resources: self.resources(node, members)?,
            principals: self.principals(node, members)?,
            conditions: match member(members, "Condition") {
                Some(found) => self.conditions(effect, &found.value)?,
                None => Vec::new(),
            },
            sid: match member(members, "Sid") {
                Some(found) => Some(text(&found.value, "Sid")?.to_owned()),
                None => None,
            },
            at: self.places.of(node.at),
        })
    }

    fn resources(&mut self, node: &Node<'_>, members: &[Member<'_>]) -> Result<Resources, Broken> {
        match (member(members, "Resource"), member(members, "NotResource")) {
            (Some(found), _) | (None, Some(found)) if self.kind == PolicyKind::Trust => {
                Err(self.misplaced(found, "Resource"))
            }
            (None, None) if self.kind == PolicyKind::Trust => Ok(Resources::OfTrust),
            (None, None) => Err(broken(node, Rule::Missing("Resource"))),
            (Some(_), Some(second)) => {
                Err(Broken::new(second.at, Rule::Both("Resource", "NotResource")))
            }
            (Some(found), None) => Ok(Resources::Only(self.resource_patterns(found)?)),
            (None, Some(found)) => {
                if !self.words.not_resource {
                    self.doubts.push((found.at, Doubt::NotResource));
                }
                Ok(Resources::AllBut(self.resource_patterns(found)?))
            }
        }
    }

    fn resource_patterns(&mut self, found: &Member<'_>) -> Result<Vec<ResourcePattern>, Broken> {
        let nodes = texts(&found.value, &found.name)?;
        let mut patterns = Vec::with_capacity(nodes.len());
        for node in nodes {
            let text = scalar(node, &found.name)?;
            let pattern = if self.has_variables(node, &text)? {
                ResourcePattern::parse_with_variables(self.dialect, &text)
            } else {
                ResourcePattern::parse(self.dialect, &text)
            };
            let Some(pattern) = pattern else {
                return Err(broken(node, Rule::Resource(text.into_owned())));
            };
            if !self.words.wildcard_in_type && lint::has_wildcard_in_type(&pattern) {
                self.doubts.push((node.at, Doubt::WildcardInType(text.into_owned())));
            }
            patterns.push(pattern);
        }
        Ok(patterns)
    }

    /// Whether a text where variables may stand holds some.
    fn has_variables(&mut self, node: &Node<'_>, text: &str) -> Result<bool, Broken> {
        if !text.contains("${") || self.words.variables_since.is_none() {
            return Ok(false);
        }
        if !self.expands_variables {
            self.doubts.push((node.at, Doubt::VariableIsText(text.to_owned())));
            return Ok(false);
        }
        match super::variable::pieces(text) {
            Some(_) => Ok(true),
            None => Err(broken(node, Rule::Variable(text.to_owned()))),
        }
    }

    fn principals(&self, node: &Node<'_>, members: &[Member<'_>]) -> Result<Principals, Broken> {
        let is_trust = self.kind == PolicyKind::Trust;
        match (member(members, "Principal"), member(members, "NotPrincipal")) {
            (Some(found), _) if !is_trust => Err(self.misplaced(found, "Principal")),
            (None, Some(found)) if !is_trust => Err(self.misplaced(found, "NotPrincipal")),
            (None, None) if !is_trust => Ok(Principals::OfIdentity),
            (None, None) => Err(broken(node, Rule::Missing("Principal"))),
            (Some(_), Some(second)) => {
                Err(Broken::new(second.at, Rule::Both("Principal", "NotPrincipal")))
            }
            (Some(found), None) => Ok(Principals::Only(principal::patterns(self.dialect, found)?)),
            (None, Some(found)) => {
                Ok(Principals::AllBut(principal::patterns(self.dialect, found)?))
            }
        }
    }

    fn misplaced(&self, member: &Member<'_>, element: &'static str) -> Broken {
        Broken::new(member.at, Rule::Misplaced { element, kind: self.kind })
    }
}

fn actions(node: &Node<'_>, members: &[Member<'_>]) -> Result<Actions, Broken> {
    match (member(members, "Action"), member(members, "NotAction")) {
        (Some(_), Some(second)) => Err(Broken::new(second.at, Rule::Both("Action", "NotAction"))),
        (Some(found), None) => Ok(Actions::Only(action_patterns(found)?)),
        (None, Some(found)) => Ok(Actions::AllBut(action_patterns(found)?)),
        (None, None) => Err(broken(node, Rule::Missing("Action"))),
    }
}

fn action_patterns(found: &Member<'_>) -> Result<Vec<ActionPattern>, Broken> {
    let nodes = texts(&found.value, &found.name)?;
    let mut patterns = Vec::with_capacity(nodes.len());
    for node in nodes {
        let text = scalar(node, &found.name)?;
        let Some(pattern) = ActionPattern::parse(&text) else {
            return Err(broken(node, Rule::Action(text.into_owned())));
        };
        patterns.push(pattern);
    }
    Ok(patterns)
}
