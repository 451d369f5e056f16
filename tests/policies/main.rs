//! The policy language against what others decided, real documents, and documents that are none.

#[cfg(test)]
mod bytes;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod documents;
