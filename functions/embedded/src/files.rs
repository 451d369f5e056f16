//! Real files: a folder walked as a data source, and a folder written as a restore's target.
//!
//! Everything is opened relative to a folder that is held open, and never through a link. Whoever
//! may write to the tree while it is read or written can make us fail, but cannot lead us out.

pub mod compare;
pub mod entry;
pub mod read;
pub mod walk;
pub mod write;

mod beneath;
mod extended;
mod seen;

#[cfg(test)]
mod tests;
