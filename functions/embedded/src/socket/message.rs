//! What is asked and what is answered.

use std::fmt;

use crossvault_core::{
    alert::Alert,
    ids::{AccountId, Token},
};
use crossvault_handlers::{api, directory::Looked};
use crossvault_simulator::world::{self, World};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Failure;
use crate::platform::Settings;

/// The longest line that a server reads.
pub const REQUEST_BYTES_MAX: usize = 1_048_576;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// Ask Crossvault.
    Ask {
        /// Who asks.
        caller: AccountId,
        /// Under which a change is carried out at most once.
        token: Token,
        /// What is asked for.
        command: Box<api::Command>,
    },
    /// Do something to the local world.
    World(world::Command),
    /// Read all of the local world.
    View,
    /// Read what the home was made with.
    Settings,
    /// Read the newest alerts, newest first.
    Alerts {
        /// Who asks.
        caller: AccountId,
        /// At most so many.
        limit: usize,
    },
    /// Hand in an event of the cloud's audit trail.
    Event {
        /// Who asks.
        caller: AccountId,
        /// The event, as JSON text.
        event: String,
    },
    /// Look for damage in a vault.
    CheckVault {
        /// Who asks.
        caller: AccountId,
        /// The vault's name or id.
        vault: String,
        /// Whether all data is read too, not only what is said about it.
        read_data: bool,
    },
    /// Give a vault's key away.
    ExportKey {
        /// Who asks.
        caller: AccountId,
        /// Under which it is recorded.
        token: Token,
        /// The vault's name or id.
        vault: String,
    },
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// It is answered.
    Reply(Reply),
    /// It came to nothing.
    Error(Failure),
}

/// An answer, of one form for each request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// To [`Request::Ask`].
    Answer(api::Answer),
    /// To [`Request::World`].
    World(world::Answer),
    /// To [`Request::View`].
    View(Box<World>),
    /// To [`Request::Settings`].
    Settings(Settings),
    /// To [`Request::Alerts`].
    Alerts(Vec<Alert>),
    /// To [`Request::Event`].
    Looked(Looked),
    /// To [`Request::CheckVault`]: empty when all is well.
    Damage(Vec<Damaged>),
    /// To [`Request::ExportKey`].
    Key(KeyText),
}

/// One thing that is wrong with a vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damaged {
    /// The damaged or missing file of the vault; its folder when no single file is to blame.
    pub file: String,
    /// What is wrong.
    pub what: String,
    /// Backed-up files that can't be restored for it, as `<job or snapshot>:<path>`; some of them
    /// when they are many.
    pub concerns: Vec<String>,
    /// How many there are.
    pub concerns_in_all: u64,
}

/// A vault's key. It prints nothing of itself and is wiped when it is dropped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct KeyText(Zeroizing<String>);

impl KeyText {
    /// The key itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for KeyText {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<KeyText> for String {
    fn from(key: KeyText) -> Self {
        key.0.as_str().to_owned()
    }
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyText")
    }
}
