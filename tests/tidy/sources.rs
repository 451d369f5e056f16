//! The workspace's own files, read once and looked at as text.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// One file: its path from the root, with `/` between names, and its text.
#[derive(Clone, Debug)]
pub struct Source {
    pub path: String,
    pub text: String,
}

impl Source {
    /// A file that exists nowhere, for a rule's own test.
    pub fn planted(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// Whether all of it is test or bench code.
    pub fn is_test(&self) -> bool {
        let folders = ["tests", "benches"];
        self.path.ends_with("/tests.rs") || self.path.split('/').any(|name| folders.contains(&name))
    }

    /// What stands before the tests in the file; nothing when all of it is tests.
    pub fn product(&self) -> &str {
        if self.is_test() { "" } else { self.halves().0 }
    }

    /// The tests in the file, or all of a test file.
    pub fn tests(&self) -> &str {
        if self.is_test() { &self.text } else { self.halves().1 }
    }

    /// The folder of its crate.
    pub fn place(&self) -> &str {
        self.path.split("/src/").next().unwrap()
    }

    /// How many lines stand before the tests.
    pub fn product_lines(&self) -> usize {
        self.product().lines().count()
    }

    fn halves(&self) -> (&str, &str) {
        let at = self.text.find("\n#[cfg(test)]\nmod tests {").unwrap_or(self.text.len());
        self.text.split_at(at)
    }
}

/// The root of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All files with this extension, in the order of their paths.
pub fn files(extension: &str) -> Vec<Source> {
    let mut found = Vec::new();
    walk(&root(), &mut |path| {
        if path.extension().is_some_and(|ending| ending == extension) {
            let inner = path.strip_prefix(root()).unwrap();
            let path_text = inner.to_str().unwrap().to_owned();
            found.push(Source { path: path_text, text: fs::read_to_string(path).unwrap() });
        }
    });
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "no file ends with `.{extension}`");
    found
}

/// Goes through the root's folders, but for what is built and what is hidden.
fn walk(folder: &Path, see: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if !name.starts_with('.') && !name.starts_with("target") {
                walk(&path, see);
            }
        } else {
            see(&path);
        }
    }
}

/// All Rust sources.
pub fn rust() -> Vec<Source> {
    let found = files("rs");
    assert!(found.len() > 100, "only {} sources were found", found.len());
    found
}

/// All folders of sources, from the root.
pub fn folders() -> Vec<String> {
    let mut all: Vec<String> = rust()
        .iter()
        .flat_map(|source| Path::new(&source.path).ancestors().skip(1).map(Path::to_owned))
        .map(|path| path.to_str().unwrap().to_owned())
        .collect();
    all.sort();
    all.dedup();
    all
}

/// What `cargo` with these arguments prints.
pub fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "`cargo {}`: {errors}", arguments.join(" "));
    String::from_utf8(output.stdout).unwrap()
}

/// Fails with the list of offences, if there are any.
#[track_caller]
pub fn none(rule: &str, offences: &[String]) {
    assert!(offences.is_empty(), "{rule}:\n  {}", offences.join("\n  "));
}

/// The lines of a text that hold a word, as `path:line: word`.
pub fn lines_with(path: &str, text: &str, word: &str) -> Vec<String> {
    text.lines()
        .zip(1_usize..)
        .filter(|(line, _)| has_word(line, word))
        .map(|(_, number)| format!("{path}:{number}: `{word}`"))
        .collect()
}

/// Whether a word stands in a line on its own, not as a part of a longer one.
fn has_word(line: &str, word: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let (before, rest) = line.split_at(at);
        let after = rest.strip_prefix(word).unwrap();
        let goes_on = word.ends_with(joins) && after.starts_with(joins);
        !before.ends_with(joins) && !goes_on
    })
}

/// What becomes of the text in quotes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Strings {
    Kept,
    Emptied,
}

/// Rust without its comments, line for line.
pub fn code(text: &str, strings: Strings) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            comment(rest)
        } else if let Some(length) = quoted(rest, &out) {
            let literal = rest.split_at(length).0;
            match strings {
                Strings::Kept => out.push_str(literal),
                Strings::Emptied => {
                    out.push_str("\"\"");
                    out.extend(literal.chars().filter(|c| *c == '\n'));
                }
            }
            rest = rest.split_at(length).1;
            continue;
        } else {
            out.push(first);
            rest = rest.split_at(first.len_utf8()).1;
            continue;
        };
        let (gone, left) = rest.split_at(length);
        out.extend(gone.chars().filter(|c| *c == '\n'));
        rest = left;
    }
    out
}

/// How long the block comment is that begins here; blocks may lie in blocks.
fn comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut ends = rest.match_indices("/*").chain(rest.match_indices("*/")).collect::<Vec<_>>();
    ends.sort_unstable();
    for (at, mark) in ends {
        depth = if mark == "/*" { depth.saturating_add(1) } else { depth.saturating_sub(1) };
        if depth == 0 {
            return at.saturating_add(2);
        }
    }
    rest.len()
}

/// How long the string or the character is that begins here, if one does.
fn quoted(rest: &str, before: &str) -> Option<usize> {
    let is_inside_a_word = before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    if rest.starts_with('r') && !is_inside_a_word {
        let body = rest.trim_start_matches('r');
        let hashes: String = body.chars().take_while(|c| *c == '#').collect();
        let open = format!("r{hashes}\"");
        let inner = rest.strip_prefix(&open)?;
        let close = format!("\"{hashes}");
        let end = inner.find(&close).unwrap_or(inner.len());
        return Some(open.len().saturating_add(end).saturating_add(close.len()));
    }
    if rest.starts_with('"') {
        let mut escaped = true;
        let end = rest.char_indices().skip(1).find(|(_, c)| {
            let closes = *c == '"' && escaped;
            escaped = *c != '\\' || !escaped;
            closes
        });
        return Some(end.map_or(rest.len(), |(at, _)| at.saturating_add(1)));
    }
    if rest.starts_with('\'') {
        let mut letters = rest.char_indices().skip(1);
        let (_, first) = letters.next()?;
        if first == '\\' {
            let (at, _) = letters.skip(1).find(|(_, c)| *c == '\'')?;
            return Some(at.saturating_add(1));
        }
        // A lifetime has no closing quote.
        let (at, closing) = letters.next()?;
        return (closing == '\'').then(|| at.saturating_add(1));
    }
    None
}

#[test]
fn comments_go_and_strings_stay_or_are_emptied() {
    #[track_caller]
    fn check(text: &str, kept: &str, emptied: &str) {
        assert_eq!(code(text, Strings::Kept), kept);
        assert_eq!(code(text, Strings::Emptied), emptied);
    }
    check("a // b\nc", "a \nc", "a \nc");
    check("a /* b /* c */\n d */ e", "a \n e", "a \n e");
    check(r#"x("a//b", "c\"d") // e"#, r#"x("a//b", "c\"d") "#, r#"x("", "") "#);
    check(r##"r#"a"b// "# c"##, r##"r#"a"b// "# c"##, "\"\" c");
    check(r"('\'', '/', &'a b) //", r"('\'', '/', &'a b) ", "(\"\", \"\", &'a b) ");
    check(r#""\\" // a"#, r#""\\" "#, "\"\" ");
}

#[test]
fn a_word_is_found_on_its_own_only() {
    assert!(has_word("tokio::select! {", "select!"));
    assert!(has_word("a.todo!()", "todo!"));
    assert!(!has_word("preselect!()", "select!"));
    assert!(!has_word("InstantLike", "Instant"));
    assert!(has_word("Prune::Instant,", "Instant"));
}

#[test]
fn the_tests_of_a_file_are_told_from_its_product() {
    let both =
        Source::planted("core/src/a.rs", "//! A.\nfn a() {}\n\n#[cfg(test)]\nmod tests {\n}\n");
    assert_eq!(both.product_lines(), 2);
    assert!(both.tests().contains("mod tests"));
    assert!(Source::planted("core/src/job/tests.rs", "x").is_test());
    assert!(Source::planted("tests/conformance/store.rs", "x").is_test());
    assert!(!Source::planted("core/src/tests_of_blood.rs", "x").is_test());
}
