//! TOML by its fields: each knows its way from the top and where it stands in the text.

use std::{ops::Range, str::FromStr};

use crossvault_core::ids::InvalidId;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::wrong::{Mistake, Wrong};

/// The result of reading.
pub(super) type Read<T> = Result<T, Wrong>;

/// A value in its place.
#[derive(Clone)]
pub(super) struct Field<'t> {
    text: &'t str,
    /// Its way from the top.
    pub(super) path: String,
    span: Range<usize>,
    pub(super) value: &'t DeValue<'t>,
}

/// A table whose fields are asked for one by one; what nobody asked for is a mistake.
pub(super) struct Table<'t> {
    text: &'t str,
    path: String,
    span: Range<usize>,
    /// In the order of the text.
    entries: Vec<(&'t str, Range<usize>, &'t Spanned<DeValue<'t>>)>,
    asked: Vec<String>,
}

fn wrong(text: &str, at: usize, mistake: Mistake) -> Wrong {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count().saturating_add(1);
    let of_line = before.rsplit('\n').next().unwrap_or_default();
    Wrong { line, column: of_line.chars().count().saturating_add(1), mistake }
}

/// Reads the text as TOML.
pub(super) fn parse(text: &str) -> Read<Spanned<DeTable<'_>>> {
    DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        wrong(text, at, Mistake::Syntax(error.message().to_owned()))
    })
}

impl<'t> Table<'t> {
    /// The whole text.
    pub(super) fn root(text: &'t str, table: &'t Spanned<DeTable<'t>>) -> Self {
        Self::new(text, String::new(), 0..0, table.get_ref())
    }

    fn new(text: &'t str, path: String, span: Range<usize>, table: &'t DeTable<'t>) -> Self {
        let entry = |(key, value): (&'t Spanned<_>, &'t Spanned<DeValue<'t>>)| {
            let name: &'t std::borrow::Cow<'t, str> = key.get_ref();
            (name.as_ref(), key.span(), value)
        };
        let mut entries: Vec<_> = table.iter().map(entry).collect();
        entries.sort_by_key(|(_, span, _)| span.start);
        Self { text, path, span, entries, asked: Vec::new() }
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// A field, if it is there.
    pub(super) fn get(&mut self, key: &str) -> Option<Field<'t>> {
        self.asked.push(key.to_owned());
        let place = self.entries.iter().position(|(name, ..)| *name == key)?;
        let (_, _, value) = self.entries.remove(place);
        let (path, span) = (self.path_of(key), value.span());
        Some(Field { text: self.text, path, span, value: value.get_ref() })
    }

    /// A field that must be there.
    pub(super) fn need(&mut self, key: &str, expected: &str) -> Read<Field<'t>> {
        self.get(key).ok_or_else(|| self.missing(key, expected))
    }

    /// That a field is not there.
    pub(super) fn missing(&self, key: &str, expected: &str) -> Wrong {
        let (field, expected) = (self.path_of(key), expected.to_owned());
        wrong(self.text, self.span.start, Mistake::Missing { field, expected })
    }

    /// A table below, empty if it is not there.
    pub(super) fn table(&mut self, key: &str) -> Read<Vec<(&'t str, Field<'t>)>> {
        self.get(key).map_or(Ok(Vec::new()), |field| Ok(field.table()?.rest()))
    }

    /// The tables of a list below, none if it is not there.
    pub(super) fn tables(&mut self, key: &str) -> Read<Vec<Self>> {
        let all = self.get(key).map_or(Ok(Vec::new()), |field| field.list())?;
        all.into_iter().map(|field| field.table()).collect()
    }

    /// All fields that nobody has asked for, in the order of the text.
    pub(super) fn rest(&mut self) -> Vec<(&'t str, Field<'t>)> {
        let entries = std::mem::take(&mut self.entries);
        let field = |(key, _, value): (&'t str, _, &'t Spanned<DeValue<'t>>)| {
            let (path, span) = (self.path_of(key), value.span());
            (key, Field { text: self.text, path, span, value: value.get_ref() })
        };
        entries.into_iter().map(field).collect()
    }

    /// The name of the first field that nobody has asked for.
    pub(super) fn first_of(&self, words: &[&'static str]) -> Option<&'static str> {
        let of = |name: &str| words.iter().copied().find(|word| *word == name);
        self.entries.iter().find_map(|(name, ..)| of(name))
    }

    /// That nothing is left that nobody asked for.
    pub(super) fn finish(self) -> Read<()> {
        match self.entries.first() {
            None => Ok(()),
            Some((key, span, _)) => {
                let mut allowed = self.asked.clone();
                allowed.sort_unstable();
                let field = self.path_of(key);
                Err(wrong(self.text, span.start, Mistake::Unknown { field, allowed }))
            }
        }
    }

    /// That a field has no meaning, though others have.
    pub(super) fn unknown(field: &Field<'_>, allowed: Vec<String>) -> Wrong {
        field.wrong(Mistake::Unknown { field: field.path.clone(), allowed })
    }

    /// Where it stands, after its fields were taken out of it.
    pub(super) fn place(&self) -> Self {
        let (path, span) = (self.path.clone(), self.span.clone());
        Self { text: self.text, path, span, entries: Vec::new(), asked: Vec::new() }
    }

    /// That a field is as another one is already.
    pub(super) fn twice(&self, key: &str, found: &str) -> Wrong {
        self.wrong(Mistake::Twice { field: self.path_of(key), found: found.to_owned() })
    }

    /// As a field of the text, to say what is wrong with it as a whole.
    pub(super) fn wrong(&self, mistake: Mistake) -> Wrong {
        wrong(self.text, self.span.start, mistake)
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }
}

impl<'t> Field<'t> {
    /// A mistake at this place.
    pub(super) fn wrong(&self, mistake: Mistake) -> Wrong {
        wrong(self.text, self.span.start, mistake)
    }

    /// That it holds something else than it should.
    pub(super) fn not(&self, expected: &str) -> Wrong {
        let found = match self.value {
            DeValue::String(text) => format!("`{text}`"),
            DeValue::Integer(number) => number.to_string(),
            DeValue::Float(number) => number.to_string(),
            DeValue::Boolean(value) => value.to_string(),
            DeValue::Datetime(at) => at.to_string(),
            DeValue::Array(_) => "a list".to_owned(),
            DeValue::Table(_) => "a table".to_owned(),
        };
        let (field, expected) = (self.path.clone(), expected.to_owned());
        self.wrong(Mistake::Value { field, found, expected })
    }

    pub(super) fn text(&self) -> Read<&'t str> {
        match self.value {
            DeValue::String(text) => Ok(text),
            _ => Err(self.not("a text")),
        }
    }

    pub(super) fn boolean(&self) -> Read<bool> {
        match self.value {
            DeValue::Boolean(value) => Ok(*value),
            _ => Err(self.not("`true` or `false`")),
        }
    }

    /// A whole number that fits.
    pub(super) fn number<T: TryFrom<i128>>(&self) -> Read<T> {
        let DeValue::Integer(number) = self.value else { return Err(self.not("a whole number")) };
        let number = i128::from_str_radix(number.as_str(), number.radix()).ok();
        number
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| self.not("a number that fits"))
    }

    pub(super) fn list(&self) -> Read<Vec<Self>> {
        let DeValue::Array(all) = self.value else { return Err(self.not("a list")) };
        let one = |(n, value): (usize, &'t Spanned<DeValue<'t>>)| Field {
            text: self.text,
            path: format!("{}[{n}]", self.path),
            span: value.span(),
            value: value.get_ref(),
        };
        Ok(all.iter().enumerate().map(|(n, value)| (n.saturating_add(1), value)).map(one).collect())
    }

    pub(super) fn texts(&self) -> Read<Vec<String>> {
        self.list()?.iter().map(|field| field.text().map(str::to_owned)).collect()
    }

    pub(super) fn table(&self) -> Read<Table<'t>> {
        let DeValue::Table(table) = self.value else { return Err(self.not("a table")) };
        Ok(Table::new(self.text, self.path.clone(), self.span.clone(), table))
    }

    /// A text that is an id.
    pub(super) fn id<T: FromStr<Err = InvalidId>>(&self) -> Read<T> {
        self.text()?.parse().map_err(|error: InvalidId| self.not(error.expected))
    }

    /// A text that is one of some words.
    pub(super) fn one_of<T: Copy>(&self, words: &[(&str, T)]) -> Read<T> {
        let text = self.text()?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        found.ok_or_else(|| {
            let all: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
            self.not(&format!("one of {}", all.join(", ")))
        })
    }
}
