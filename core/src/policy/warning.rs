//! What is worth knowing about a document although it is valid.

use super::invalid::Place;
use crate::explain::Explain;

/// What is worth knowing about a document that is valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// The element is of an old grammar; the present documents do not have it.
    #[error("`NotResource` at {0} is no longer documented, and RAM may refuse it")]
    NotResource(Place),
}

impl Explain for Warning {
    fn code(&self) -> &'static str {
        match self {
            Self::NotResource(_) => "POLICY_NOT_RESOURCE_UNSUPPORTED",
        }
    }
    fn remedy(&self) -> String {
        match self {
            Self::NotResource(_) => {
                "Allow the resources by `Resource`, and deny the others in a statement of its own."
                    .into()
            }
        }
    }
}
