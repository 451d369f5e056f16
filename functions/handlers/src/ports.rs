//! How handlers touch the world: few small traits in the words of the cloud, without logic.
//!
//! One type a platform implements all of them; no handler knows which cloud it runs on. Ports of
//! Crossvault's own engine (`Clock`, `Store`, `Queue`, `Events`) carry no credentials; every call
//! that reaches an account's resources carries those it is made with.

mod clock;
mod directory;
mod error;
mod events;
mod identity;
mod queue;
mod sources;
mod store;
mod transfers;
mod vaults;

pub use clock::Clock;
pub use directory::Directory;
pub use error::PortError;
pub use events::Events;
pub use identity::{Assume, Credentials, Identity};
pub use queue::{Message, Queue};
pub use sources::Sources;
pub use store::{Expect, Range, Store, Stored, Transaction, Version, WRITES_MAX, Write};
pub use transfers::{FailedFile, Order, Sealed, Standing, TransferName, Transfers, Work};
pub use vaults::{BrowsedEntry, SealedIn, Vaults};

use serde::{Deserialize, Serialize};

/// A part of a list: up to `limit` items after `after`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The last item of the page before; none for the first page.
    pub after: Option<String>,
    /// At most so many items.
    pub limit: usize,
}
