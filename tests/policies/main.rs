//! The policy language against what others decided, real documents, and documents that are none.

#![cfg(test)]

mod bytes;
mod corpus;
mod documents;
