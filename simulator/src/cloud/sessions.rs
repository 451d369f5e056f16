//! Sessions that were issued, until they end.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use crossvault_core::ids::AccountId;

use super::{InvocationId, mix};
use crate::{call::SessionId, world::Session};

/// How the text of every token begins, and no other text.
pub const TOKEN_MARK: &str = "STS.sim.";

/// The text of a session's token: what a program would send with its calls, and show to nobody.
#[must_use]
pub fn token(session: SessionId) -> String {
    format!("{TOKEN_MARK}{:016x}", mix(u64::from(session.0)))
}

/// A session and who asked for it.
#[derive(Clone)]
pub struct Issued {
    /// The session.
    pub session: Session,
    /// Who assumed the role.
    pub by: InvocationId,
    /// The session with which it was assumed.
    pub with: SessionId,
}

/// All sessions that may still be used. Number 0 is the management account's own.
#[derive(Clone)]
pub struct Sessions {
    own: Issued,
    issued: VecDeque<Issued>,
    /// The number of the first that is kept.
    first: u32,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} sessions", self.issued.len())
    }
}

impl Sessions {
    pub(super) fn new(management: AccountId) -> Self {
        let own = Issued {
            session: Session::root(management),
            by: InvocationId::default(),
            with: SessionId::OWN,
        };
        Self { own, issued: VecDeque::new(), first: 1 }
    }

    /// A session; none when it was never issued, or is long over.
    #[must_use]
    pub fn get(&self, id: SessionId) -> Option<&Issued> {
        if id == SessionId::OWN {
            return Some(&self.own);
        }
        self.issued.get(usize::try_from(id.0.checked_sub(self.first)?).ok()?)
    }

    /// Issues one, and forgets those that are over.
    pub(super) fn issue(
        &mut self,
        session: Session,
        (by, with): (InvocationId, SessionId),
        now: DateTime<Utc>,
    ) -> SessionId {
        let is_over = |of: &Issued| of.session.expires().is_some_and(|expires| expires <= now);
        while self.issued.front().is_some_and(is_over) {
            self.issued.pop_front();
            self.first = self.first.saturating_add(1);
        }
        let n = u32::try_from(self.issued.len()).unwrap_or(u32::MAX);
        self.issued.push_back(Issued { session, by, with });
        SessionId(self.first.saturating_add(n))
    }
}
