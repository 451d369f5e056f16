//! Runs of the handlers in the simulated cloud, each from a file.

#![cfg(test)]

mod corpus;
mod exhaust;
mod story;
mod wrong;
