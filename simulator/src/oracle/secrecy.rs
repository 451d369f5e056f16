//! `secrecy`

use super::Oracle;
use crate::run::{Invariant, Watch};

/// Watches over `secrecy`.
#[derive(Clone, Default)]
pub struct Secrecy;

impl Watch for Secrecy {}

impl Oracle for Secrecy {
    const INVARIANT: Invariant = Invariant::Secrecy;
}
