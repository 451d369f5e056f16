//! Grants, and what is said of them.

use crossvault_core::{
    alert::{AboutGrant, AtRisk, BindingAtRisk},
    authorization::Causes,
    grant::{Grant, Method, Standing},
};
use crossvault_handlers::records::{Advice, GrantRow, Noted, ReviewRound, ReviewRow, Support};

use super::Any;

impl Any {
    pub(super) fn grant(&mut self) -> GrantRow {
        GrantRow(Grant {
            account: self.account(),
            region: self.region(),
            method: self.method(),
            alias: self.text(),
            added: self.time(),
            standing: self.maybe(Self::standing),
        })
    }

    pub(super) fn about_grant(&mut self) -> AboutGrant {
        AboutGrant {
            region: self.region(),
            method: self.method(),
            causes: self.few(Self::trouble),
            at_risk: AtRisk {
                bindings: self.few(|any| BindingAtRisk {
                    binding: any.binding_id(),
                    policy: any.text(),
                    source: any.source(),
                    next: any.maybe(Self::time),
                }),
                others: self.long(),
            },
        }
    }

    pub(super) fn method(&mut self) -> Method {
        match self.below(2) {
            0 => Method::Directory,
            _ => Method::Role { name: self.role().name },
        }
    }

    pub(super) fn support(&mut self) -> Support {
        match self.below(3) {
            0 => Support::Directory,
            1 => Support::Node(self.text().into()),
            _ => Support::ServiceRole,
        }
    }

    pub(super) fn standing(&mut self) -> Standing {
        Standing {
            since: self.time(),
            revision: self.word(),
            broken: self.maybe(|any| Causes::one(any.cause())),
            nodes: self.few(Self::text),
        }
    }

    pub(super) fn review(&mut self) -> ReviewRow {
        ReviewRow {
            account: self.account(),
            region: self.region(),
            at: self.time(),
            findings: self.few(|any| Noted { severity: any.text(), found: any.trouble() }),
            advice: match self.below(2) {
                0 => Advice::Smaller { documents: self.few(Self::text) },
                _ => Advice::AsItIs { why: self.text() },
            },
        }
    }

    pub(super) fn review_round(&mut self) -> ReviewRound {
        ReviewRound {
            began: self.time(),
            after: self.maybe(|any| (any.region(), any.account())),
            is_done: self.below(2) == 0,
        }
    }
}
