//! The demonstration, as its reader runs it.

use std::fs;

use crate::crossvault::run;

#[test]
fn the_demo_tells_its_story_and_leaves_a_world_for_further_commands() {
    let place = tempfile::tempdir().unwrap();
    let home = place.path().join("home").display().to_string();
    let source = place.path().join("source");
    fs::create_dir(&source).unwrap();
    fs::write(source.join("letter.txt"), "dear reader").unwrap();
    let source = source.display().to_string();

    let story = run(&["--home", &home, "demo", "--source", &source]).exits(0).stdout;
    for part in [
        "PARTIAL_COMPLETE",
        "unreadable.log",
        "ROLE_DELETED",
        "to mend it",
        "no difference",
        "NOT_PERMITTED",
        &home,
    ] {
        assert!(story.contains(part), "`{part}` is missing in:\n{story}");
    }
    let points = run(&["--home", &home, "--json", "points", "list"]).exits(0).json();
    assert_eq!(points["value"].as_array().map(Vec::len), Some(3));

    // Only a home that a demonstration made would be replaced by the next one.
    fs::remove_file(place.path().join("home/made-by-demo")).unwrap();
    let refused = run(&["--home", &home, "--json", "demo", "--source", &source]).exits(5).json();
    assert_eq!(refused["error"]["code"], "HOME_EXISTS");
}
