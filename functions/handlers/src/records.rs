//! What is stored: every row type, its key, and typed reads.
//!
//! Invariants: a live binding with a further slot and a live job have exactly one [`Due`] row,
//! whose time stands in the head (`next`, `wake`) and which changes with it; [`Busy`], [`Turn`]
//! and [`Use`] name a live job; an ended job has neither `Due`, `Busy`, `Turn`, `Use` nor
//! [`Waiting`]; a grant that was looked at has exactly the [`Dependent`] rows of its standing.

pub mod codec;
mod key;
mod read;
mod review;
mod row;

pub use key::{AFTER_ALL, Key, Month, NameOf, Partition, Sort, Support};
pub(crate) use read::typed;
pub use read::{read, read_all, scan, scan_all};
pub use review::{Advice, Noted, ReviewRound, ReviewRow};
pub use row::{
    AccountBinding, AuditRow, BindingRow, Busy, BusyOf, Dependent, Due, Failures, FormerGrant,
    GateRow, GrantRef, GrantRow, Job, JobRef, JobWork, Latest, MissedSlots, NameRef, Outbox,
    PointRef, PointRow, PolicyBinding, PolicyRow, PolicyVersion, Record, Request, Row, Send,
    SlotRow, Turn, Use, VaultRow, Waiting, Wake,
};
