//! May this backup management account do this operation on this source of that account, now?
//!
//! Facts in, [`Decision::Allowed`] with the path of roles to take or [`Decision::Denied`] with
//! every cause out. The answer holds for the moment the facts were read; it is never remembered.

mod cause;
mod decide;
mod facts;
mod mend;
mod permissions;
mod session;

pub use cause::{Cause, Causes};
pub use decide::{Decision, Path, decide};
pub use facts::{
    AttachedPolicy, Denial, DeniedBy, Entry, Facts, GrantFacts, Known, Refused, RoleView,
    SourceView, Subject,
};
pub use mend::{Mend, mends};
pub use session::{entry_policy, session_policy};
