//! The restore job: which point, into which source, and whether that may be.

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{self, Deed, Party},
    explain::Explain,
    ids::{AccountId, DataSource, PointId, SourceKind, VaultId},
    job::{self, Seal},
    quantity::Bytes,
    vault::{PointState, RecoveryPoint},
};

/// Where a restore job stands.
pub type State = job::State<Sealed>;

/// What a restore job is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// The vault of the point.
    pub vault: VaultId,
    /// The point.
    pub point: PointId,
    /// The source that the point was made of.
    pub from: DataSource,
    /// How the vault names the point's data.
    pub snapshot: String,
    /// The point's content.
    pub bytes: Bytes,
    /// The source that is written into.
    pub to: DataSource,
    /// The folder of the target under which the content goes, relative to its root; empty for the
    /// root itself.
    pub into: String,
    /// Only this path of the point's content; none for all of it.
    pub only: Option<String>,
    /// What happens to files that are in the way.
    pub overwrite: Overwrite,
}

/// What a restore does where something else stands already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Overwrite {
    /// Leaves it as it is and names the file as failed.
    #[default]
    Refuse,
    /// Puts the point's content in its place.
    Replace,
}

/// What the platform says of a restore whose content is all in place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// Files, folders, links and other entries written.
    pub files: u64,
    /// Their content.
    pub bytes: Bytes,
    /// Files that failed.
    pub failed: u64,
    /// What could not be given to entries that were written otherwise, such as their owner: the
    /// first ones in words, and how many more there were.
    pub warnings: Vec<String>,
}

impl Seal for Sealed {
    fn failed(&self) -> u64 {
        self.failed
    }
}

/// Why a restore is refused before it becomes a job.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// An ECS instance goes back only to its own account.
    #[error("an ECS instance can be restored only to its own account `{from}`, not to `{to}`")]
    OtherAccount {
        /// Where the point comes from.
        from: AccountId,
        /// Where it was to go.
        to: AccountId,
    },
    /// The types differ.
    #[error("a recovery point of type {from} can't be restored into a source of type {to}")]
    OtherType {
        /// What the point was made of.
        from: SourceKind,
        /// What it was to become.
        to: SourceKind,
    },
    /// The point is going or gone.
    #[error("recovery point `{point}` is {state}")]
    NotAvailable {
        /// The point.
        point: PointId,
        /// Its state, as a word.
        state: &'static str,
    },
    /// Its content is no tree of files: it can be neither browsed nor restored in part.
    #[error("recovery points of type {kind} hold no files")]
    NoFiles {
        /// The type of source.
        kind: SourceKind,
    },
    /// A path that leaves the target.
    #[error("`{path}` is not a path below the target's root")]
    PathOutside {
        /// The path.
        path: String,
    },
}

impl Explain for Refused {
    fn code(&self) -> &'static str {
        match self {
            Self::OtherAccount { .. } => "RESTORE_OTHER_ACCOUNT",
            Self::OtherType { .. } => "RESTORE_OTHER_TYPE",
            Self::NotAvailable { .. } => "POINT_NOT_AVAILABLE",
            Self::NoFiles { .. } => "POINT_HOLDS_NO_FILES",
            Self::PathOutside { .. } => "PATH_OUTSIDE",
        }
    }
    fn remedy(&self) -> String {
        match self {
            Self::OtherAccount { from, .. } => {
                format!("Restore it to a source of `{from}`.")
            }
            Self::OtherType { from, .. } => format!("Choose a target of type {from}."),
            Self::NotAvailable { .. } => {
                "List the recovery points that can be restored with `crossvault points`.".to_owned()
            }
            Self::NoFiles { .. } => {
                "Restore the whole of it, without `--into` and `--only`.".to_owned()
            }
            Self::PathOutside { .. } => {
                "Give a relative path without `..`, such as `restored/monday`.".to_owned()
            }
        }
    }
}

/// Decides whether a point may be restored so.
///
/// Source: Cloud Backup, "Cross-account backup", sections "Quotas and limits" and "Cross-account
/// restoration".
///
/// # Errors
/// [`Refused`] with the rule that stands against it.
pub fn plan(
    point: &RecoveryPoint,
    to: &DataSource,
    into: &str,
    only: Option<&str>,
    overwrite: Overwrite,
) -> Result<Restore, Refused> {
    let from = &point.source;
    if from.kind != to.kind {
        return Err(Refused::OtherType { from: from.kind, to: to.kind });
    }
    if !catalog::may_restore_to(from, &to.account, to.kind) {
        let (from, to) = (from.account.clone(), to.account.clone());
        return Err(Refused::OtherAccount { from, to });
    }
    match point.state {
        PointState::Available => {}
        PointState::Expiring { .. } => {
            return Err(Refused::NotAvailable { point: point.id.clone(), state: "being erased" });
        }
    }
    let (into, only) = (below(into)?, only.map(below).transpose()?);
    if !into.is_empty() || only.is_some() {
        check_files(from.kind)?;
    }
    Ok(Restore {
        vault: point.vault.clone(),
        point: point.id.clone(),
        from: from.clone(),
        snapshot: point.snapshot.clone(),
        bytes: point.bytes,
        to: to.clone(),
        into,
        only,
        overwrite,
    })
}

/// Whether recovery points of this type can be browsed, and restored in part.
///
/// # Errors
/// [`Refused::NoFiles`].
pub fn check_files(kind: SourceKind) -> Result<(), Refused> {
    if catalog::may(Party::Management, kind, Deed::ReadPoints) {
        Ok(())
    } else {
        Err(Refused::NoFiles { kind })
    }
}

/// Takes a path apart and puts it together again without a way out of the root.
///
/// # Errors
/// [`Refused::PathOutside`] for an absolute path, one with `..`, or one that no file can have.
pub fn below(path: &str) -> Result<String, Refused> {
    let outside = || Refused::PathOutside { path: path.to_owned() };
    let mut parts = Vec::new();
    for part in path.trim_start_matches("./").split('/') {
        match part {
            "" | "." => {}
            ".." => return Err(outside()),
            part if part.contains('\0') => return Err(outside()),
            part => parts.push(part),
        }
    }
    if path.starts_with('/') { Err(outside()) } else { Ok(parts.join("/")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_below_the_root() {
        assert_eq!(below("a/b"), Ok("a/b".into()));
        assert_eq!(below("./a//b/"), Ok("a/b".into()));
        assert_eq!(below(""), Ok(String::new()));
        for out in ["/etc", "..", "a/../../b", "a/\0"] {
            assert!(below(out).is_err(), "{out}");
        }
    }
}
