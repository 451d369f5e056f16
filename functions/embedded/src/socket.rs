//! How other commands talk to the process that holds the home: one JSON line a request, one JSON
//! line an answer, over a Unix socket that only the home's owner can open.
//!
//! ```text
//! {"ask":{"caller":"…","token":"…","command":{"command":"list-vaults"}}}
//! {"reply":{"answer":{"answer":"vaults","value":[]}}}
//! {"error":{"code":"…","message":"…","remedy":"…","kind":"refused"}}
//! ```
//!
//! | file | what it holds |
//! | --- | --- |
//! | `message` | what is asked and what is answered |
//! | `failure` | a request that came to nothing, in the same words here and in process |
//! | `answer` | how the platform answers, over the socket and in process |
//! | `server` | the loop that `crossvault up` runs |
//! | `client` | the other end, for programs without a runtime |
//! | `place` | the socket's name, also where it is too long for the system |

mod answer;
mod client;
mod failure;
mod message;
mod place;
mod server;

#[cfg(test)]
mod tests;

pub use answer::answer;
pub use client::Client;
pub use failure::{Failure, Kind};
pub use message::{Damaged, KeyText, REQUEST_BYTES_MAX, Reply, Request, Response};
pub use server::{Listener, serve};
