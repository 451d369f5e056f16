use std::future::Future;

use crossvault_core::ids::{AccountId, AuditId, BindingId, JobId, PolicyId, Region};
use serde::{Deserialize, Serialize};

use super::PortError;
use crate::records::Support;

/// Messages that name work and carry no facts: any may be lost, repeated or late.
pub trait Queue: Sync {
    /// Sends a message after a pause of at most 900 seconds. The group shares the workers fairly
    /// with the other groups.
    ///
    /// # Errors
    /// A passing failure; the message may have been sent.
    fn send(
        &self,
        message: Message,
        group: AccountId,
        delay_s: u32,
    ) -> impl Future<Output = Result<(), PortError>> + Send;
}

/// Work to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// Take a job one step.
    TakeStep(JobId),
    /// Move the due times of a changed policy's bindings, one page after a binding.
    FanOut {
        /// The policy.
        policy: PolicyId,
        /// The last binding of the page before.
        after: Option<BindingId>,
    },
    /// Look again at all grants that depend on something, after one of them.
    RecheckAll {
        /// What they depend on.
        on: Support,
        /// The last grant that was seen to.
        after: Option<(AccountId, Region)>,
        /// The event that hinted at it.
        hint: AuditId,
    },
    /// Look again at a grant.
    Recheck {
        /// Its account.
        account: AccountId,
        /// Its region.
        region: Region,
        /// The event that hinted at it.
        hint: AuditId,
    },
}
