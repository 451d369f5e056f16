//! What this machine hears of the local world: its events, as a cloud's bus would bring them.

use crossvault_core::ids::AccountId;
use crossvault_handlers::{
    directory::{self, EventError},
    ports::{Identity, PortError},
};
use crossvault_simulator::world::{Event, World};
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::{platform::Embedded, runtime::no_limit};

/// Hands an event of the world to the handler, if the backup management account hears of it.
///
/// # Errors
/// A passing failure: nobody brings the event again, and the daily review looks at every grant.
pub async fn hear(platform: &Embedded, event: &Event) -> Result<(), PortError> {
    let management = platform.management();
    if !platform.world().read(|world| hears(world, &management, &event.account)) {
        return Ok(());
    }
    match directory::run(platform, &event.json, no_limit()).await {
        Ok(looked) => {
            tracing::debug!(?looked, "an event was seen to");
            Ok(())
        }
        Err(EventError::Invalid(error)) => Err(PortError::Invalid(error.to_string())),
        Err(EventError::Port(error)) => Err(error),
    }
}

/// Hands all further events to the handler.
pub(crate) async fn listen(platform: Embedded, mut told: Receiver<Event>) {
    loop {
        match told.recv().await {
            Ok(event) => {
                if let Err(error) = hear(&platform, &event).await {
                    tracing::warn!(account = %event.account, %error, "an event was not seen to");
                }
            }
            Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "events were missed"),
            Err(RecvError::Closed) => return,
        }
    }
}

/// Its own trail, and that of its organization: an account outside sends nothing, and one that has
/// left the directory sends nothing more.
///
/// Source: ActionTrail, "Multi-account trails".
fn hears(world: &World, management: &AccountId, account: &AccountId) -> bool {
    let directory = |account| world.directory_of(account).map(|directory| &directory.id);
    account == management
        || directory(management).is_some_and(|own| directory(account) == Some(own))
}
