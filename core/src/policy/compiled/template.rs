//! Patterns with policy variables: what they match is known only with the request.

use super::{
    facts::{Facts, Key, Keys},
    glob::{Token, tokens},
};
use crate::policy::{
    pattern::Case,
    variable::{self, Piece},
};

/// A pattern with at least one variable.
///
/// It is matched by trying its last star again, so in time pattern times text at worst; nothing is
/// made ready, because that would cost each request an allocation.
#[derive(Debug)]
pub(super) struct Template {
    elements: Box<[Element]>,
    case: Case,
}

#[derive(Debug)]
enum Element {
    Token(Token),
    Variable { key: Key, default: Option<Box<str>> },
}

/// A text with variables, cut: without a key in it, it is an ordinary pattern.
pub(super) enum Cut {
    Tokens(Vec<Token>),
    Template(Template),
}

impl Template {
    /// Cuts a text at its variables; `wild` is whether `*` and `?` in it are wildcards. A text that
    /// cannot be cut matches nothing.
    pub(super) fn cut(text: &str, wild: bool, case: Case, keys: &mut Keys) -> Option<Cut> {
        let mut elements = Vec::new();
        for piece in variable::pieces(text)? {
            match piece {
                Piece::Text(text) if wild => elements.extend(tokens(text).map(Element::Token)),
                Piece::Text(text) => {
                    elements.extend(text.chars().map(Token::Char).map(Element::Token));
                }
                Piece::Literal(char) => elements.push(Element::Token(Token::Char(char))),
                Piece::Variable { key, default } => elements.push(Element::Variable {
                    key: keys.number(&key),
                    default: default.map(Into::into),
                }),
            }
        }
        let tokens: Option<Vec<Token>> = elements
            .iter()
            .map(|element| match element {
                Element::Token(token) => Some(*token),
                Element::Variable { .. } => None,
            })
            .collect();
        Some(match tokens {
            Some(tokens) => Cut::Tokens(tokens),
            None => Cut::Template(Self { elements: elements.into(), case }),
        })
    }

    /// Whether the pattern, with the request's values in it, matches the whole text.
    pub(super) fn matches(&self, text: &str, facts: &Facts<'_>) -> bool {
        let is_complete = self.elements.iter().all(|element| match element {
            Element::Token(_) => true,
            Element::Variable { key, default } => value(*key, default.as_deref(), facts).is_some(),
        });
        is_complete && self.fits(text, facts)
    }

    fn fits(&self, text: &str, facts: &Facts<'_>) -> bool {
        let mut pattern = Cursor { elements: self.elements.iter(), value: "".chars(), facts };
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

fn value<'a>(key: Key, default: Option<&'a str>, facts: &'a Facts<'_>) -> Option<&'a str> {
    facts.one_value(key).or(default)
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
