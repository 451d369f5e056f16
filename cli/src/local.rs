//! The home as it is found: held by another process that answers, or by this one.

use std::{
    cell::OnceCell,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use crossvault_core::ids::{AccountId, JobId};
use crossvault_embedded::{
    Embedded, OpenError, Runtime, Settings,
    home::{HomeError, socket_in},
    socket::{Client, Failure, Kind, Reply, Request, answer},
};
use crossvault_handlers::{api::JobView, enqueue::OUTBOX_SHARD, outbox};
use tokio::runtime;

use crate::platform::{Platform, job_in, look, pauses};

/// How long to wait for another short command to let go of the home.
const PATIENCE: Duration = Duration::from_secs(3);

/// How often to look whether it did.
const AGAIN: Duration = Duration::from_millis(50);

/// Makes a home and returns its whole name.
pub fn create(home: &Path, settings: &Settings, name: &str) -> Result<PathBuf, Failure> {
    let runtime = engine()?;
    let platform = runtime.block_on(Embedded::create(home, settings.clone(), name))?;
    Ok(platform.home().dir().to_owned())
}

/// Stands before a home: asks the process that serves it, or holds it from now on.
pub fn open(home: &Path) -> Result<Box<dyn Platform>, Failure> {
    let runtime = engine()?;
    let socket = socket_in(home);
    patiently(|| {
        if let Some(client) = Client::connect(&socket)? {
            return Ok(Ok(Box::new(Remote { client }) as Box<dyn Platform>));
        }
        Ok(match runtime.block_on(Embedded::open(home)) {
            Ok(platform) => {
                Ok(Box::new(Local { platform, functions: OnceCell::new(), runtime: engine()? }))
            }
            Err(error) => Err(error),
        })
    })
}

/// Holds a home, whoever else would like to.
pub fn hold(home: &Path) -> Result<(runtime::Runtime, Embedded), Failure> {
    let runtime = engine()?;
    let platform = patiently(|| {
        if Client::connect(&socket_in(home))?.is_some() {
            return Err(runtime.block_on(Embedded::open(home)).map_or_else(Failure::from, |_| {
                Failure::new(
                    Kind::Home,
                    "HOME_HELD",
                    format!("`{}` is served by another process", home.display()),
                    "Use the one that runs, or stop it first.",
                )
            }));
        }
        Ok(runtime.block_on(Embedded::open(home)))
    })?;
    Ok((runtime, platform))
}

/// Tries again as long as another process holds the home, which a short command soon lets go.
fn patiently<T>(
    mut attempt: impl FnMut() -> Result<Result<T, OpenError>, Failure>,
) -> Result<T, Failure> {
    let begun = Instant::now();
    loop {
        match attempt()? {
            Ok(done) => return Ok(done),
            Err(OpenError::Home(HomeError::Held { .. })) if begun.elapsed() < PATIENCE => {
                thread::sleep(AGAIN);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// What drives futures here: one thread, as the platform wants it.
fn engine() -> Result<runtime::Runtime, Failure> {
    runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        Failure::new(
            Kind::Platform,
            "ENGINE_UNAVAILABLE",
            format!("the system does not let Crossvault wait for events: {error}"),
            "Look at the limits of open files and processes (`ulimit -a`).",
        )
    })
}

/// A home that this process holds.
struct Local {
    platform: Embedded,
    /// Only once a job is waited for.
    functions: OnceCell<Runtime>,
    /// Last, so that the functions' tasks are gone before it.
    runtime: runtime::Runtime,
}

impl Platform for Local {
    fn request(&self, request: Request) -> Result<Reply, Failure> {
        self.runtime.block_on(answer(&self.platform, request))
    }

    fn wait(
        &self,
        caller: &AccountId,
        job: &JobId,
        seen: &mut dyn FnMut(&JobView),
    ) -> Result<JobView, Failure> {
        // Who may not see the job must not make it run either.
        job_in(self.request(look(caller, job))?)?;
        self.runtime.block_on(async {
            if self.functions.get().is_none() {
                let started = Runtime::start(self.platform.clone()).await?;
                let _ = self.functions.set(started);
            }
            let mut pauses = pauses();
            loop {
                let view = job_in(answer(&self.platform, look(caller, job)).await?)?;
                seen(&view);
                if view.ended {
                    // What follows from its end, such as an alert, follows before this returns.
                    outbox::drain(
                        &self.platform,
                        OUTBOX_SHARD,
                        chrono::DateTime::<chrono::Utc>::MAX_UTC,
                    )
                    .await?;
                    return Ok(view);
                }
                tokio::time::sleep(pauses.next().unwrap_or_default()).await;
            }
        })
    }

    fn is_served(&self) -> bool {
        false
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        if let Some(functions) = self.functions.take() {
            self.runtime.block_on(functions.stop());
        }
    }
}

/// A home that another process serves.
struct Remote {
    client: Client,
}

impl Platform for Remote {
    fn request(&self, request: Request) -> Result<Reply, Failure> {
        self.client.request(&request)
    }

    fn wait(
        &self,
        caller: &AccountId,
        job: &JobId,
        seen: &mut dyn FnMut(&JobView),
    ) -> Result<JobView, Failure> {
        let mut pauses = pauses();
        loop {
            let view = job_in(self.request(look(caller, job))?)?;
            seen(&view);
            if view.ended {
                return Ok(view);
            }
            thread::sleep(pauses.next().unwrap_or_default());
        }
    }

    fn is_served(&self) -> bool {
        true
    }
}
