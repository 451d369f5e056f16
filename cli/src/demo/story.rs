//! The story itself: what is done, and what is seen.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use crossvault_core::{
    grant::Method,
    ids::{AccountId, DataSource, PointId},
    quantity::Bytes,
    restore::Overwrite,
};
use crossvault_embedded::{
    files::compare::{CompareOptions, Difference, compare},
    socket::{Failure, Kind},
};
use crossvault_handlers::api::{Answer, Command, JobView, PolicySpec, RetentionSpec};
use serde_json::json;

use super::{
    data::{self, UNREADABLE, Unreadable},
    io_failure,
    stage::{REGION, ROLE, Stage},
};
use crate::{exit::Exit, output::Output, platform::unexpected};

/// The folder of the target into which the partner's files are restored.
const INTO: &str = "from-partner";

/// Tells it, and fails if anything in it is not as it should be.
pub(super) fn tell(stage: &Stage, output: Output, source: Option<&Path>) -> Result<Exit, Failure> {
    let teller = Teller { stage, output, began: Instant::now() };
    let folders = teller.accounts(source)?;
    teller.grants()?;
    teller.policy()?;
    let first = teller.first_backups(&folders)?;
    let second = teller.second_backup(&folders)?;
    teller.lost_role()?;
    teller.restores(&first, &second, &folders)?;
    teller.holdings()?;
    teller.end(&first, &second)
}

struct Teller<'a> {
    stage: &'a Stage,
    output: Output,
    began: Instant,
}

/// Where the sources' data lies.
struct Folders {
    shared: PathBuf,
    rescue: PathBuf,
}

/// What a backup made.
struct Made {
    point: PointId,
    job: JobView,
}

impl Teller<'_> {
    /// Puts the sources with their data.
    fn accounts(&self, source: Option<&Path>) -> Result<Folders, Failure> {
        let stage = self.stage;
        let host = match source {
            Some(folder) => folder.to_owned(),
            None => stage.place(&stage.host),
        };
        let (shared, rescue) = (stage.place(&stage.shared), stage.place(&stage.rescue));
        let made =
            |path: &Path, made: std::io::Result<()>| made.map_err(|error| io_failure(path, &error));
        let what = match (source, data::repository()) {
            (Some(folder), _) => folder.display().to_string(),
            (None, Some(repository)) => {
                made(&host, data::copy_repository(&repository, &host))?;
                "a copy of this repository".to_owned()
            }
            (None, None) => {
                made(&host, data::generate(&host))?;
                "generated files".to_owned()
            }
        };
        made(&shared, data::generate(&shared))?;
        made(&rescue, std::fs::create_dir_all(&rescue))?;
        for (source, folder) in
            [(&stage.host, &host), (&stage.shared, &shared), (&stage.rescue, &rescue)]
        {
            stage.put_source(source, folder)?;
        }
        self.say("accounts", "a directory of headquarters, with vaults as delegated administrator, payroll and archive; partner stands outside")?;
        self.more(&format!("payroll's host web-1 holds {what}"))?;
        self.more("partner's file system shared-1 holds large, tiny, sparse, deep, linked, odd-named and unreadable files")?;
        Ok(Folders { shared, rescue })
    }

    /// Adds payroll and archive through the directory, and partner through its role.
    fn grants(&self) -> Result<(), Failure> {
        let stage = self.stage;
        let add = |account: &AccountId, method: Method, alias: &str| {
            stage.ask(Command::AddAccount {
                account: account.clone(),
                region: REGION.parse()?,
                method,
                alias: alias.to_owned(),
                consent: true,
            })
        };
        add(&stage.payroll, Method::Directory, "payroll")?;
        add(&stage.archive, Method::Directory, "archive")?;
        self.say("grants", "vaults adds payroll and archive through the directory: one step each")?;
        let method = Method::Role { name: ROLE.parse()? };
        let refused = add(&stage.partner, method.clone(), "partner");
        let Err(refused) = refused else {
            return Err(wrong("an account without a role was added"));
        };
        self.more(&format!("partner is refused at first  {}: {}", refused.code, refused.message))?;
        stage.make_role()?;
        add(&stage.partner, method, "partner")?;
        self.more(&format!(
            "partner makes `{ROLE}`, which trusts vaults' service role, and is added"
        ))?;
        Ok(())
    }

    /// One vault and one policy for sources of both.
    fn policy(&self) -> Result<(), Failure> {
        let stage = self.stage;
        stage.ask(Command::CreateVault { name: "central".to_owned(), region: REGION.parse()? })?;
        stage.ask(Command::CreatePolicy(PolicySpec {
            name: "nightly".to_owned(),
            vault: "central".to_owned(),
            schedule: "C|0|0 0 2 * * ?".to_owned(),
            zone: "Asia/Shanghai".to_owned(),
            retention: RetentionSpec {
                days: Some(30),
                monthly: Some(365),
                keep_latest: true,
                ..RetentionSpec::default()
            },
        }))?;
        for source in [&stage.host, &stage.shared] {
            let (policy, source) = ("nightly".to_owned(), source.clone());
            stage.ask(Command::Bind { policy, source })?;
        }
        self.say("policy", "vault central and policy nightly (02:00, 30 days, a monthly one for a year) for sources of both")?;
        Ok(())
    }

    fn first_backups(&self, folders: &Folders) -> Result<Vec<Made>, Failure> {
        let stage = self.stage;
        let unreadable = Unreadable::make(&folders.shared)
            .map_err(|error| io_failure(&folders.shared, &error))?;
        let host = self.back_up("first", &stage.host)?;
        let shared = self.back_up("", &stage.shared)?;
        drop(unreadable);
        let named = shared.job.failures.first();
        let Some(failed) = named.filter(|failed| failed.path == UNREADABLE) else {
            return Err(wrong("the unreadable file was not named"));
        };
        self.more(&format!("not in it: {}  {}: {}", failed.path, failed.code, failed.message))?;
        Ok(vec![host, shared])
    }

    /// The second backup reads only what changed.
    fn second_backup(&self, folders: &Folders) -> Result<Made, Failure> {
        let unreadable = folders.shared.join(UNREADABLE);
        std::fs::remove_file(&unreadable).map_err(|error| io_failure(&unreadable, &error))?;
        data::change(&folders.shared).map_err(|error| io_failure(&folders.shared, &error))?;
        self.back_up("second", &self.stage.shared)
    }

    fn back_up(&self, title: &str, source: &DataSource) -> Result<Made, Failure> {
        let began = Instant::now();
        let job = self.stage.run(Command::BackUp {
            source: source.clone(),
            policy: Some("nightly".to_owned()),
            vault: None,
        })?;
        let Some(point) = job.point.clone() else {
            let reason = job.failure.map_or_else(String::new, |failure| failure.message);
            return Err(wrong(&format!("a backup made no recovery point: {reason}")));
        };
        let progress = job.progress;
        self.say(
            title,
            &format!(
                "{:<16} {:<8} {:>6} files {:>10}, {:>9} new in the vault, {} ms",
                job.status,
                source.id,
                progress.files,
                progress.bytes.to_string(),
                job.added.unwrap_or(Bytes::ZERO).to_string(),
                began.elapsed().as_millis(),
            ),
        )?;
        Ok(Made { point, job })
    }

    /// The role goes: the next job says so, and what to do.
    fn lost_role(&self) -> Result<(), Failure> {
        let stage = self.stage;
        stage.delete_role()?;
        self.say(
            "trouble",
            &format!("partner deletes `{ROLE}`; the next backup of shared-1 ends"),
        )?;
        let job = stage.run(Command::BackUp {
            source: stage.shared.clone(),
            policy: Some("nightly".to_owned()),
            vault: None,
        })?;
        let Some(failure) = job.failure.filter(|failure| failure.code == "ROLE_DELETED") else {
            return Err(wrong("the next backup did not name the deleted role"));
        };
        self.more(&format!("{}  {}: {}", job.status, failure.code, failure.message))?;
        self.more(&format!("to mend it: {}", failure.remedy))?;
        Ok(())
    }

    /// Older points restore all the same, into another account.
    fn restores(&self, first: &[Made], second: &Made, folders: &Folders) -> Result<(), Failure> {
        let stage = self.stage;
        let began = Instant::now();
        let job = stage.run(Command::Restore {
            point: second.point.clone(),
            to: stage.rescue.clone(),
            into: INTO.to_owned(),
            only: None,
            overwrite: Overwrite::Refuse,
        })?;
        self.say(
            "restore",
            &format!(
                "{:<16} shared-1 as it was goes to archive's rescue-1, {} files, {} ms",
                job.status,
                job.progress.files,
                began.elapsed().as_millis()
            ),
        )?;
        is_equal(&folders.shared, &folders.rescue.join(INTO))?;
        self.more(
            "compared byte for byte, with modes, times, links and holes' content: no difference",
        )?;
        // The first point of the host goes back beside its own files.
        if let Some(host) = first.first() {
            let job = stage.run(Command::Restore {
                point: host.point.clone(),
                to: stage.host.clone(),
                into: String::new(),
                only: None,
                overwrite: Overwrite::Refuse,
            })?;
            if job.status != "COMPLETE" {
                return Err(wrong("a restore over equal files was not complete"));
            }
            self.more(
                "web-1 restored over itself: equal files count as done, nothing is overwritten",
            )?;
        }
        Ok(())
    }

    /// What each account holds and sees.
    fn holdings(&self) -> Result<(), Failure> {
        let stage = self.stage;
        let all = Command::ListPoints { source: None, account: None, vault: None };
        let answer = stage.ask(all)?;
        let Answer::Points(points) = answer else { return Err(unexpected(&answer)) };
        let of = |account: &AccountId| {
            points.iter().filter(|point| point.source.account == *account).count()
        };
        self.say("holdings", &format!("vaults    owns vault central with {} recovery points ({} of payroll, {} of partner) and pays for it", points.len(), of(&stage.payroll), of(&stage.partner)))?;
        for (account, name) in
            [(&stage.payroll, "payroll"), (&stage.archive, "archive"), (&stage.partner, "partner")]
        {
            let command = Command::ListPoints { source: None, account: None, vault: None };
            let Err(refused) = stage.ask_as(account, command) else {
                return Err(wrong("a resource account saw backup data"));
            };
            self.more(&format!("{name:<8}  its own files; backup data: {}", refused.code))?;
        }
        Ok(())
    }

    fn end(&self, first: &[Made], second: &Made) -> Result<Exit, Failure> {
        let seconds = self.began.elapsed().as_secs();
        let home = self.stage.home.display();
        if self.output.is_json {
            let points: Vec<_> = first.iter().chain([second]).map(|made| &made.point).collect();
            let jobs: Vec<_> = first.iter().chain([second]).map(|made| &made.job.id).collect();
            let value = json!({ "answer": "demo", "value": {
                "home": self.stage.home, "points": points, "jobs": jobs, "seconds": seconds,
            }});
            self.output.answer(&value, String::new)?;
            return Ok(Exit::Done);
        }
        self.say(
            "done",
            &format!("in {seconds} s; the world stays in `{home}` for further commands:"),
        )?;
        for command in ["status", "points list", "jobs list", "audit", "up"] {
            self.more(&format!("crossvault --home {home} {command}"))?;
        }
        Ok(Exit::Done)
    }

    /// A line of the story with its chapter.
    fn say(&self, chapter: &str, line: &str) -> Result<(), Failure> {
        if self.output.is_json || self.output.is_quiet {
            return Ok(());
        }
        self.output.write(&format!("{chapter:<9} {line}\n"))
    }

    fn more(&self, line: &str) -> Result<(), Failure> {
        self.say("", line)
    }
}

fn is_equal(one: &Path, other: &Path) -> Result<(), Failure> {
    let differences: Vec<Difference> = compare(one, other, CompareOptions::default())
        .map_err(|error| io_failure(other, &error))?;
    match differences.first() {
        None => Ok(()),
        Some(first) => Err(wrong(&format!("what was restored differs: {first}"))),
    }
}

fn wrong(what: &str) -> Failure {
    Failure::new(
        Kind::Platform,
        "DEMO_WRONG",
        what.to_owned(),
        "Please report this with the output above.",
    )
}
