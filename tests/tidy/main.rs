//! What the documents say of the code, kept true: places, arrows, words, codes.
//!
//! Each rule is a function from sources to offences, and is shown a planted offence in its own
//! tests, since a guard that never caught anything is not known to guard.

#[cfg(test)]
mod arrows;
#[cfg(test)]
mod codes;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod lints;
#[cfg(test)]
mod manual;
#[cfg(test)]
mod places;
#[cfg(test)]
mod purity;
#[cfg(test)]
mod sources;
#[cfg(test)]
mod words;
