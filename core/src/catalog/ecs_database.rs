//! A database on an ECS instance: as files, through the client in the guest.

use super::{Verb, ecs_files};

/// Source: derived, domain facts, section 3.3, "ECS database": as ECS files.
pub(super) fn actions(verb: Verb) -> &'static [&'static str] {
    ecs_files::actions(verb)
}
