//! The smaller policy to attach in place of a role's present ones.

use crate::{
    catalog::Need,
    policy::{self, Inclusion, Policy, Why, Witness, permits_no_more},
};

/// What to attach in place of a role's policies.
#[derive(Clone, Debug, PartialEq)]
pub enum Replacement {
    /// These documents: they permit all that is needed and nothing else, which is less than the
    /// present policies permit. All of it is proven.
    Smaller {
        /// The documents, as JSON text.
        documents: Vec<String>,
        /// A request that only the present policies permit.
        beyond: Witness,
    },
    /// Nothing: the present policies permit no more than is needed.
    SmallEnough,
    /// Nothing is needed: detach the policies.
    NothingNeeded,
    /// The present policies do not permit this, which is needed: that is to be mended first.
    Insufficient(Witness),
    /// Not known whether a smaller one would do.
    Unknown(Why),
}

/// The smallest policies for the needs, if they are proven to be smaller than the present ones.
pub(super) fn of(needs: &[Need], needed: &[&Policy], present: &[&Policy]) -> Replacement {
    if needs.is_empty() {
        return Replacement::NothingNeeded;
    }
    match permits_no_more(needed, present) {
        Inclusion::Yes => {}
        Inclusion::No(witness) => return Replacement::Insufficient(witness),
        Inclusion::Unknown(why) => return Replacement::Unknown(why),
    }
    let beyond = match permits_no_more(present, needed) {
        Inclusion::Yes => return Replacement::SmallEnough,
        Inclusion::No(witness) => witness,
        Inclusion::Unknown(why) => return Replacement::Unknown(why),
    };
    let documents = policy::mend(needs, &[]).documents;
    match is_exactly(&documents, needed) {
        Inclusion::Yes => Replacement::Smaller { documents, beyond },
        // The documents are made from the needs alone.
        Inclusion::No(witness) => Replacement::Insufficient(witness),
        Inclusion::Unknown(why) => Replacement::Unknown(why),
    }
}

/// Whether the documents, read as the cloud reads them, permit what is needed and no more.
fn is_exactly(documents: &[String], needed: &[&Policy]) -> Inclusion {
    let read = |text: &String| Policy::parse(text, policy::PolicyKind::Permission).ok();
    let documents: Vec<Policy> = documents.iter().filter_map(read).collect();
    let documents: Vec<&Policy> = documents.iter().collect();
    match permits_no_more(needed, &documents) {
        Inclusion::Yes => permits_no_more(&documents, needed),
        other @ (Inclusion::No(_) | Inclusion::Unknown(_)) => other,
    }
}
