//! The elements of a document by name and type.

use std::{borrow::Cow, slice};

use crate::policy::{
    invalid::Rule,
    json::{Broken, Member, Node, Value},
};

pub(super) fn member<'n, 'a>(members: &'n [Member<'a>], name: &str) -> Option<&'n Member<'a>> {
    members.iter().find(|member| member.name == name)
}

pub(super) fn required<'n, 'a>(
    node: &Node<'_>,
    members: &'n [Member<'a>],
    name: &'static str,
) -> Result<&'n Node<'a>, Broken> {
    member(members, name)
        .map(|member| &member.value)
        .ok_or_else(|| broken(node, Rule::Missing(name)))
}

/// Refuses members whose name is in none of the lists.
pub(super) fn only(members: &[Member<'_>], known: &[&[&str]]) -> Result<(), Broken> {
    let is_known = |name: &str| known.iter().any(|names| names.contains(&name));
    match members.iter().find(|member| !is_known(&member.name)) {
        Some(member) => {
            let rule = Rule::UnknownElement(member.name.to_string());
            Err(Broken::new(member.at, rule))
        }
        None => Ok(()),
    }
}

pub(super) fn object<'n, 'a>(
    node: &'n Node<'a>,
    element: &str,
) -> Result<&'n [Member<'a>], Broken> {
    match &node.value {
        Value::Object(members) => Ok(members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => {
            Err(wrong_type(node, element, "an object"))
        }
    }
}

pub(super) fn text<'n>(node: &'n Node<'_>, element: &str) -> Result<&'n str, Broken> {
    match &node.value {
        Value::Text(text) => Ok(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Object(_) => {
            Err(wrong_type(node, element, "a text in double quotes"))
        }
    }
}

/// The items of a list, which may not be empty; one value stands for a list of it.
pub(super) fn texts<'n, 'a>(node: &'n Node<'a>, element: &str) -> Result<&'n [Node<'a>], Broken> {
    match &node.value {
        Value::List(items) if items.is_empty() => Err(broken(node, Rule::Empty(element.into()))),
        Value::List(items) => Ok(items),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Object(_) => {
            Ok(slice::from_ref(node))
        }
    }
}

/// A text; a bare number or boolean counts as its text.
pub(super) fn scalar<'n>(node: &'n Node<'_>, element: &str) -> Result<Cow<'n, str>, Broken> {
    match &node.value {
        Value::Text(text) => Ok(Cow::Borrowed(text)),
        Value::Number(text) => Ok(Cow::Borrowed(text)),
        Value::Bool(true) => Ok(Cow::Borrowed("true")),
        Value::Bool(false) => Ok(Cow::Borrowed("false")),
        Value::Null | Value::List(_) | Value::Object(_) => {
            Err(wrong_type(node, element, "a text or a list of texts"))
        }
    }
}

pub(super) fn broken(node: &Node<'_>, rule: Rule) -> Broken {
    Broken::new(node.at, rule)
}

pub(super) fn wrong_type(node: &Node<'_>, element: &str, expected: &'static str) -> Broken {
    broken(node, Rule::WrongType { element: element.to_owned(), expected })
}
