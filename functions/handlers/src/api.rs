//! Everything a person or a program asks for.

mod answer;
mod command;
mod refusal;

pub use answer::{
    Answer, BindingView, CauseView, Check, CheckedOperation, JobView, MemberView, SlotView,
    VaultView,
};
pub use command::{Command, PolicySpec, RetentionSpec};
pub use refusal::{ApiError, Refusal};
