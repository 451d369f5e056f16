//! Keys of vaults: made once, kept by a store, never shown.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use crossvault_core::{explain::Explain, ids::VaultId};
use rustic_core::{Credentials, Id, repofile::MasterKey};
use zeroize::{Zeroize, Zeroizing};

/// A password that nobody has to remember: 256 bits of the system's randomness, as hex digits.
#[must_use]
pub fn fresh_password() -> String {
    Id::random().to_hex().to_string()
}

/// The key that encrypts all of a vault, as restic's JSON (`restic cat masterkey` prints the same).
///
/// It prints nothing of itself and is wiped when it is dropped.
#[derive(Clone)]
pub struct VaultKey(Zeroizing<String>);

impl VaultKey {
    /// Makes a new key from the system's randomness.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] when the library's key can't be written as JSON.
    pub fn generate() -> Result<Self, KeyError> {
        let mut key = MasterKey::new();
        let text = serde_json::to_string(&key);
        wipe(&mut key);
        text.map(|text| Self(Zeroizing::new(text))).map_err(|_| KeyError::Malformed)
    }

    /// Takes a key from its JSON.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] when the text is no such key.
    pub fn from_json(text: Zeroizing<String>) -> Result<Self, KeyError> {
        let key = Self(text);
        wipe(&mut key.parse()?);
        Ok(key)
    }

    /// The key's JSON: for its store alone.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.0
    }

    /// Opens something with the key's credentials and wipes them afterwards.
    pub(super) fn with<T>(&self, open: impl FnOnce(&Credentials) -> T) -> Result<T, KeyError> {
        let mut credentials = Credentials::Masterkey(self.parse()?);
        let opened = open(&credentials);
        if let Credentials::Masterkey(key) = &mut credentials {
            wipe(key);
        }
        Ok(opened)
    }

    fn parse(&self) -> Result<MasterKey, KeyError> {
        let mut key: MasterKey = serde_json::from_str(&self.0).map_err(|_| KeyError::Malformed)?;
        // The library takes these lengths for granted.
        if key.encrypt.len() == 32 && key.mac.k.len() == 16 && key.mac.r.len() == 16 {
            return Ok(key);
        }
        wipe(&mut key);
        Err(KeyError::Malformed)
    }
}

impl std::fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VaultKey")
    }
}

fn wipe(key: &mut MasterKey) {
    key.encrypt.zeroize();
    key.mac.k.zeroize();
    key.mac.r.zeroize();
}

/// Where keys are kept.
pub trait KeyStore: Send + Sync {
    /// The key of a vault.
    ///
    /// # Errors
    /// [`KeyError`]; [`KeyError::Missing`] when it has none.
    fn load(&self, vault: &VaultId) -> Result<VaultKey, KeyError>;

    /// Keeps the key of a new vault, for good.
    ///
    /// # Errors
    /// [`KeyError::Exists`] when it has one: a key is never replaced.
    fn create(&self, vault: &VaultId, key: &VaultKey) -> Result<(), KeyError>;
}

/// Why a key can't be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is none.
    #[error("there is no key for vault `{vault}` in `{}`", path.display())]
    Missing {
        /// The vault.
        vault: VaultId,
        /// Where it should be.
        path: PathBuf,
    },
    /// There is one already.
    #[error("vault `{0}` has a key already")]
    Exists(VaultId),
    /// Others than its owner may read or replace it.
    #[error("the key file `{}` is open to others than its owner", path.display())]
    Exposed {
        /// The key file.
        path: PathBuf,
    },
    /// It is no key.
    #[error("the key is not a restic master key")]
    Malformed,
    /// The file can't be used.
    #[error("the key file `{}` can't be used: {detail}", path.display())]
    Io {
        /// The key file.
        path: PathBuf,
        /// The system's reason.
        detail: String,
    },
}

impl Explain for KeyError {
    fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "VAULT_KEY_MISSING",
            Self::Exists(_) => "VAULT_KEY_EXISTS",
            Self::Exposed { .. } => "VAULT_KEY_EXPOSED",
            Self::Malformed => "VAULT_KEY_MALFORMED",
            Self::Io { .. } => "VAULT_KEY_UNUSABLE",
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::Missing { path, .. } => format!(
                "Put the key back to `{}` from where you keep its copy: without it the vault can't be read by anybody.",
                path.display()
            ),
            Self::Exists(_) => "Use the vault as it is, or make one with another name.".to_owned(),
            Self::Exposed { path } => {
                format!("Run `chmod 600 {}`, and ask who may have read it.", path.display())
            }
            Self::Malformed => "Put the key back as it was exported, from its copy.".to_owned(),
            Self::Io { path, .. } => {
                format!("Check that `{}` can be read and written.", path.display())
            }
        }
    }
}

/// Keeps each key in a file of its own that only its owner may read.
#[derive(Clone, Debug)]
pub struct FileKeys {
    folder: PathBuf,
}

impl FileKeys {
    /// Keeps keys in `folder`, which is made when the first key is.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Where the key of a vault lies.
    #[must_use]
    pub fn path(&self, vault: &VaultId) -> PathBuf {
        self.folder.join(format!("{vault}.key"))
    }
}

impl KeyStore for FileKeys {
    fn load(&self, vault: &VaultId) -> Result<VaultKey, KeyError> {
        let path = self.path(vault);
        let failed =
            |error: io::Error| KeyError::Io { path: path.clone(), detail: error.to_string() };
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(KeyError::Missing { vault: vault.clone(), path });
            }
            Err(error) => return Err(failed(error)),
        };
        // Asked of the open file, so that it can't be exchanged in between.
        if file.metadata().map_err(failed)?.mode() & 0o077 != 0 {
            return Err(KeyError::Exposed { path });
        }
        let mut text = Zeroizing::new(String::with_capacity(1024));
        file.read_to_string(&mut text).map_err(failed)?;
        VaultKey::from_json(text)
    }

    fn create(&self, vault: &VaultId, key: &VaultKey) -> Result<(), KeyError> {
        let path = self.path(vault);
        let failed = |error: io::Error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                return KeyError::Exists(vault.clone());
            }
            KeyError::Io { path: path.clone(), detail: error.to_string() }
        };
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).map_err(failed)?;
        // Whole before it has its name: a crash must not leave half a key where a key is looked for.
        let temporary = self.folder.join(format!(".{vault}.{}", std::process::id()));
        let _ = fs::remove_file(&temporary);
        let written = (|| {
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
            file.write_all(key.json().as_bytes())?;
            file.sync_all()?;
            // Unlike a rename, a link replaces nothing.
            fs::hard_link(&temporary, &path)
        })();
        let _ = fs::remove_file(&temporary);
        written.map_err(failed)?;
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_kept_once_and_only_for_its_owner() {
        let home = tempfile::tempdir().unwrap();
        let keys = FileKeys::new(&home.path().join("keys"));
        let (one, two) = (VaultId::derive(&["1"]), VaultId::derive(&["2"]));
        let key = VaultKey::generate().unwrap();

        assert!(matches!(keys.load(&one), Err(KeyError::Missing { .. })));
        keys.create(&one, &key).unwrap();
        assert_eq!(keys.load(&one).unwrap().json(), key.json());
        let other = VaultKey::generate().unwrap();
        assert_eq!(keys.create(&one, &other), Err(KeyError::Exists(one.clone())));
        assert_eq!(keys.load(&one).unwrap().json(), key.json());
        assert!(matches!(keys.load(&two), Err(KeyError::Missing { .. })));

        let path = keys.path(&one);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(keys.load(&one).unwrap_err(), KeyError::Exposed { path: path.clone() });
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "{}").unwrap();
        assert_eq!(keys.load(&one).unwrap_err(), KeyError::Malformed);
    }

    #[test]
    fn a_key_does_not_show_itself() {
        let key = VaultKey::generate().unwrap();
        assert_eq!(format!("{key:?}"), "VaultKey");
        let malformed = VaultKey::from_json(Zeroizing::new(
            key.json().replace("encrypt\":\"", "encrypt\":\"AAAA"),
        ));
        assert!(matches!(malformed, Err(KeyError::Malformed)));
    }
}
