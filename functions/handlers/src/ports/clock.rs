use chrono::{DateTime, Utc};

/// What time it is. A platform's clock may be wrong and may step back; nothing rests on it alone.
pub trait Clock: Sync {
    /// The present instant.
    fn now(&self) -> DateTime<Utc>;
}
