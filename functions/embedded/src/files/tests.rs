//! Whole trees and hostile neighbours.

mod hostile;
mod reading;
mod roundtrip;
mod walking;
mod world;
mod writing;
