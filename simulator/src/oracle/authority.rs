//! `authority`

use super::Oracle;
use crate::run::{Invariant, Watch};

/// Watches over `authority`.
#[derive(Clone, Default)]
pub struct Authority;

impl Watch for Authority {}

impl Oracle for Authority {
    const INVARIANT: Invariant = Invariant::Authority;
}
