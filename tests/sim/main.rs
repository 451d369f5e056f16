//! Runs of the handlers in the simulated cloud, each from a file.

mod corpus;
mod story;
mod wrong;
