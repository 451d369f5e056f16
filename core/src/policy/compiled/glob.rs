//! Patterns of `*` and `?`, made ready once and matched in time linear in the text.
//!
//! A pattern is cut at its stars. What stands before the first and after the last is anchored; the
//! rest is looked for from left to right, each as early as possible, which is exact: an earlier
//! match leaves more text for what follows.

use memchr::memmem::Finder;

use crate::policy::pattern::Case;

/// One element of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// That character.
    Char(char),
    /// `?`: any one character.
    One,
    /// `*`: any run of characters.
    Run,
}

/// A pattern, ready to match.
#[derive(Debug)]
pub(super) struct Glob(Shape);

#[derive(Debug)]
enum Shape {
    /// Without a star.
    Whole(Piece),
    /// With a star, or several.
    Starred { head: Piece, middles: Box<[Middle]>, tail: Piece },
}

impl Glob {
    /// Reads a pattern in which each `*` and `?` is a wildcard.
    pub(super) fn new(pattern: &str, case: Case) -> Self {
        Self::of(tokens(pattern), case)
    }

    pub(super) fn of(tokens: impl IntoIterator<Item = Token>, case: Case) -> Self {
        let tokens: Vec<Token> = tokens.into_iter().collect();
        let mut pieces = tokens.split(|token| *token == Token::Run);
        let head = Piece::of(pieces.next().unwrap_or_default(), case);
        let Some(tail) = pieces.next_back() else { return Self(Shape::Whole(head)) };
        let middles = pieces.filter(|piece| !piece.is_empty()).map(|p| Middle::of(p, case));
        let middles = middles.collect();
        Self(Shape::Starred { head, middles, tail: Piece::of(tail, case) })
    }

    /// Whether the pattern matches the whole text.
    pub(super) fn matches(&self, text: &str) -> bool {
        match &self.0 {
            Shape::Whole(piece) => piece.is(text),
            Shape::Starred { head, middles, tail } => {
                let rest = head.strip_from(text).and_then(|rest| tail.strip_off(rest));
                rest.and_then(|rest| middles.iter().try_fold(rest, |rest, m| m.skip(rest)))
                    .is_some()
            }
        }
    }

    /// Whether it matches each text.
    pub(super) fn is_any(&self) -> bool {
        match &self.0 {
            Shape::Whole(_) => false,
            Shape::Starred { head, middles, tail } => {
                middles.is_empty() && matches!((head, tail), (Piece::Nothing, Piece::Nothing))
            }
        }
    }
}

/// Reads a pattern in which each `*` and `?` is a wildcard.
pub(super) fn tokens(pattern: &str) -> impl Iterator<Item = Token> {
    pattern.chars().map(|char| match char {
        '*' => Token::Run,
        '?' => Token::One,
        char => Token::Char(char),
    })
}

/// A part of a pattern that stands at one end of the text.
#[derive(Debug)]
enum Piece {
    /// Without a character. To compare texts is slow where one of them is empty: it lies nowhere in
    /// memory, and the processor takes its time to find that nothing was read there.
    Nothing,
    Exact(Box<str>),
    Folded(Box<str>),
    /// With a `?`, which is `None`.
    Blurred(Box<[Option<char>]>, Case),
}

impl Piece {
    fn of(tokens: &[Token], case: Case) -> Self {
        let chars = tokens.iter().map(|token| match token {
            Token::Char(char) => Some(*char),
            Token::One | Token::Run => None,
        });
        match chars.clone().collect::<Option<String>>() {
            Some(text) if text.is_empty() => Self::Nothing,
            Some(text) if case == Case::Exact => Self::Exact(text.into()),
            Some(text) => Self::Folded(text.into()),
            None => Self::Blurred(chars.collect(), case),
        }
    }

    /// Whether it is the whole text.
    fn is(&self, text: &str) -> bool {
        match self {
            Self::Exact(piece) => **piece == *text,
            Self::Folded(piece) => piece.eq_ignore_ascii_case(text),
            Self::Nothing | Self::Blurred(..) => self.strip_from(text).is_some_and(str::is_empty),
        }
    }

    /// What follows it in a text that begins with it.
    fn strip_from<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Self::Nothing => Some(text),
            Self::Exact(piece) => text.strip_prefix(&**piece),
            Self::Folded(piece) => {
                let (start, rest) = text.split_at_checked(piece.len())?;
                start.eq_ignore_ascii_case(piece).then_some(rest)
            }
            Self::Blurred(piece, case) => {
                let mut chars = text.chars();
                let fits = piece.iter().all(|p| chars.next().is_some_and(|c| takes(*p, c, *case)));
                fits.then_some(chars.as_str())
            }
        }
    }

    /// What precedes it in a text that ends with it.
    fn strip_off<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Self::Nothing => Some(text),
            Self::Exact(piece) => text.strip_suffix(&**piece),
            Self::Folded(piece) => {
                let (rest, end) = text.split_at_checked(text.len().checked_sub(piece.len())?)?;
                end.eq_ignore_ascii_case(piece).then_some(rest)
            }
            Self::Blurred(piece, case) => {
                let mut chars = text.chars();
                let fits = piece
                    .iter()
                    .rev()
                    .all(|p| chars.next_back().is_some_and(|c| takes(*p, c, *case)));
                fits.then_some(chars.as_str())
            }
        }
    }
}

fn takes(piece: Option<char>, found: char, case: Case) -> bool {
    piece.is_none_or(|wanted| match case {
        Case::Exact => wanted == found,
        Case::Folded => wanted.eq_ignore_ascii_case(&found),
    })
}

/// A part of a pattern between two stars.
#[derive(Debug)]
enum Middle {
    Literal(Box<Finder<'static>>),
    Blurred(Box<ShiftAnd>),
}

impl Middle {
    fn of(tokens: &[Token], case: Case) -> Self {
        match Piece::of(tokens, case) {
            Piece::Exact(text) => {
                Self::Literal(Box::new(Finder::new(text.as_bytes()).into_owned()))
            }
            Piece::Nothing | Piece::Folded(_) | Piece::Blurred(..) => {
                Self::Blurred(Box::new(ShiftAnd::of(tokens, case)))
            }
        }
    }

    /// What follows its first occurrence.
    fn skip<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Self::Literal(finder) => {
                // Characters of UTF-8 do not overlap, so the end is one of a character.
                let end = finder.find(text.as_bytes())?.checked_add(finder.needle().len())?;
                text.get(end..)
            }
            Self::Blurred(search) => search.skip(text),
        }
    }
}

/// Looks for a piece by keeping, for each of its beginnings, whether the text read so far ends with
/// it: one bit each, shifted by one with each character.
///
/// Source: R. Baeza-Yates and G. Gonnet, "A new approach to text searching", 1992.
#[derive(Debug)]
struct ShiftAnd {
    /// Where each character may stand: a row of bits for each ASCII one, then for each of `others`,
    /// then for all that are not in the piece.
    rows: Box<[u64]>,
    /// How many words a row has.
    words: usize,
    others: Box<[char]>,
    /// The bit of the whole piece, in the last word.
    last: u64,
}

impl ShiftAnd {
    const ASCII: usize = 128;
    /// How many words of state fit on the stack: as many as the longest policy may need.
    const WORDS: usize = 96;

    fn of(tokens: &[Token], case: Case) -> Self {
        let mut others: Vec<char> = tokens
            .iter()
            .filter_map(|token| match token {
                Token::Char(char) => (!char.is_ascii()).then_some(*char),
                Token::One | Token::Run => None,
            })
            .collect();
        others.sort_unstable();
        others.dedup();
        let words = tokens.len().div_ceil(64).max(1);
        let count = others.len().saturating_add(Self::ASCII).saturating_add(1);
        let mut search = Self {
            rows: vec![0; words.saturating_mul(count)].into(),
            words,
            others: others.into(),
            last: 1 << (tokens.len().saturating_sub(1) % 64),
        };
        for (at, token) in tokens.iter().enumerate() {
            match *token {
                Token::Char(char) if case == Case::Folded => {
                    search.allow(search.row_of(char.to_ascii_lowercase()), at);
                    search.allow(search.row_of(char.to_ascii_uppercase()), at);
                }
                Token::Char(char) => search.allow(search.row_of(char), at),
                Token::One | Token::Run => (0..count).for_each(|row| search.allow(row, at)),
            }
        }
        search
    }

    fn allow(&mut self, row: usize, at: usize) {
        let row = self.rows.chunks_exact_mut(self.words).nth(row);
        if let Some(word) = row.and_then(|row| row.get_mut(at / 64)) {
            *word |= 1 << (at % 64);
        }
    }

    fn row_of(&self, char: char) -> usize {
        if char.is_ascii() {
            return char as usize;
        }
        let (Ok(other) | Err(other)) =
            self.others.binary_search(&char).map_err(|_| self.others.len());
        other.saturating_add(Self::ASCII)
    }

    /// What follows the first occurrence.
    fn skip<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self.words {
            1 => self.skip_with(&mut [0], text),
            words @ 2..=Self::WORDS => {
                self.skip_with([0; Self::WORDS].get_mut(..words).unwrap_or_default(), text)
            }
            words => self.skip_with(&mut vec![0; words], text),
        }
    }

    fn skip_with<'t>(&self, state: &mut [u64], text: &'t str) -> Option<&'t str> {
        let mut chars = text.chars();
        while let Some(char) = chars.next() {
            let row = self.rows.chunks_exact(self.words).nth(self.row_of(char))?;
            // The beginning of length zero always holds.
            let mut carry = 1;
            for (word, mask) in state.iter_mut().zip(row) {
                let next = *word >> 63;
                *word = (*word << 1 | carry) & mask;
                carry = next;
            }
            if state.last().is_some_and(|word| word & self.last != 0) {
                return Some(chars.as_str());
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The obvious way to match, exponential and right.
    fn plain(pattern: &[char], text: &[char], case: Case) -> bool {
        match (pattern, text) {
            ([], text) => text.is_empty(),
            (['*', rest @ ..], _) => (0..=text.len()).any(|n| plain(rest, &text[n..], case)),
            ([wanted, rest @ ..], [found, after @ ..]) => {
                let same = match case {
                    Case::Exact => wanted == found,
                    Case::Folded => wanted.eq_ignore_ascii_case(found),
                };
                (*wanted == '?' || same) && plain(rest, after, case)
            }
            (_, []) => false,
        }
    }

    fn is_plainly(pattern: &str, text: &str, case: Case) -> bool {
        let chars = |s: &str| s.chars().collect::<Vec<_>>();
        plain(&chars(pattern), &chars(text), case)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5000))]

        /// Cut at its stars, a pattern says what it says plainly.
        #[test]
        fn the_quick_matcher_equals_the_obvious_one(pattern in "[abA*?é漢]{0,9}", text in "[abA*é漢]{0,10}") {
            for case in [Case::Exact, Case::Folded] {
                prop_assert_eq!(Glob::new(&pattern, case).matches(&text), is_plainly(&pattern, &text, case));
            }
        }

        /// The same near a match, where the law above seldom is.
        #[test]
        fn it_equals_the_obvious_one_near_a_match(
            parts in prop::collection::vec(("[abé]{0,4}", 0..4u8), 0..6),
            change in any::<prop::sample::Index>(),
            by in "[abB?*é]?",
        ) {
            let text: String = parts.iter().map(|(part, _)| part.as_str()).collect();
            let blurred = parts.iter().map(|(part, blur)| match blur {
                0 => part.clone(),
                1 => "*".to_owned(),
                2 => format!("*{part}*"),
                _ => "?".repeat(part.chars().count()),
            });
            let pattern: String = blurred.collect();
            prop_assert!(Glob::new(&pattern, Case::Exact).matches(&text));
            let mut chars: Vec<char> = pattern.chars().collect();
            if !chars.is_empty() {
                let at = change.index(chars.len());
                chars.splice(at..=at, by.chars());
            }
            let pattern: String = chars.into_iter().collect();
            for case in [Case::Exact, Case::Folded] {
                prop_assert_eq!(Glob::new(&pattern, case).matches(&text), is_plainly(&pattern, &text, case));
            }
        }
    }

    #[track_caller]
    fn check(pattern: &str, text: &str, expected: bool) {
        assert_eq!(Glob::new(pattern, Case::Exact).matches(text), expected, "{pattern} on {text}");
    }

    #[test]
    fn the_corners() {
        check("", "", true);
        check("", "a", false);
        check("*", "", true);
        check("**", "", true);
        check("?", "é", true);
        check("?", "", false);
        check("*?", "", false);
        check("*??*", "漢", false);
        check("*??*", "漢字", true);
        check("a*a", "a", false);
        check("*ab*ab*", "abab", true);
        check("*ab*ab*", "abxb", false);
    }

    #[test]
    fn pieces_longer_than_a_word_are_found() {
        for length in [63, 64, 65, 127, 128, 129, 6500] {
            let piece = "?a".repeat(length / 2) + &"a".repeat(length % 2);
            let text = "ba".repeat(length / 2) + &"a".repeat(length % 2);
            check(&format!("*{piece}*"), &format!("xx{text}y"), true);
            check(&format!("*{piece}b*"), &format!("xx{text}y"), false);
            check(&format!("*{piece}*"), &text[1..], false);
        }
    }

    #[test]
    fn a_hostile_pattern_ends() {
        let text = "a".repeat(100_000);
        check(&format!("{}b", "*a".repeat(2000)), &text, false);
        check(&format!("*{}b*", "a".repeat(1024)), &text, false);
        check(&format!("*{}b*", "?a".repeat(512)), &text, false);
    }
}
