//! `crossvault`
fn main() {}
