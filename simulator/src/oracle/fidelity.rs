//! `fidelity`

use super::Oracle;
use crate::run::{Invariant, Watch};

/// Watches over `fidelity`.
#[derive(Clone, Default)]
pub struct Fidelity;

impl Watch for Fidelity {}

impl Oracle for Fidelity {
    const INVARIANT: Invariant = Invariant::Fidelity;
}
