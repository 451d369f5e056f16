//! Patterns matched the plain way: `*` stands for any run of characters, `?` for exactly one.

use super::pattern::Symbol;
use crate::policy::pattern::Case;

/// Whether the pattern matches the whole text: `*` any run, also an empty one; `?` one character.
///
/// Only the last `*` is ever tried again, so the time is at most pattern times text, whatever is
/// written.
#[must_use]
pub(in crate::policy) fn glob_matches(
    mut pattern: impl Iterator<Item = Symbol> + Clone,
    text: &str,
    case: Case,
) -> bool {
    let mut text = text.chars();
    // What follows the last star, and the text from where that star ends.
    let mut star = None;
    loop {
        let (mut pattern_next, mut text_next) = (pattern.clone(), text.clone());
        match (pattern_next.next(), text_next.next()) {
            (Some(Symbol::Written('*')), _) => {
                star = Some((pattern_next.clone(), text.clone()));
                pattern = pattern_next;
                continue;
            }
            (None, None) => return true,
            (Some(wanted), Some(found)) if is_same(wanted, found, case) => {
                (pattern, text) = (pattern_next, text_next);
                continue;
            }
            // A longer run for the star would leave even less text.
            (Some(_), None) => return false,
            (Some(_) | None, Some(_)) => {}
        }
        let Some((after, from)) = star.as_mut() else { return false };
        if from.next().is_none() {
            return false;
        }
        (pattern, text) = (after.clone(), from.clone());
    }
}

fn is_same(wanted: Symbol, found: char, case: Case) -> bool {
    let letter = match wanted {
        Symbol::Written('?') => return true,
        Symbol::Written(letter) | Symbol::Literal(letter) => letter,
    };
    match case {
        Case::Exact => letter == found,
        Case::Folded => letter.eq_ignore_ascii_case(&found),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::pattern::plain_symbols, *};

    fn matches(pattern: &str, text: &str) -> bool {
        glob_matches(plain_symbols(pattern), text, Case::Exact)
    }

    fn naive(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], text) => text.is_empty(),
            (['*', rest @ ..], _) => (0..=text.len()).any(|n| naive(rest, &text[n..])),
            ([wanted, rest @ ..], [found, after @ ..]) => {
                (*wanted == '?' || wanted == found) && naive(rest, after)
            }
            (_, []) => false,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5000))]

        /// The quick matcher says what the obvious one says.
        #[test]
        fn the_matcher_equals_the_naive_one(pattern in "[ab*?é]{0,8}", text in "[ab*é]{0,10}") {
            let chars = |s: &str| s.chars().collect::<Vec<_>>();
            prop_assert_eq!(
                matches(&pattern, &text),
                naive(&chars(&pattern), &chars(&text))
            );
        }

        /// A text matches the pattern that it was blurred into, so the law above is not only
        /// about texts that do not match.
        #[test]
        fn a_blurred_text_still_matches(parts in prop::collection::vec(("[ab]{0,4}", 0..3u8), 0..6)) {
            let text: String = parts.iter().map(|(part, _)| part.as_str()).collect();
            let pattern: String = parts
                .iter()
                .map(|(part, blur)| match blur {
                    0 => part.clone(),
                    1 => "*".to_owned(),
                    _ => "?".repeat(part.len()),
                })
                .collect();
            prop_assert!(matches(&pattern, &text));
        }
    }

    #[test]
    fn a_hostile_pattern_ends() {
        let text = "a".repeat(4096);
        assert!(!matches(&format!("{}b", "*a".repeat(2000)), &text));
        assert!(!matches(&format!("*{}b*", "a".repeat(1024)), &text));
        assert!(!matches(&format!("*{}b*", "?a".repeat(512)), &text));
    }
}
