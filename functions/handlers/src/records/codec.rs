//! How rows are written where text is stored: their keys, and themselves as versioned JSON.
//!
//! Laws: the order of key texts is the order of the keys; what was encoded decodes to the same;
//! what an older Crossvault wrote is migrated, and what a newer one wrote is refused by name.

mod error;
mod key;
mod record;
mod transaction;

pub use error::CodecError;
pub use key::{Place, partition_text, sort_text, time_text};
pub use record::{BODY_BYTES_MAX, decode, decode_at, encode};
pub use transaction::{Change, TRANSACTION_BYTES_MAX, WrittenRow, failures_in_a_page, write_down};
