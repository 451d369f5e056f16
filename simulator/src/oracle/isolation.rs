//! `isolation`

use super::Oracle;
use crate::run::{Invariant, Watch};

/// Watches over `isolation`.
#[derive(Clone, Default)]
pub struct Isolation;

impl Watch for Isolation {}

impl Oracle for Isolation {
    const INVARIANT: Invariant = Invariant::Isolation;
}
