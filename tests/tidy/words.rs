//! Words that must not stand in code, and why.

use crate::sources::{Source, Strings, code, lines_with, none, rust};

/// A word, where it must not stand, and the way out.
struct Banned {
    word: &'static str,
    place: Place,
    instead: &'static str,
}

/// Where a word is looked for.
#[derive(Clone, Copy)]
enum Place {
    /// Everywhere, tests too.
    All,
    /// In tests, but not in benches, which may look at a process from time to time.
    Tests,
    /// In what handlers and decisions are built from.
    Pure,
}

const BANNED: [Banned; 19] = [
    // Children of these are woken through wakers of their own, and hang under a waker that does
    // nothing, as the simulator's.
    pure("FuturesUnordered", "await one after another, or poll all at each wake"),
    pure("buffer_unordered", "await one after another, or poll all at each wake"),
    pure("for_each_concurrent", "await one after another, or poll all at each wake"),
    pure("select!", "await one after another, or poll all at each wake"),
    pure("join_all", "await one after another, or poll all at each wake"),
    pure("block_on", "a platform runs the futures"),
    pure("cfg(target_os", "no handler knows its platform"),
    pure("cfg(unix)", "no handler knows its platform"),
    pure("cfg(feature", "one build: a power is a port"),
    pure("thread_local!", "state is in the store, or an argument"),
    all("todo!", "write it, or refuse it with a code"),
    all("unimplemented!", "write it, or refuse it with a code"),
    all("dbg!", "use tracing"),
    all("#[allow(", "`#[expect(…, reason = \"…\")]` goes when it is no longer needed"),
    all("HashMap", "its order is random: use BTreeMap"),
    all("HashSet", "its order is random: use BTreeSet"),
    tests("#[ignore", "a test that is not run proves nothing"),
    tests("should_panic", "assert on the error"),
    tests("thread::sleep", "wait for the thing itself"),
];

const fn pure(word: &'static str, instead: &'static str) -> Banned {
    Banned { word, place: Place::Pure, instead }
}

const fn all(word: &'static str, instead: &'static str) -> Banned {
    Banned { word, place: Place::All, instead }
}

const fn tests(word: &'static str, instead: &'static str) -> Banned {
    Banned { word, place: Place::Tests, instead }
}

/// The few places where a word may stand, each with its reason.
const EXCEPTED: [(&str, &str, &str); 3] = [
    ("cli/tests/broken_grant.rs", "thread::sleep", "asks another process again until it has told"),
    ("cli/tests/served.rs", "thread::sleep", "asks another process again until its job has ended"),
    (
        "functions/handlers/src/records/row.rs",
        "#[allow(",
        "in a macro, whose rows do not all need it",
    ),
];

fn offences(sources: &[Source]) -> Vec<String> {
    let mut offences = Vec::new();
    for source in sources {
        let product = code(source.product(), Strings::Emptied);
        let tests = code(source.tests(), Strings::Emptied);
        let is_pure =
            ["core/", "functions/handlers/"].iter().any(|start| source.path.starts_with(start));
        for Banned { word, place, instead } in &BANNED {
            if EXCEPTED.iter().any(|(path, but, _)| *path == source.path && but == word) {
                continue;
            }
            let mut found = Vec::new();
            if matches!(place, Place::All) || (matches!(place, Place::Pure) && is_pure) {
                found.extend(lines_with(&source.path, &product, word));
            }
            let is_bench = source.path.contains("/benches/");
            if matches!(place, Place::All) || (matches!(place, Place::Tests) && !is_bench) {
                let seen = lines_with(&source.path, &tests, word);
                found.extend(seen.into_iter().map(|one| format!("{one} in tests")));
            }
            offences.extend(found.into_iter().map(|one| format!("{one}: {instead}")));
        }
    }
    offences
}

#[test]
fn banned_words_do_not_stand_in_code() {
    none("words in code", &offences(&rust()));
    for (path, word, _) in EXCEPTED {
        let source = rust().into_iter().find(|source| source.path == path);
        let is_used = source.is_some_and(|source| source.text.contains(word));
        assert!(is_used, "`{path}` has no `{word}` any more: strike it from `EXCEPTED`");
    }
}

#[test]
fn each_banned_word_is_seen_where_it_must_not_stand() {
    for Banned { word, place, .. } in &BANNED {
        let text = format!("//! A.\nfn f() {{ {word} }}\n");
        let path = match place {
            Place::All => "cli/src/a.rs",
            Place::Tests => "core/src/a/tests.rs",
            Place::Pure => "functions/handlers/src/a.rs",
        };
        assert_eq!(offences(&[Source::planted(path, &text)]).len(), 1, "{word}");
        let quoted = format!("// {word}\nfn f() {{ \"{}\" }}\n", word.replace('"', ""));
        assert_eq!(offences(&[Source::planted(path, &quoted)]), Vec::<String>::new());
    }
}

#[test]
fn a_word_may_stand_where_its_rule_does_not_reach() {
    let outside = Source::planted("functions/embedded/src/a.rs", "fn f() { tokio::select! {} }");
    let product = Source::planted("cli/src/a.rs", "fn f() { thread::sleep(x) }");
    assert_eq!(offences(&[outside, product]), Vec::<String>::new());
}
