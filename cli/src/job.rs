//! A job as people see it: while it runs, and how it ended.

use std::time::Duration;

use crossvault_core::{explain::Explain, ids::JobId, job::Progress};
use crossvault_embedded::socket::Failure;
use crossvault_handlers::api::{Answer, JobView};
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    console::Console,
    exit::Exit,
    output::{Cell, count, duration, moment, printable},
    platform::unexpected,
};

/// How many failed files are named at the end of a command that waited.
const FAILURES_NAMED: usize = 20;

/// Waits for the job that was started, unless told not to, and shows how it ended.
pub fn follow(console: &Console, started: &Answer, is_detached: bool) -> Result<Exit, Failure> {
    let Answer::JobStarted(id) = started else { return Err(unexpected(started)) };
    if !is_detached {
        return wait(console, id);
    }
    console.output.answer(started, || format!("job {id} is queued"))?;
    if !console.is_served() {
        console.output.note(&format!(
            "nothing runs it yet: start `crossvault up`, or wait for it with `crossvault jobs wait {id}`"
        ));
    }
    Ok(Exit::Done)
}

/// Waits for a job and shows how it ended.
pub fn wait(console: &Console, id: &JobId) -> Result<Exit, Failure> {
    let bar = bar(console);
    let ended = console.wait(id, &mut |job| draw(&bar, job));
    bar.finish_and_clear();
    let job = ended?;
    let exit = Exit::of_job(&job);
    let answer = Answer::Job(Box::new(job.clone()));
    console.output.answer(&answer, || {
        let mut parts = vec![properties(console, &job)];
        parts.extend(failures(&job, Some(FAILURES_NAMED)));
        parts.join("\n\n")
    })?;
    for (code, message, remedy) in reasons(&job) {
        console.output.error(code, message, remedy);
    }
    Ok(exit)
}

/// A job with all that is known of it.
pub fn text(console: &Console, job: &JobView) -> String {
    let mut parts = vec![properties(console, job)];
    parts.extend(reasons(job).into_iter().map(|(code, message, remedy)| {
        format!("{code}: {}\n  {}", printable(message), printable(remedy))
    }));
    parts.extend(failures(job, None));
    parts.extend(warnings(job));
    parts.join("\n\n")
}

fn properties(console: &Console, job: &JobView) -> String {
    let mut table = console.output.properties();
    table.row(["job".into(), (&job.id).into()]);
    table.row(["kind".into(), (&job.kind).into()]);
    table.row(["status".into(), Cell::status(&job.status)]);
    table.row(["account".into(), console.account_in_full(&job.account).into()]);
    if let Some(source) = &job.source {
        table.row(["source".into(), console.source_text(source).into()]);
    }
    if let Some(point) = &job.point {
        table.row(["recovery point".into(), point.into()]);
    }
    table.row(["queued (UTC)".into(), moment(job.queued).into()]);
    if let Some(ended) = job.ended_at {
        let took = ended.signed_duration_since(job.started.unwrap_or(job.queued));
        let at = format!("{} after {}", moment(ended), duration(took));
        table.row(["ended (UTC)".into(), at.into()]);
    }
    table.row(["moved".into(), moved(&job.progress).into()]);
    if let Some(added) = job.added {
        table.row(["added to the vault".into(), added.into()]);
    }
    table.text()
}

fn moved(progress: &Progress) -> String {
    let Progress { bytes, files, failed, expected } = progress;
    let of = expected.map(|expected| format!(" of {expected}")).unwrap_or_default();
    let failed =
        if *failed > 0 { format!(", {} failed", count(*failed, "file")) } else { String::new() };
    let files = if *files > 0 { format!("{}, ", count(*files, "file")) } else { String::new() };
    format!("{files}{bytes}{of}{failed}")
}

/// Why it failed: codes, what is so, what to do.
fn reasons(job: &JobView) -> Vec<(&str, &str, &str)> {
    if job.causes.is_empty() {
        let trouble = job.failure.iter();
        trouble.map(|t| (t.code.as_str(), t.message.as_str(), t.remedy.as_str())).collect()
    } else {
        let causes = job.causes.iter();
        causes.map(|c| (c.cause.code(), c.message.as_str(), c.remedy.as_str())).collect()
    }
}

fn failures(job: &JobView, named: Option<usize>) -> Option<String> {
    if job.failures.is_empty() {
        return None;
    }
    let named = named.unwrap_or(usize::MAX);
    let mut lines = vec!["files that could not be moved:".to_owned()];
    lines.extend(job.failures.iter().take(named).map(|file| {
        format!("  {}  {}: {}", printable(&file.path), file.code, printable(&file.message))
    }));
    let more = job.failures.len().saturating_sub(named);
    if more > 0 {
        lines.push(format!("  and {more} more: `crossvault jobs show {}`", job.id));
    }
    Some(lines.join("\n"))
}

fn warnings(job: &JobView) -> Option<String> {
    if job.warnings.is_empty() {
        return None;
    }
    let mut lines = vec!["what could not be restored with files that are in place:".to_owned()];
    lines.extend(job.warnings.iter().map(|warning| format!("  {}", printable(warning))));
    Some(lines.join("\n"))
}

fn bar(console: &Console) -> ProgressBar {
    if !console.output.has_progress() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

fn draw(bar: &ProgressBar, job: &JobView) {
    let Progress { bytes, expected, .. } = job.progress;
    let is_new = bar.length() != expected.map(|expected| expected.0);
    if let Some(expected) = expected.filter(|_| is_new) {
        bar.set_length(expected.0);
        let template = "{spinner} {msg} [{bar:24}] {bytes}/{total_bytes} {bytes_per_sec} eta {eta}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
    }
    bar.set_position(bytes.0);
    let doing = match (job.kind.as_str(), job.status.as_str()) {
        (kind, "QUEUED") => format!("{kind} is queued"),
        (kind, "CANCELING") => format!("{kind} is stopping"),
        (kind, _) if expected.is_some() => kind.to_owned(),
        (kind, _) => format!("{kind}: {}", moved(&job.progress)),
    };
    bar.set_message(doing);
}
