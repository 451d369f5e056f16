//! The platform behind the commands: the process that holds the home, or this one.

use std::time::Duration;

use crossvault_core::ids::{AccountId, JobId, Token};
use crossvault_embedded::socket::{Failure, Kind, Reply, Request};
use crossvault_handlers::api::{Answer, Command, JobView};

/// How long to wait before a job is looked at again: short at first, then longer.
pub fn pauses() -> impl Iterator<Item = Duration> {
    const FIRST: Duration = Duration::from_millis(10);
    const LONGEST: Duration = Duration::from_millis(200);
    std::iter::successors(Some(FIRST), |pause| Some(pause.saturating_mul(2).min(LONGEST)))
}

/// A home that answers requests.
pub trait Platform {
    /// Carries out a request.
    ///
    /// # Errors
    /// [`Failure`] when nothing came of it.
    fn request(&self, request: Request) -> Result<Reply, Failure>;

    /// Waits until a job has ended and shows it to `seen` from time to time.
    ///
    /// # Errors
    /// [`Failure`] when the job can't be seen; the job itself may fail without one.
    fn wait(
        &self,
        caller: &AccountId,
        job: &JobId,
        seen: &mut dyn FnMut(&JobView),
    ) -> Result<JobView, Failure>;

    /// Whether jobs go on without this process: `crossvault up` runs.
    fn is_served(&self) -> bool;
}

/// A token that no other request has.
pub fn fresh_token() -> Token {
    let text = format!("cli-{:032x}", rand::random::<u128>());
    #[expect(clippy::expect_used, reason = "a prefix and 32 hex digits are a token")]
    text.parse().expect("hex digits are a token")
}

/// The request that looks at a job.
pub fn look(caller: &AccountId, job: &JobId) -> Request {
    Request::Ask {
        caller: caller.clone(),
        token: fresh_token(),
        command: Box::new(Command::ShowJob { job: job.clone() }),
    }
}

/// The job in an answer to [`look`].
pub fn job_in(reply: Reply) -> Result<JobView, Failure> {
    let Reply::Answer(Answer::Job(job)) = reply else { return Err(unexpected(&reply)) };
    Ok(*job)
}

/// A reply of another form than its request has.
pub fn unexpected(reply: &impl std::fmt::Debug) -> Failure {
    let mut text = format!("{reply:?}");
    if let Some((end, _)) = text.char_indices().nth(200) {
        text.truncate(end);
    }
    Failure::new(
        Kind::Platform,
        "ANSWER_UNEXPECTED",
        format!("the answer is not of the form that was expected: {text}"),
        "Use the same version of Crossvault for `up` and for this command; if it is, report this.",
    )
}
