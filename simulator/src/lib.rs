//! (facade)
