//! One condition of a statement, as data.

use super::operator::Operator;

/// One operator applied to one key, and the values that the policy names: at least one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Condition {
    /// How they are compared.
    pub operator: Operator,
    /// The key in lower case: keys are compared without case.
    pub key: String,
    /// The values, as they are written; each is one that the operator [takes](Operator::takes).
    pub values: Vec<String>,
    /// Whether a value holds policy variables, cut out by [`pieces`](super::variable::pieces);
    /// else `${` is text.
    pub has_variables: bool,
}
