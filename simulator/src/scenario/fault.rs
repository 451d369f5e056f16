//! What goes wrong, in words: on which function or delivery, and what.

use crate::{
    chooser::{Name, What},
    fault::{Fault, Mishap, Skew},
    run::Handler,
};

/// What a deviation is about is like.
pub(super) const ON: &str = "a function or `delivery` with its subject, such as `job job-0123456789abcdef0123`, `outbox`, `delivery job-…` or `stream`";

/// What a deviation is about.
pub(super) enum On {
    /// A function or a delivery, by its kind and its subject.
    Named { kind: String, subject: String },
    /// A name that nobody could read.
    Number(Name),
}

impl On {
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some(digits) = text.strip_prefix('#') {
            return u64::from_str_radix(digits, 16).ok().map(|number| Self::Number(Name(number)));
        }
        let (kind, subject) = text.split_once(' ').unwrap_or((text, ""));
        let is_kind = Handler::ALL.iter().any(|handler| handler.name() == kind)
            || ["delivery", "stream"].contains(&kind);
        is_kind.then(|| Self::Named { kind: kind.to_owned(), subject: subject.to_owned() })
    }

    pub(super) fn name(&self, nth: u32) -> Name {
        match self {
            Self::Named { kind, subject } => Name::of(kind, subject, nth),
            Self::Number(name) => *name,
        }
    }
}

/// What a word decides, and its option.
pub(super) fn of(word: &str) -> Option<(What, u8)> {
    let fault = Fault::ALL.into_iter().find(|one| one.name() == word);
    let mishap = Mishap::ALL.into_iter().find(|one| one.name() == word);
    let skew = Skew::ALL.into_iter().find(|one| one.name() == word);
    fault
        .map(|one| (What::Fault, one as u8))
        .or(mishap.map(|one| (What::Mishap, one as u8)))
        .or(skew.map(|one| (What::Skew, one as u8)))
}

/// The word for an option.
pub(super) fn word(what: What, option: u8) -> &'static str {
    match what {
        What::Fault => Fault::of(option).name(),
        What::Mishap => Mishap::of(option).name(),
        What::Skew => Skew::of(option).name(),
    }
}

/// All words.
pub(super) fn all() -> String {
    let faults = Fault::ALL.into_iter().map(Fault::name);
    let others =
        Mishap::ALL.into_iter().map(Mishap::name).chain(Skew::ALL.into_iter().map(Skew::name));
    let all: Vec<_> = faults.chain(others).map(|word| format!("`{word}`")).collect();
    format!("one of {}", all.join(", "))
}
