//! The hard promises, proved on a process that is killed, hurried and denied.
//!
//! | file | what it proves |
//! | --- | --- |
//! | `kill` | a `kill -9` of `crossvault up` at any time loses nothing and repeats nothing |
//! | `restic` | a stock `restic` lists, restores and checks a vault |
//! | `race` | what happens at once is right, or refused with the reason |
//! | `trouble` | full disks, sources that change, targets that can't be written |
//! | `escape` | a restore never writes outside its target |
//! | `broken` | damaged homes, vaults and keys: an error that helps, and nothing lost |
//!
//! `server` drives a process, `tree` makes the data, `books` keeps what was promised, and `settled`
//! checks all that must hold when everything has ended.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "small counts and waits, and a test looks for the few answers that it knows"
)]

mod books;
mod broken;
mod escape;
mod kill;
mod mount;
mod race;
mod restic;
mod server;
mod settled;
mod tree;
mod trouble;
