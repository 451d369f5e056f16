//! Planted mistakes: each is found.

use crossvault_simulator::planted;

#[test]
fn mistakes_are_numbered_and_named_once() {
    for (n, mistake) in (1..).zip(planted::all()) {
        assert_eq!(mistake.number, n, "{mistake:?}");
        assert!(mistake.story.ends_with('.') && mistake.story.len() < 100, "{mistake:?}");
        assert_eq!(planted::named(mistake.name).map(|named| named.number), Some(n));
    }
}
