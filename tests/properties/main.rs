//! Laws: what holds for every input, each with its reason.

#[cfg(test)]
mod schedule;
