//! Reading what a vault holds: its index, and the blobs behind it.

use bytes::Bytes;
use rustic_core::{
    BlobId, DataId, Id, IndexedFullStatus, PackedId, Repository, TreeId,
    repofile::{BlobType, Tree},
};

use super::{backend::Backend, error::VaultError, repository::Vault};

/// A vault whose index is in memory.
pub(super) struct Content<'a> {
    vault: &'a Vault,
    /// What lies in packs that seem to be as they were written.
    sound: Repository<IndexedFullStatus>,
    /// All that the index names, when some packs are damaged: part of them may still read, and
    /// what they held may lie in a sound pack too, where a later backup wrote it again.
    all: Option<Repository<IndexedFullStatus>>,
}

/// Where a blob lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) pack: Id,
    /// Within the pack, in bytes.
    pub(super) offset: u32,
    /// Its length in bytes when it is read; none when the index gives an impossible one.
    pub(super) length: Option<u64>,
    /// Whether the pack seems to be as it was written.
    pub(super) is_sound: bool,
}

impl Vault {
    /// Reads the whole index. The caller has a lease.
    pub(super) fn content(&self) -> Result<Content<'_>, VaultError> {
        let survey = self.survey(&self.repository(Backend::reading(&self.folder))?)?;
        let damaged = survey.missing.into_iter().chain(survey.cut).collect();
        self.content_of(survey.whole, damaged)
    }

    /// Reads the index of these packs.
    pub(super) fn content_of(
        &self,
        sound: Vec<(Id, u32)>,
        damaged: Vec<(Id, u32)>,
    ) -> Result<Content<'_>, VaultError> {
        let index = |packs: Vec<(Id, u32)>| {
            let repository = self.repository(Backend::reading_of(&self.folder, packs))?;
            self.guarded(|| repository.to_indexed_checked())?.map_err(|error| self.engine(&error))
        };
        let all = if damaged.is_empty() {
            None
        } else {
            Some(index(sound.iter().copied().chain(damaged).collect())?)
        };
        Ok(Content { vault: self, sound: index(sound)?, all })
    }
}

impl Content<'_> {
    /// Finds a blob; none when the index does not name it.
    pub(super) fn place<I: PackedId>(&self, id: &I) -> Option<Place> {
        let place = |repository: &Repository<IndexedFullStatus>, is_sound| {
            let found = repository.get_index_entry(id).ok()?;
            let location = found.location;
            // An encrypted blob has 32 bytes around its content.
            let length = match location.uncompressed_length {
                Some(length) => Some(length.get()),
                None => location.length.checked_sub(32),
            };
            let (pack, offset) = (*found.pack, location.offset);
            Some(Place { pack, offset, length: length.map(u64::from), is_sound })
        };
        place(&self.sound, true).or_else(|| place(self.all.as_ref()?, false))
    }

    /// Reads a part of a file and compares it with its hash.
    pub(super) fn blob(&self, id: DataId) -> Result<Bytes, VaultError> {
        self.read(&id)
    }

    /// Reads what a folder holds and compares it with its hash.
    pub(super) fn tree(&self, id: TreeId) -> Result<Tree, VaultError> {
        serde_json::from_slice(&self.read(&id)?).map_err(|error| VaultError::Corrupt {
            what: format!("folder `{id}` is no folder"),
            path: self.vault.folder().to_owned(),
            detail: error.to_string(),
        })
    }

    fn read<I: PackedId>(&self, id: &I) -> Result<Bytes, VaultError> {
        let is_sound = self.place(id).is_some_and(|place| place.is_sound);
        let repository =
            if is_sound { &self.sound } else { self.all.as_ref().unwrap_or(&self.sound) };
        read_checked(self.vault, repository, (*id).into(), I::TYPE)
    }
}

/// Reads a blob and compares it with its hash.
fn read_checked(
    vault: &Vault,
    repository: &Repository<IndexedFullStatus>,
    id: BlobId,
    kind: BlobType,
) -> Result<Bytes, VaultError> {
    let content = vault.guarded(|| repository.get_blob_cached(&id, kind))?;
    let content = content.map_err(|error| vault.engine(&error))?;
    let length = u64::try_from(content.len()).unwrap_or(u64::MAX);
    if id.blob_matches_reader(length, &mut &*content) {
        return Ok(content);
    }
    Err(VaultError::Corrupt {
        what: format!("blob `{id}` is not what was written"),
        path: vault.folder().to_owned(),
        detail: "its hash differs".to_owned(),
    })
}
