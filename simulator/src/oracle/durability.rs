//! `durability`

use super::Oracle;
use crate::run::{Invariant, Watch};

/// Watches over `durability`.
#[derive(Clone, Default)]
pub struct Durability;

impl Watch for Durability {}

impl Oracle for Durability {
    const INVARIANT: Invariant = Invariant::Durability;
}
