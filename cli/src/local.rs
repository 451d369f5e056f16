//! The home as it is found: held by another process that answers, or by this one.

use std::{
    cell::OnceCell,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use crossvault_core::ids::{AccountId, JobId};
use crossvault_embedded::{
    Embedded, OpenError, Runtime, Settings, hear,
    home::{HomeError, socket_in},
    socket::{Client, Failure, Kind, Reply, Request, answer},
};
use crossvault_handlers::{api::JobView, enqueue::OUTBOX_SHARD, outbox};
use tokio::{
    runtime,
    signal::unix::{Signal, SignalKind, signal},
};

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
            return Ok(Ok(Box::new(Remote { client, runtime: engine()? }) as Box<dyn Platform>));
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
        self.runtime.block_on(async {
            if matches!(request, Request::Alerts { .. }) {
                // Nobody serves, so nobody else has told what was decided to be told.
                outbox::drain(&self.platform, OUTBOX_SHARD, DateTime::<Utc>::MAX_UTC).await?;
            }
            let mut told = self.platform.world().events();
            let reply = answer(&self.platform, request).await?;
            // Nobody serves, so nobody else listens to what the world tells of it.
            while let Ok(event) = told.try_recv() {
                hear(&self.platform, &event).await?;
            }
            Ok(reply)
        })
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
            let request = || look(caller, job);
            let look = async || job_in(answer(&self.platform, request()).await?);
            let ended =
                until_ended(job, look, seen, "start `crossvault up`, or go on with it by").await?;
            // What follows from its end, such as an alert, follows before this returns.
            outbox::drain(&self.platform, OUTBOX_SHARD, DateTime::<Utc>::MAX_UTC).await?;
            Ok(ended)
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
    runtime: runtime::Runtime,
}

/// Looks at a job until it has ended, or until somebody has waited long enough.
async fn until_ended(
    job: &JobId,
    mut look: impl AsyncFnMut() -> Result<JobView, Failure>,
    seen: &mut dyn FnMut(&JobView),
    go_on: &str,
) -> Result<JobView, Failure> {
    // From now on Ctrl-C is noticed, also while the job is being looked at.
    let mut interrupts = listen(SignalKind::interrupt())?;
    let mut pauses = pauses();
    loop {
        let view = look().await?;
        seen(&view);
        if view.ended {
            return Ok(view);
        }
        tokio::select! {
            () = tokio::time::sleep(pauses.next().unwrap_or_default()) => {}
            _ = interrupts.recv() => return Err(interrupted(job, go_on)),
        }
    }
}

/// Listens to a signal.
pub fn listen(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind).map_err(|error| {
        Failure::new(
            Kind::Platform,
            "SIGNALS_UNAVAILABLE",
            format!("signals can't be waited for: {error}"),
            "Look at the limits of this process (`ulimit -a`).",
        )
    })
}

fn interrupted(job: &JobId, go_on: &str) -> Failure {
    Failure::new(
        Kind::Interrupted,
        "INTERRUPTED",
        format!("nobody waits for job `{job}` any more; it has not ended"),
        format!(
            "To end it, {go_on} `crossvault jobs wait {job}`; to give it up, `crossvault jobs cancel {job}`."
        ),
    )
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
        let request = || look(caller, job);
        let look = async || job_in(self.request(request())?);
        self.runtime.block_on(until_ended(
            job,
            look,
            seen,
            "leave it to `crossvault up`, or wait again by",
        ))
    }

    fn is_served(&self) -> bool {
        true
    }
}
