//! JSON with the place of each value, so that an error in a policy can say where it is.
//!
//! `serde_json` keeps the last of two equal keys and forgets places; a policy needs neither.
//!
//! Source: RFC 8259.

use std::{iter::Peekable, str::Chars};

use super::invalid::{InvalidPolicy, Place, Rule};

/// How deep arrays and objects may nest; a policy needs 6.
const DEPTH_MAX: u32 = 16;

/// A value and where it begins.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) at: Place,
    pub(super) value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(String),
    List(Vec<Node>),
    /// In the order of the document; no two members share a name.
    Object(Vec<Member>),
}

#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) at: Place,
    pub(super) name: String,
    pub(super) value: Node,
}

/// Reads one JSON value that is the whole text.
pub(super) fn parse(text: &str) -> Result<Node, InvalidPolicy> {
    let mut reader = Reader { rest: text.chars().peekable(), at: Place { line: 1, column: 1 } };
    let node = reader.value(0)?;
    reader.space();
    match reader.peek() {
        None => Ok(node),
        Some(_) => Err(reader.not_json("nothing may follow the policy")),
    }
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    at: Place,
}

impl Reader<'_> {
    fn value(&mut self, depth: u32) -> Result<Node, InvalidPolicy> {
        self.space();
        let at = self.at;
        if depth > DEPTH_MAX {
            return Err(self.not_json("values nest too deeply"));
        }
        let value = match self.peek() {
            Some('{') => self.object(depth)?,
            Some('[') => self.list(depth)?,
            Some('"') => Value::Text(self.text()?),
            Some('t') => self.word("true", Value::Bool(true))?,
            Some('f') => self.word("false", Value::Bool(false))?,
            Some('n') => self.word("null", Value::Null)?,
            Some('-' | '0'..='9') => Value::Number(self.number()?),
            Some(_) => return Err(self.not_json("a value was expected")),
            None => return Err(self.not_json("the text ends before the policy does")),
        };
        Ok(Node { at, value })
    }

    fn object(&mut self, depth: u32) -> Result<Value, InvalidPolicy> {
        self.take();
        let mut members: Vec<Member> = Vec::new();
        self.space();
        if self.skip('}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.space();
            let at = self.at;
            if self.peek() != Some('"') {
                return Err(self.not_json("a name in double quotes was expected"));
            }
            let name = self.text()?;
            if members.iter().any(|member| member.name == name) {
                return Err(InvalidPolicy { at, rule: Rule::DuplicateKey(name) });
            }
            self.space();
            if !self.skip(':') {
                return Err(self.not_json("`:` was expected"));
            }
            let value = self.value(depth.saturating_add(1))?;
            members.push(Member { at, name, value });
            self.space();
            if self.skip('}') {
                return Ok(Value::Object(members));
            }
            if !self.skip(',') {
                return Err(self.not_json("`,` or `}` was expected"));
            }
        }
    }

    fn list(&mut self, depth: u32) -> Result<Value, InvalidPolicy> {
        self.take();
        let mut items = Vec::new();
        self.space();
        if self.skip(']') {
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.value(depth.saturating_add(1))?);
            self.space();
            if self.skip(']') {
                return Ok(Value::List(items));
            }
            if !self.skip(',') {
                return Err(self.not_json("`,` or `]` was expected"));
            }
        }
    }

    fn text(&mut self) -> Result<String, InvalidPolicy> {
        self.take();
        let mut text = String::new();
        loop {
            match self.peek() {
                Some('"') => {
                    self.take();
                    return Ok(text);
                }
                Some('\\') => {
                    self.take();
                    text.push(self.escape()?);
                }
                Some('\0'..='\u{1f}') => {
                    return Err(self.not_json("a control character stands in a text"));
                }
                Some(other) => {
                    self.take();
                    text.push(other);
                }
                None => return Err(self.not_json("a text has no closing quote")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, InvalidPolicy> {
        let place = self.at;
        let wrong = move || InvalidPolicy { at: place, rule: Rule::NotJson("unknown escape") };
        match self.take() {
            Some('"') => Ok('"'),
            Some('\\') => Ok('\\'),
            Some('/') => Ok('/'),
            Some('b') => Ok('\u{8}'),
            Some('f') => Ok('\u{c}'),
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some('u') => {
                let first = self.hex4().ok_or_else(wrong)?;
                if !(0xD800..0xDC00).contains(&first) {
                    return char::from_u32(first).ok_or_else(wrong);
                }
                // A surrogate pair: two escapes make one character.
                if !(self.skip('\\') && self.skip('u')) {
                    return Err(wrong());
                }
                let second = self.hex4().ok_or_else(wrong)?;
                let units = [first, second].map(|unit| u16::try_from(unit).unwrap_or(0));
                char::decode_utf16(units).next().and_then(Result::ok).ok_or_else(wrong)
            }
            Some(_) | None => Err(wrong()),
        }
    }

    fn hex4(&mut self) -> Option<u32> {
        let mut unit: u32 = 0;
        for _ in 0..4 {
            unit = (unit << 4) | self.take()?.to_digit(16)?;
        }
        Some(unit)
    }

    fn number(&mut self) -> Result<String, InvalidPolicy> {
        let mut text = String::new();
        while let Some(next @ ('-' | '+' | '.' | 'e' | 'E' | '0'..='9')) = self.peek() {
            self.take();
            text.push(next);
        }
        // The grammar of numbers has corners (`01`, `1.`, `1e`); the one who knows them decides.
        match serde_json::from_str::<serde_json::Number>(&text) {
            Ok(_) => Ok(text),
            Err(_) => Err(self.not_json("a number is malformed")),
        }
    }

    fn word(&mut self, word: &'static str, value: Value) -> Result<Value, InvalidPolicy> {
        for letter in word.chars() {
            if !self.skip(letter) {
                return Err(self.not_json("a value was expected"));
            }
        }
        Ok(value)
    }

    fn space(&mut self) {
        while let Some(' ' | '\t' | '\n' | '\r') = self.peek() {
            self.take();
        }
    }

    fn skip(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.take();
        }
        found
    }

    fn peek(&mut self) -> Option<char> {
        self.rest.peek().copied()
    }

    fn take(&mut self) -> Option<char> {
        let next = self.rest.next()?;
        if next == '\n' {
            self.at = Place { line: self.at.line.saturating_add(1), column: 1 };
        } else {
            self.at.column = self.at.column.saturating_add(1);
        }
        Some(next)
    }

    fn not_json(&self, what: &'static str) -> InvalidPolicy {
        InvalidPolicy { at: self.at, rule: Rule::NotJson(what) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(node: &Node) -> serde_json::Value {
        match &node.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(bool) => (*bool).into(),
            Value::Number(text) => serde_json::from_str(text).unwrap(),
            Value::Text(text) => text.clone().into(),
            Value::List(items) => items.iter().map(plain).collect(),
            Value::Object(members) => {
                members.iter().map(|m| (m.name.clone(), plain(&m.value))).collect()
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
            let theirs = serde_json::from_str::<serde_json::Value>(&text).is_ok();
            match parse(&text) {
                Ok(_) => prop_assert!(theirs, "{text}"),
                Err(InvalidPolicy { rule: Rule::DuplicateKey(_), .. }) => {}
                Err(error) => prop_assert!(!theirs, "{text}: {error}"),
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
    fn deep_nesting_is_refused_and_does_not_overflow() {
        assert!(parse(&"[".repeat(100_000)).is_err());
    }
}
