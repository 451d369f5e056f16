//! What every public error can say of itself.

/// An error or refusal that names itself for programs and tells people what to do next.
///
/// Its message (`Display`) says what is so; the remedy says what to do. A code is never renamed
/// and never gets a second meaning.
pub trait Explain: std::fmt::Display {
    /// The stable code, in `UPPER_SNAKE_CASE`.
    fn code(&self) -> &'static str;
    /// What the reader should do now, as one or two sentences.
    fn remedy(&self) -> String;
}
