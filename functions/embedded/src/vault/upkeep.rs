//! What a vault needs besides backups: forgetting, adopting what a crash left, and pruning.

use rustic_core::{FileType, PruneOptions, RepairIndexOptions, jiff::Span};

use super::{
    backend::Backend, error::VaultError, lease::Exclusive, repository::Vault,
    snapshot::SnapshotName,
};

/// What was found without index and is of use again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Adopted {
    /// Packs that are indexed now.
    pub packs: u64,
    /// Their length in bytes.
    pub bytes: u64,
}

/// How a prune removes what no snapshot needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prune {
    /// At once, and what earlier prunes marked too. No restore may go on afterwards that began
    /// before: its data may be gone.
    Instant,
    /// It marks now, and removes what an earlier prune marked 23 hours ago or more. A restore that
    /// was running reads on meanwhile.
    TwoPhase,
}

/// What a prune did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Bytes that were given back to the disk.
    pub freed: u64,
    /// Bytes that are marked for a later prune.
    pub marked: u64,
}

impl Vault {
    /// Removes snapshots; those that are not there count as removed. Their data stays until the
    /// vault is pruned. May be done beside backups and restores.
    ///
    /// # Errors
    /// [`VaultError::Io`] when one can't be removed.
    pub fn forget(&self, snapshots: &[SnapshotName]) -> Result<(), VaultError> {
        for name in snapshots {
            self.folder.remove(FileType::Snapshot, &name.0)?;
        }
        if snapshots.is_empty() { Ok(()) } else { self.folder.sync(FileType::Snapshot) }
    }

    /// Puts packs into the index that a crash left without, so that their data is not uploaded
    /// again. Packs that are missing or damaged stay in the index as they are. Reads the header of
    /// each such pack; nothing is done when there are none.
    ///
    /// # Errors
    /// [`VaultError::Illegal`] when the lease is one of another vault; errors of the disk.
    pub fn adopt_orphans(&self, alone: &Exclusive) -> Result<Adopted, VaultError> {
        self.check_alone(alone)?;
        let looking = self.repository(Backend::reading(&self.folder))?;
        let survey = self.survey(&looking)?;
        if survey.orphans.is_empty() {
            return Ok(Adopted::default());
        }
        // The library's repair would drop missing packs from the index for good. It is shown them
        // as the index has them, so that it finds only the orphans.
        let mut shown = survey.whole;
        shown.extend(survey.missing);
        shown.extend(survey.cut);
        shown.extend(&survey.orphans);
        let repository = self.repository(Backend::writing(&self.folder, Some(shown)))?;
        let repaired =
            self.guarded(|| repository.repair_index(&RepairIndexOptions::default(), false))?;
        repaired.map_err(|error| self.engine(&error))?;

        let left = self.survey(&looking)?.orphans;
        let adopted = survey.orphans.iter().filter(|pack| !left.contains(pack));
        Ok(adopted.fold(Adopted::default(), |all, (_, length)| Adopted {
            packs: all.packs.saturating_add(1),
            bytes: all.bytes.saturating_add(u64::from(*length)),
        }))
    }

    /// Takes packs out of the index that are missing. A backup writes again what they
    /// held, if its source still has it. One that is brought back from a copy is adopted again by
    /// [`Vault::adopt_orphans`]. Returns how many there were.
    ///
    /// # Errors
    /// [`VaultError::Illegal`] when the lease is one of another vault; errors of the disk.
    pub fn give_up_missing(&self, alone: &Exclusive) -> Result<u64, VaultError> {
        self.check_alone(alone)?;
        let looking = self.repository(Backend::reading(&self.folder))?;
        let survey = self.survey(&looking)?;
        if survey.missing.is_empty() {
            return Ok(0);
        }
        let mut shown = survey.whole;
        // Of packs that are cut short, part can still be read.
        shown.extend(survey.cut);
        let repository = self.repository(Backend::writing(&self.folder, Some(shown)))?;
        let repaired =
            self.guarded(|| repository.repair_index(&RepairIndexOptions::default(), false))?;
        repaired.map_err(|error| self.engine(&error))?;
        Ok(u64::try_from(survey.missing.len()).unwrap_or(u64::MAX))
    }

    /// Gives back what no snapshot needs. Packs that are missing are taken out of the index first.
    ///
    /// # Errors
    /// [`VaultError::Corrupt`] when a snapshot can't be read or lacks a part: nothing is removed
    /// then. [`VaultError::Full`] and others of the disk.
    pub fn prune(&self, alone: &Exclusive, mode: Prune) -> Result<Pruned, VaultError> {
        self.give_up_missing(alone)?;
        let survey = self.survey(&self.repository(Backend::reading(&self.folder))?)?;
        if let Some((id, length)) = survey.cut.first() {
            let path = self.folder.path(FileType::Pack, id);
            let what = format!("pack `{id}` has not the length it was written with");
            let detail = format!("it had {length} bytes");
            return Err(VaultError::Corrupt { what, path, detail });
        }
        let repository = self.repository(Backend::writing(&self.folder, None))?;
        let mut options = PruneOptions::default();
        if mode == Prune::Instant {
            options.instant_delete = true;
            options.keep_delete = Span::new();
        }
        let plan = self.guarded(|| repository.prune_plan(&options))?;
        let plan = plan.map_err(|error| self.engine(&error))?;
        let sizes = plan.stats.size_sum();
        let now = sizes.remove.saturating_add(sizes.repackrm).saturating_add(plan.stats.size_unref);
        let earlier = plan.stats.size_to_delete.remove;
        let pruned = match mode {
            Prune::Instant => Pruned { freed: now.saturating_add(earlier), marked: 0 },
            Prune::TwoPhase => Pruned { freed: earlier, marked: now },
        };
        let done = self.guarded(|| repository.prune(&options, plan))?;
        done.map_err(|error| self.engine(&error))?;
        Ok(pruned)
    }
}
