//! Real files: a folder walked as a data source, and a folder written as a restore's target.

pub mod entry;
