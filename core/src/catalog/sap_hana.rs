//! An SAP HANA database: as files, through the client on its instance.

use super::{Verb, ecs_files};

/// Source: derived, domain facts, section 3.3, "SAP HANA": as ECS files.
pub(super) fn actions(verb: Verb) -> &'static [&'static str] {
    ecs_files::actions(verb)
}
