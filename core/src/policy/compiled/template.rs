//! Patterns with policy variables: what they match is known only with the request.

use super::{
    facts::{Facts, Key, Keys, Values},
    glob::{Token, tokens},
};
use crate::policy::{
    pattern::Case,
    variable::{self, Piece},
};

/// A pattern in which the request's values are put in place of variables.
///
/// It is matched by trying its last star again, so in time pattern times text at worst; nothing is
/// made ready, because that would cost each request an allocation.
#[derive(Debug)]
pub(super) struct Template {
    elements: Box<[Element]>,
    case: Case,
}

/// A piece of a text that has variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Element {
    Token(Token),
    Variable { key: Key, default: Option<Box<str>> },
}

/// What `*` and `?` are in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// Characters like others.
    Text,
    /// Wildcards.
    Pattern,
}

/// Cuts a text at its variables; `None` if it has one without end.
pub(super) fn cut(text: &str, written: Written, keys: &mut Keys) -> Option<Vec<Element>> {
    let mut elements = Vec::new();
    for piece in variable::pieces(text)? {
        match (piece, written) {
            (Piece::Text(text), Written::Pattern) => {
                elements.extend(tokens(text).map(Element::Token));
            }
            (Piece::Text(text), Written::Text) => {
                elements.extend(text.chars().map(Token::Char).map(Element::Token));
            }
            (Piece::Literal(char), _) => elements.push(Element::Token(Token::Char(char))),
            (Piece::Variable { key, default }, _) => elements.push(Element::Variable {
                key: keys.number(&key),
                default: default.map(Into::into),
            }),
        }
    }
    Some(elements)
}

impl Template {
    pub(super) fn of(elements: Vec<Element>, case: Case) -> Self {
        Self { elements: elements.into(), case }
    }

    /// Whether the request has what each variable stands for.
    pub(super) fn is_complete(&self, facts: &Facts<'_>) -> bool {
        self.elements.iter().all(|element| match element {
            Element::Token(_) => true,
            Element::Variable { key, default } => value(*key, default.as_deref(), facts).is_some(),
        })
    }

    /// Whether the text is this one; without case, letters of all languages are folded.
    pub(super) fn is_text(&self, text: &str, facts: &Facts<'_>) -> bool {
        let letters = self.read(facts).map(|token| match token {
            Token::Char(char) => char,
            Token::One => '?',
            Token::Run => '*',
        });
        self.is_complete(facts)
            && match self.case {
                Case::Exact => letters.eq(text.chars()),
                Case::Folded => {
                    let folded = letters.flat_map(char::to_lowercase);
                    folded.eq(text.chars().flat_map(char::to_lowercase))
                }
            }
    }

    /// Whether the pattern matches the whole text.
    pub(super) fn matches(&self, text: &str, facts: &Facts<'_>) -> bool {
        self.is_complete(facts) && self.fits(text, facts)
    }

    fn read<'a>(&'a self, facts: &'a Facts<'_>) -> impl Iterator<Item = Token> + Clone {
        Cursor { elements: self.elements.iter(), value: "".chars(), facts }
    }

    fn fits(&self, text: &str, facts: &Facts<'_>) -> bool {
        let mut pattern = self.read(facts);
        let mut text = text.chars();
        let mut star = None;
        loop {
            let (mut pattern_next, mut text_next) = (pattern.clone(), text.clone());
            let fits = match (pattern_next.next(), text_next.next()) {
                (None, None) => return true,
                (Some(Token::Run), _) => {
                    star = Some((pattern_next.clone(), text.clone()));
                    pattern = pattern_next;
                    continue;
                }
                (Some(Token::One), Some(_)) => true,
                (Some(Token::Char(wanted)), Some(found)) => match self.case {
                    Case::Exact => wanted == found,
                    Case::Folded => wanted.eq_ignore_ascii_case(&found),
                },
                (Some(Token::One | Token::Char(_)), None) => return false,
                (None, Some(_)) => false,
            };
            if fits {
                (pattern, text) = (pattern_next, text_next);
                continue;
            }
            // The last star takes one character more.
            let Some((after, from)) = &mut star else { return false };
            if from.next().is_none() {
                return false;
            }
            (pattern, text) = (after.clone(), from.clone());
        }
    }
}

/// What stands for a variable: the one value of its key, or what is named for a request without it.
fn value<'a>(key: Key, default: Option<&'a str>, facts: &'a Facts<'_>) -> Option<&'a str> {
    match facts.of(key, Values::texts) {
        [one] => Some(one),
        [] => default,
        [_, _, ..] => None,
    }
}

/// A place in a pattern, perhaps within a variable's value.
#[derive(Clone)]
struct Cursor<'a, 'f> {
    elements: std::slice::Iter<'a, Element>,
    value: std::str::Chars<'a>,
    facts: &'a Facts<'f>,
}

impl Iterator for Cursor<'_, '_> {
    type Item = Token;
    fn next(&mut self) -> Option<Token> {
        loop {
            if let Some(char) = self.value.next() {
                return Some(Token::Char(char));
            }
            match self.elements.next()? {
                Element::Token(token) => return Some(*token),
                Element::Variable { key, default } => {
                    self.value = value(*key, default.as_deref(), self.facts)?.chars();
                }
            }
        }
    }
}
