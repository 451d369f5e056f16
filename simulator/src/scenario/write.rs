//! Writing a scenario, so that it reads back as the same.

use std::collections::BTreeMap;

use super::{
    BEFORE, Expect, FORMAT, HOME, Names, ROLE, ROLE_POLICY, START, Scenario,
    fault::word,
    read::directory_word,
    setup::{Account, Setup},
    tell::{key, quoted, size_words},
    words::Words,
};
use super::{job_name, time};
use crate::{
    chooser::{Key, Names as Places, Place, Replay, What},
    run::Settings,
    script::Act,
};
use crossvault_core::grant::Method;
use crossvault_handlers::records::Record;

/// Writes a scenario as text that reads back as the same.
#[must_use]
pub fn write(scenario: &Scenario) -> String {
    let (setup, before) = Setup::of(&scenario.before, &scenario.management, scenario.start);
    let names = setup.names();
    let management = scenario.management.clone();
    let words = Words { names: &names, start: scenario.start, management };
    let mut text =
        vec![format!("format = {FORMAT}"), format!("about = {}", quoted(&scenario.about))];
    if scenario.start.timestamp() != START {
        let start = scenario.start.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
        text.push(format!("start = {}", quoted(&start)));
    }
    text.extend(settings(&scenario.settings));
    text.push(String::new());
    text.extend(stage(&words, &setup));
    let line = |first: u32| {
        let words = &words;
        move |n: u32, act: &Act| (words.act_words(first.saturating_add(n), act), String::new())
    };
    text.extend(list("before", &before, line(BEFORE)));
    text.extend(list("acts", &scenario.acts, line(1)));
    let told = told(scenario, &names);
    let all: Vec<(Key, u8)> = scenario.deviations.0.iter().map(|(key, n)| (*key, *n)).collect();
    text.extend(list("faults", &all, |_, (key, option)| told.fault(*key, *option)));
    text.extend(expect(&scenario.expect));
    let mut text = text.join("\n");
    text.push('\n');
    text
}

fn settings(settings: &Settings) -> Vec<String> {
    let usual = Settings::default();
    let (limits, pace) = (settings.limits, settings.limits.pace);
    let lengths = [
        ("pulse", pace.pulse, usual.limits.pace.pulse),
        ("step", pace.step, usual.limits.pace.step),
        ("time", limits.time, usual.limits.time),
        ("storm", settings.storm, usual.storm),
        ("bound", settings.bound, usual.bound),
    ];
    let mut lines: Vec<String> = lengths
        .into_iter()
        .filter(|(_, is, usual)| is != usual)
        .map(|(name, is, _)| format!("settings.{name} = {}", quoted(&time::words(is))))
        .collect();
    if pace.turns != usual.limits.pace.turns {
        lines.push(format!("settings.turns = {}", pace.turns));
    }
    if settings.workers != usual.workers {
        lines.push(format!("settings.workers = {}", settings.workers));
    }
    if settings.is_daily != usual.is_daily {
        lines.push(format!("settings.daily = {}", settings.is_daily));
    }
    lines
}

fn stage(words: &Words<'_>, setup: &Setup) -> Vec<String> {
    let source = |source| quoted(&words.names.source_name(source));
    let table = |parts: Vec<String>| {
        if parts.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", parts.join(", ")) }
    };
    let mut lines: Vec<String> = setup
        .accounts
        .iter()
        .map(|one| format!("accounts.{} = {}", key(&one.name), table(account(one))))
        .collect();
    for (of, size) in &setup.sources {
        lines.push(format!("sources.{} = {}", source(of), table(size_words(*size))));
    }
    for (name, region) in &setup.vaults {
        let is_home = region.as_str() == HOME;
        let parts =
            if is_home { vec![] } else { vec![format!("region = {}", quoted(region.as_str()))] };
        lines.push(format!("vaults.{} = {}", key(name), table(parts)));
    }
    for policy in &setup.policies {
        let spec = &policy.spec;
        let schedule = words.schedule_words(&spec.schedule);
        let mut parts = vec![
            format!("vault = {}", quoted(&spec.vault)),
            format!("schedule = {}", quoted(&schedule)),
        ];
        if spec.zone != "UTC" {
            parts.push(format!("zone = {}", quoted(&spec.zone)));
        }
        let keeps = keeps(&spec.retention);
        if !keeps.is_empty() {
            parts.push(format!("keeps = {}", table(keeps)));
        }
        if !policy.binds.is_empty() {
            let binds: Vec<_> = policy.binds.iter().map(source).collect();
            parts.push(format!("binds = [{}]", binds.join(", ")));
        }
        lines.push(format!("policies.{} = {}", key(&spec.name), table(parts)));
    }
    lines
}

fn account(account: &Account) -> Vec<String> {
    let mut parts = vec![format!("id = {}", quoted(account.id.as_str()))];
    if let Some(directory) = account.directory {
        parts.push(format!("directory = {}", quoted(directory_word(directory))));
    }
    let is_by_role = match account.added.first() {
        Some((_, Method::Role { .. })) => true,
        Some((_, Method::Directory)) => false,
        None => account.role.is_some(),
    };
    let grants = if is_by_role { "role" } else { "directory" };
    if is_by_role || !account.added.is_empty() {
        parts.push(format!("grants = {}", quoted(grants)));
    }
    if let Some((role, policies)) = &account.role {
        if role.as_str() != ROLE || !is_by_role {
            parts.push(format!("role = {}", quoted(role.as_str())));
        }
        if policies.as_slice() != [ROLE_POLICY] {
            let all: Vec<_> = policies.iter().map(|policy| quoted(policy)).collect();
            parts.push(format!("policies = [{}]", all.join(", ")));
        }
    }
    let regions: Vec<_> = account.added.iter().map(|(region, _)| quoted(region.as_str())).collect();
    if (is_by_role || !account.added.is_empty()) && regions != [quoted(HOME)] {
        parts.push(format!("regions = [{}]", regions.join(", ")));
    }
    parts
}

fn keeps(spec: &crossvault_handlers::api::RetentionSpec) -> Vec<String> {
    let numbers = [
        ("days", spec.days),
        ("daily", spec.daily),
        ("weekly", spec.weekly),
        ("monthly", spec.monthly),
        ("yearly", spec.yearly),
    ];
    let told = numbers.into_iter().filter_map(|(name, days)| Some(format!("{name} = {}", days?)));
    told.chain(spec.keep_latest.then(|| "latest = true".to_owned())).collect()
}

/// A list with a line for each; nothing when there is none.
fn list<T>(name: &str, all: &[T], line: impl Fn(u32, &T) -> (String, String)) -> Vec<String> {
    if all.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![String::new(), format!("{name} = [")];
    for (n, one) in (0_u32..).zip(all) {
        let (text, comment) = line(n, one);
        let comment = if comment.is_empty() { comment } else { format!(" # {comment}") };
        lines.push(format!("  {text},{comment}"));
    }
    lines.push("]".to_owned());
    lines
}

fn expect(expect: &Expect) -> Vec<String> {
    let lists = [
        ("jobs", &expect.jobs),
        ("points", &expect.points),
        ("refused", &expect.refused),
        ("alerts", &expect.alerts),
    ];
    let mut lines = Vec::new();
    for (name, all) in lists {
        match all {
            None => {}
            Some(all) if all.is_empty() => lines.push(format!("expect.{name} = []")),
            Some(all) => {
                lines.push(format!("expect.{name} = ["));
                lines.extend(all.iter().map(|one| format!("  {},", quoted(one))));
                lines.push("]".to_owned());
            }
        }
    }
    if let Some(violation) = &expect.violation {
        lines.push(format!("expect.violation = {}", quoted(violation)));
    }
    if !lines.is_empty() {
        lines.insert(0, String::new());
    }
    lines
}

/// What deviations are about, as a run of them shows.
#[derive(Default)]
struct Told {
    places: Places,
    jobs: BTreeMap<String, String>,
}

impl Told {
    /// A deviation as it is read, and the job that it is about.
    fn fault(&self, key: Key, option: u8) -> (String, String) {
        let Key { of, call, what } = key;
        let mut parts = Vec::new();
        let mut job = None;
        match self.places.place(of) {
            Some(Place { kind, subject, nth }) => {
                let on =
                    if subject.is_empty() { kind.clone() } else { format!("{kind} {subject}") };
                parts.push(format!("on = {}", quoted(&on)));
                if *nth != 1 {
                    parts.push(format!("nth = {nth}"));
                }
                job = self.jobs.get(subject);
            }
            None => parts.push(format!("on = \"#{:016x}\"", of.0)),
        }
        if what == What::Fault {
            parts.push(format!("call = {call}"));
        }
        parts.push(format!("is = {}", quoted(word(what, option))));
        (format!("{{ {} }}", parts.join(", ")), job.cloned().unwrap_or_default())
    }
}

/// Runs the scenario to learn what its deviations are about.
fn told(scenario: &Scenario, names: &Names) -> Told {
    let mut told = Told::default();
    if scenario.deviations.0.is_empty() {
        return told;
    }
    let Ok(stage) = scenario.stage() else { return told };
    let mut run = scenario.run(&stage, Replay(scenario.deviations.clone()), Places::default());
    run.run();
    for (_, row) in run.cloud.rows.all() {
        if let Record::Job(job) = &row.record {
            told.jobs.insert(job.id.to_string(), job_name(names, &run.cloud, &job.work));
        }
    }
    told.places = run.watch;
    told
}
