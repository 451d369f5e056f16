//! Several sets of policies above one another, and what they decide together.
//!
//! An explicit deny in any layer wins. Else every layer must allow: each level of control
//! policies, the session policy where there is one, the policies of the identity.
//!
//! Source: RAM, "Policy evaluation process"; Resource Management, "Overview of the Control Policy
//! feature".

use serde::Serialize;

use super::document::Policy;

/// The policies that bear on a request by one identity, layer by layer.
///
/// A resource directory's management account and service-linked roles are exempt from control
/// policies: for them the levels are left empty.
#[derive(Clone, Debug, Default)]
pub struct Layers<'a> {
    /// The control policies of the directory, one list a level, Root first; each level must allow.
    pub control: Vec<Vec<&'a Policy>>,
    /// The policy that the session was cut down to.
    pub session: Option<&'a Policy>,
    /// What is attached to the identity.
    pub identity: Vec<&'a Policy>,
}

/// One of the layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// A level of control policies, by number from 0 at Root.
    Control(usize),
    /// The session policy.
    Session,
    /// The identity's policies.
    Identity,
}

/// What all layers decide together, and what decided it: policy and statement by number within
/// the layer, both from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "decision")]
pub enum Ruling {
    /// A statement denies: the first such, outermost layer first.
    ExplicitDeny {
        /// Where it stands.
        layer: Layer,
        /// Which of the layer's policies.
        policy: usize,
        /// Which of its statements.
        statement: usize,
    },
    /// A layer has no statement that allows: the outermost such.
    ImplicitDeny {
        /// The layer.
        layer: Layer,
    },
    /// Every layer allows; the statement is the first of the identity's policies that does.
    Allow {
        /// Which of the identity's policies.
        policy: usize,
        /// Which of its statements.
        statement: usize,
    },
}

impl Ruling {
    /// Whether the request may go on.
    #[must_use]
    pub fn is_allow(self) -> bool {
        matches!(self, Self::Allow { .. })
    }
}

impl<'a> Layers<'a> {
    /// Each layer with its policies, outermost first.
    pub fn iter(&self) -> impl Iterator<Item = (Layer, &[&'a Policy])> {
        let control = self.control.iter().enumerate();
        control
            .map(|(level, policies)| (Layer::Control(level), policies.as_slice()))
            .chain(
                self.session
                    .as_slice()
                    .iter()
                    .map(|_| Layer::Session)
                    .zip([self.session.as_slice()]),
            )
            .chain([(Layer::Identity, self.identity.as_slice())])
    }
}
