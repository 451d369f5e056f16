//! `retention`

use super::Oracle;
use crate::run::{Invariant, Watch};

/// Watches over `retention`.
#[derive(Clone, Default)]
pub struct Retention;

impl Watch for Retention {}

impl Oracle for Retention {
    const INVARIANT: Invariant = Invariant::Retention;
}
