//! JSON with the place of each value, so that an error in a policy can say where it is.
//!
//! `serde_json` keeps the last of two equal keys and forgets places; a policy needs neither. Texts
//! are borrowed from the document, and a place is an offset until somebody asks for its line.
//!
//! Source: RFC 8259.

use std::{borrow::Cow, collections::BTreeSet};

use super::{
    dialect::Dialect,
    invalid::{InvalidPolicy, Place, Rule},
};

/// How deep arrays and objects may nest; a policy needs 6.
const DEPTH_MAX: u32 = 16;

/// Below so many, comparing each with each is quicker than a set.
const FEW: usize = 12;

/// A value and the offset at which it begins.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    pub(super) at: usize,
    pub(super) value: Value<'a>,
}

#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    /// As it is written.
    Number(&'a str),
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    /// In the order of the document; no two members share a name.
    Object(Vec<Member<'a>>),
}

#[derive(Clone, Debug)]
pub(super) struct Member<'a> {
    pub(super) at: usize,
    pub(super) name: Cow<'a, str>,
    pub(super) value: Node<'a>,
}

/// A rule that was broken, and the offset of what breaks it.
#[derive(Debug)]
pub(super) struct Broken {
    at: usize,
    /// Boxed, since what is read is moved together with it again and again.
    rule: Box<Rule>,
}

impl Broken {
    pub(super) fn new(at: usize, rule: Rule) -> Self {
        Self { at, rule: Box::new(rule) }
    }

    /// The same with its place in the text, a document of that language.
    pub(super) fn within(self, dialect: Dialect, text: &str) -> InvalidPolicy {
        InvalidPolicy { at: Places::new(text).of(self.at), rule: *self.rule, dialect }
    }
}

/// Turns offsets into places: quick for offsets that only grow.
pub(super) struct Places<'a> {
    text: &'a [u8],
    offset: usize,
    place: Place,
}

impl<'a> Places<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text: text.as_bytes(), offset: 0, place: Place { line: 1, column: 1 } }
    }

    pub(super) fn of(&mut self, offset: usize) -> Place {
        if offset < self.offset {
            self.offset = 0;
            self.place = Place { line: 1, column: 1 };
        }
        let passed = self.text.get(self.offset..offset).unwrap_or_default();
        let (whole_lines, line) = match passed.iter().rposition(|b| *b == b'\n') {
            Some(end) => passed.split_at(end.saturating_add(1)),
            None => (&[][..], passed),
        };
        let lines = count(whole_lines, |b| b == b'\n');
        // Each character has one byte that continues none.
        let characters = count(line, |b| b & 0xc0 != 0x80);
        let add =
            |to: u32, count: usize| to.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        let before = if lines == 0 { self.place.column } else { 1 };
        self.place = Place { line: add(self.place.line, lines), column: add(before, characters) };
        self.offset = offset;
        self.place
    }
}

/// How many of the bytes are such: counted in groups whose count fits into a byte, which is quick.
fn count(bytes: &[u8], is_such: impl Fn(u8) -> bool) -> usize {
    let in_group = |group: &[u8]| group.iter().map(|b| u8::from(is_such(*b))).sum::<u8>();
    bytes.chunks(255).map(|group| usize::from(in_group(group))).sum()
}

/// Reads one JSON value that is the whole text.
pub(super) fn parse(text: &str) -> Result<Node<'_>, Broken> {
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0, items: Vec::new() };
    let node = reader.value(0)?;
    reader.space();
    match reader.peek() {
        None => Ok(node),
        Some(_) => Err(reader.not_json("nothing may follow the policy")),
    }
}

/// The first item that equals one before it, by number.
pub(super) fn repeated<'k, K: Ord + 'k>(
    items: &(impl Iterator<Item = &'k K> + Clone),
) -> Option<usize> {
    let is_few = items.clone().nth(FEW).is_none();
    let mut seen = BTreeSet::new();
    items.clone().enumerate().position(|(number, item)| {
        if is_few {
            items.clone().take(number).any(|other| other == item)
        } else {
            !seen.insert(item)
        }
    })
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    /// The offset of what comes next: always where a character begins.
    at: usize,
    /// The items so far of all lists that are open, so that each list is allocated once.
    items: Vec<Node<'a>>,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: u32) -> Result<Node<'a>, Broken> {
        self.space();
        let at = self.at;
        if depth > DEPTH_MAX {
            return Err(self.not_json("values nest too deeply"));
        }
        let value = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => Value::Text(self.text()?),
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            Some(b'-' | b'0'..=b'9') => Value::Number(self.number()?),
            Some(_) => return Err(self.not_json("a value was expected")),
            None => return Err(self.not_json("the text ends before the policy does")),
        };
        Ok(Node { at, value })
    }

    fn object(&mut self, depth: u32) -> Result<Value<'a>, Broken> {
        self.step();
        let mut members: Vec<Member<'a>> = Vec::new();
        self.space();
        if self.skip(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.space();
            let at = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.not_json("a name in double quotes was expected"));
            }
            let name = self.text()?;
            self.space();
            if !self.skip(b':') {
                return Err(self.not_json("`:` was expected"));
            }
            let value = self.value(depth.saturating_add(1))?;
            members.push(Member { at, name, value });
            self.space();
            if self.skip(b'}') {
                break;
            }
            if !self.skip(b',') {
                return Err(self.not_json("`,` or `}` was expected"));
            }
        }
        let second = repeated(&members.iter().map(|member| &member.name));
        match second.and_then(|number| members.get(number)) {
            Some(member) => {
                let rule = Rule::DuplicateKey(member.name.to_string());
                Err(Broken::new(member.at, rule))
            }
            None => Ok(Value::Object(members)),
        }
    }

    fn list(&mut self, depth: u32) -> Result<Value<'a>, Broken> {
        self.step();
        self.space();
        if self.skip(b']') {
            return Ok(Value::List(Vec::new()));
        }
        let first = self.items.len();
        loop {
            let item = self.value(depth.saturating_add(1))?;
            self.items.push(item);
            self.space();
            if self.skip(b']') {
                return Ok(Value::List(self.items.split_off(first)));
            }
            if !self.skip(b',') {
                return Err(self.not_json("`,` or `]` was expected"));
            }
        }
    }

    fn text(&mut self) -> Result<Cow<'a, str>, Broken> {
        self.step();
        let mut text = Cow::Borrowed(self.plain());
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.step();
                    return Ok(text);
                }
                Some(b'\\') => {
                    self.step();
                    let escaped = self.escape()?;
                    let text = text.to_mut();
                    text.push(escaped);
                    text.push_str(self.plain());
                }
                Some(_) => return Err(self.not_json("a control character stands in a text")),
                None => return Err(self.not_json("a text has no closing quote")),
            }
        }
    }

    /// What comes before the next quote, backslash or control character.
    fn plain(&mut self) -> &'a str {
        let from = self.at;
        self.skip_groups(is_plain);
        self.run(|b| b >= b' ' && b != b'"' && b != b'\\');
        self.text.get(from..self.at).unwrap_or_default()
    }

    fn escape(&mut self) -> Result<char, Broken> {
        let at = self.at;
        let wrong = move || Broken::new(at, Rule::NotJson("unknown escape"));
        let letter = self.peek().ok_or_else(wrong)?;
        let plain = match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.step();
                return self.unicode().ok_or_else(wrong);
            }
            _ => return Err(wrong()),
        };
        self.step();
        Ok(plain)
    }

    /// What follows `\u`: one unit of UTF-16, or two, with another `\u` between, that are one
    /// character.
    fn unicode(&mut self) -> Option<char> {
        let first = self.hex4()?;
        if !(0xD800..0xDC00).contains(&first) {
            return char::from_u32(first.into());
        }
        if !(self.skip(b'\\') && self.skip(b'u')) {
            return None;
        }
        let second = self.hex4()?;
        char::decode_utf16([first, second]).next()?.ok()
    }

    fn hex4(&mut self) -> Option<u16> {
        let digits = self.text.get(self.at..self.at.saturating_add(4))?;
        let is_hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
        let unit = is_hex.then(|| u16::from_str_radix(digits, 16).ok())??;
        self.at = self.at.saturating_add(4);
        Some(unit)
    }

    fn number(&mut self) -> Result<&'a str, Broken> {
        let at = self.at;
        let text = self.run(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
        if is_number(text) {
            return Ok(text);
        }
        Err(Broken::new(at, Rule::NotJson("a number is malformed")))
    }

    fn word(&mut self, word: &'static str, value: Value<'a>) -> Result<Value<'a>, Broken> {
        for letter in word.bytes() {
            if !self.skip(letter) {
                return Err(self.not_json("a value was expected"));
            }
        }
        Ok(value)
    }

    fn space(&mut self) {
        // Most space is what indents a line.
        self.skip_groups(|group| group == *b"        ");
        self.run(|b| b <= b' ' && matches!(b, b' ' | b'\n' | b'\r' | b'\t'));
    }

    /// Passes over groups of eight bytes as long as they are such; the rest of a character that a
    /// group cuts must be passed over too.
    fn skip_groups(&mut self, is_such: impl Fn([u8; 8]) -> bool) {
        let (groups, _) = self.bytes.get(self.at..).unwrap_or_default().as_chunks();
        let passed = groups.iter().take_while(|group| is_such(**group)).count();
        self.at = self.at.saturating_add(passed.saturating_mul(8));
    }

    /// Takes what comes next as long as its bytes are such; they must be whole characters.
    fn run(&mut self, is_such: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|b| !is_such(*b)).unwrap_or(rest.len());
        let from = self.at;
        self.at = from.saturating_add(length);
        self.text.get(from..self.at).unwrap_or_default()
    }

    fn skip(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.step();
        }
        found
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Passes over one byte, which has been seen to be a whole character.
    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn not_json(&self, what: &'static str) -> Broken {
        Broken::new(self.at, Rule::NotJson(what))
    }
}

/// Whether none of eight bytes is a quote, a backslash or a control character: all at once, with
/// each byte's highest bit as its answer.
fn is_plain(group: [u8; 8]) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHEST: u64 = u64::from_ne_bytes([0x80; 8]);
    let word = u64::from_ne_bytes(group);
    // A byte below `limit` borrows into its highest bit. So may one after such a byte, but then
    // the first one has been found already.
    let below = |word: u64, limit: u8| word.wrapping_sub(u64::from_ne_bytes([limit; 8])) & !word;
    let equals = |byte: u8| {
        let differs = word ^ u64::from_ne_bytes([byte; 8]);
        differs.wrapping_sub(ONES) & !differs
    };
    (below(word, b' ') | equals(b'"') | equals(b'\\')) & HIGHEST == 0
}

/// Whether a text is a number: `-`, digits without a zero in front, a fraction, an exponent.
fn is_number(text: &str) -> bool {
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (number, None),
    };
    let whole = whole.strip_prefix('-').unwrap_or(whole);
    is_digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(is_digits)
        && exponent.is_none_or(|text| is_digits(text.strip_prefix(['+', '-']).unwrap_or(text)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(node: &Node<'_>) -> serde_json::Value {
        match &node.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(bool) => (*bool).into(),
            Value::Number(text) => serde_json::from_str(text).unwrap(),
            Value::Text(text) => text.as_ref().into(),
            Value::List(items) => items.iter().map(plain).collect(),
            Value::Object(members) => {
                members.iter().map(|m| (m.name.to_string(), plain(&m.value))).collect()
            }
        }
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(serde_json::Value::from),
            any::<i64>().prop_map(serde_json::Value::from),
            ".*".prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
                prop::collection::btree_map("[a-c]{0,2}", inner, 0..4)
                    .prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        /// What the common reader writes, this one reads as the same value.
        #[test]
        fn it_reads_what_serde_json_writes(value in any_json(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
            prop_assert_eq!(plain(&parse(&text.unwrap()).unwrap()), value);
        }

        /// Both readers agree on what is JSON at all, apart from duplicate keys and depth.
        #[test]
        fn it_refuses_what_serde_json_refuses(text in r#"[\[\]{},:"a\\u0-9eE+.\- tfn]{0,12}"#) {
            let theirs = serde_json::from_str::<serde_json::Value>(&text).map_err(|e| e.to_string());
            match parse(&text) {
                // A number that no float holds is still JSON.
                Ok(_) => prop_assert!(!theirs.is_err_and(|e| !e.contains("out of range")), "{text}"),
                Err(error) if matches!(*error.rule, Rule::DuplicateKey(_)) => {}
                Err(error) => prop_assert!(theirs.is_err(), "{text}: {error:?}"),
            }
        }
    }

    #[test]
    fn escapes_are_read() {
        let node = parse(r#""\u0041\n\ud83d\ude00\/""#).unwrap();
        assert_eq!(plain(&node), serde_json::Value::from("A\n😀/"));
        for wrong in [r#""\ud83d""#, r#""\x""#, r#""\u12""#, "\"\u{1}\""] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_place_counts_lines_and_characters() {
        let text = "é1\n\n  ü2";
        let mut places = Places::new(text);
        let mut of = |sought: char| {
            let place = places.of(text.find(sought).unwrap());
            (place.line, place.column)
        };
        assert_eq!((of('é'), of('1'), of('ü'), of('2')), ((1, 1), (1, 2), (3, 3), (3, 4)));
        assert_eq!((of('1'), of('2')), ((1, 2), (3, 4)));
    }

    #[test]
    fn a_name_given_twice_is_found_among_few_and_many() {
        for between in [0, 5, 50] {
            let members: Vec<String> = (0..between).map(|n| format!("\"{n}\":0,")).collect();
            let members = members.concat();
            let error = parse(&format!("{{\"a\":0,{members}\"a\":0,\"0\":1}}")).unwrap_err();
            assert!(matches!(&*error.rule, Rule::DuplicateKey(name) if name == "a"));
            assert_eq!(error.at, 7 + members.len());
        }
    }

    #[test]
    fn deep_nesting_is_refused_and_does_not_overflow() {
        assert!(parse(&"[".repeat(100_000)).is_err());
    }
}
