//! Vaults: restic-format repositories in folders, written and read through `rustic_core`.
//!
//! The library's error model is a command line's: it logs, skips and says Ok. What stands here
//! round it makes a backup say what it misses, stop when it is told to, and seal nothing that it
//! must not. All calls of the library stay in this module.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `repository` | [`Vault`]: create and open, and what its snapshots say of themselves |
//! | `backup`, `source`, `tree` | a tree of files becomes a snapshot |
//! | `restore`, `target` | a snapshot becomes a tree of files |
//! | `content`, `browse`, `check`, `upkeep` | reading it, looking into it, finding damage, forgetting and pruning |
//! | `control`, `lease` | how a transfer is watched and stopped; who may do what at once |
//! | `folder`, `backend`, `key` | the files of a vault; the library's view of them; its key |

mod backend;
mod backup;
mod browse;
mod check;
mod content;
mod control;
mod error;
mod folder;
mod key;
mod lease;
mod node;
mod repository;
mod restore;
mod snapshot;
mod source;
mod target;
mod tree;
mod upkeep;

#[cfg(test)]
mod tests;

pub use backup::{BackupEnd, BackupOrder};
pub use browse::{Browser, Listed};
pub use check::Damage;
pub use control::{Control, Gate, Moved};
pub use error::{Stop, VaultError};
pub use key::{FileKeys, KeyError, KeyStore, VaultKey, fresh_password};
pub use lease::{Exclusive, Leases, Shared};
pub use repository::Vault;
pub use restore::{RestoreEnd, RestoreOrder};
pub use snapshot::{Sealed, SealedIn, SnapshotName};
pub use target::{Target, TargetFile};
pub use tree::{FailedFile, Item, Open, Tree, TreeError, Trouble};
pub use upkeep::{Adopted, Prune, Pruned};
