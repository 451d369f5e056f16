//! Reading a scenario.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    grant::Method,
    ids::{Region, RoleName},
};
use crossvault_handlers::api::{PolicySpec, RetentionSpec};

use super::{
    BEFORE, Expect, FORMAT, HOME, MANAGEMENT, Names, ROLE, ROLE_POLICY, START, Scenario,
    fault::{self, On},
    setup::{Account, Directory, Policy, Setup},
    table::{Field, Read, Table, parse},
    time,
    words::{ACCOUNT, Words, size},
    wrong::{Mistake, Wrong},
};
use crate::{chooser::Deviations, run::Settings, script::Act};

/// How an account grants, as it is written.
const GRANTS: [(&str, bool); 2] = [("role", true), ("directory", false)];

const DIRECTORY: [(&str, Directory); 3] = [
    ("manages", Directory::Manages),
    ("administers", Directory::Administers),
    ("member", Directory::Member),
];

/// Reads a scenario from its text.
///
/// # Errors
/// [`Wrong`] with what is wrong first, and where.
pub fn read(text: &str) -> Result<Scenario, Wrong> {
    let document = parse(text)?;
    let mut root = Table::root(text, &document);
    format(&mut root)?;
    let about = root.get("about").map(|field| field.text().map(str::to_owned)).transpose()?;
    let start = root.get("start").map(|field| moment(&field)).transpose()?;
    let start =
        start.unwrap_or_else(|| DateTime::<Utc>::from_timestamp(START, 0).unwrap_or_default());
    let settings = root.get("settings").map(|field| settings(&field)).transpose()?;
    let (names, accounts) = accounts(&mut root)?;
    let Some(management) = accounts.first().map(|account| account.id.clone()) else {
        let expected = "the backup management account, such as `{ id = \"1000000000000001\" }`";
        return Err(root.missing(&format!("accounts.{MANAGEMENT}"), expected));
    };
    let words = Words { names: &names, start, management: management.clone() };
    let setup = Setup {
        accounts,
        sources: sources(&words, &mut root)?,
        vaults: vaults(&mut root)?,
        policies: policies(&words, &mut root)?,
    };
    let mut before = setup.acts(&management, start);
    let mut ids = before.iter().map(|act| act.id).collect();
    before.extend(acts(&words, root.tables("before")?, BEFORE, &mut ids)?);
    let acts = acts(&words, root.tables("acts")?, 1, &mut ids)?;
    let deviations = deviations(root.tables("faults")?)?;
    let expect = root.get("expect").map(|field| expect(&field)).transpose()?;
    root.finish()?;
    Ok(Scenario {
        about: about.unwrap_or_default(),
        management,
        start,
        settings: settings.unwrap_or_default(),
        before: before.into(),
        acts: acts.into(),
        deviations,
        expect: expect.unwrap_or_default(),
    })
}

/// Which format it has. What an older one says would be brought to this one's form here.
fn format(root: &mut Table<'_>) -> Read<()> {
    let field = root.need("format", &format!("{FORMAT} for this version"))?;
    match field.number::<i64>()? {
        FORMAT => Ok(()),
        older if older < FORMAT => Err(field.wrong(Mistake::FormatOld(older))),
        newer => Err(field.wrong(Mistake::FormatNew(newer))),
    }
}

fn moment(field: &Field<'_>) -> Read<DateTime<Utc>> {
    let at = DateTime::parse_from_rfc3339(field.text()?);
    at.map(|at| at.to_utc()).map_err(|_| field.not("a time, such as `2026-03-02T12:00:00Z`"))
}

fn length(field: &Field<'_>) -> Read<TimeDelta> {
    time::length(field.text()?).ok_or_else(|| field.not(time::LENGTH))
}

fn settings(field: &Field<'_>) -> Read<Settings> {
    let mut table = field.table()?;
    let mut settings = Settings::default();
    let pace = &mut settings.limits.pace;
    let lengths: [(&str, &mut TimeDelta); 5] = [
        ("pulse", &mut pace.pulse),
        ("step", &mut pace.step),
        ("time", &mut settings.limits.time),
        ("storm", &mut settings.storm),
        ("bound", &mut settings.bound),
    ];
    for (key, place) in lengths {
        if let Some(field) = table.get(key) {
            *place = length(&field)?;
        }
    }
    if let Some(field) = table.get("turns") {
        settings.limits.pace.turns = field.number()?;
    }
    if let Some(field) = table.get("workers") {
        settings.workers = field.number()?;
    }
    if let Some(field) = table.get("daily") {
        settings.is_daily = field.boolean()?;
    }
    table.finish()?;
    Ok(settings)
}

/// The accounts, the backup management account first.
fn accounts(root: &mut Table<'_>) -> Read<(Names, Vec<Account>)> {
    let mut names = Names::default();
    let mut accounts = Vec::new();
    for (name, field) in root.table("accounts")? {
        let account = account(name, field.table()?)?;
        if !names.add(name, &account.id) {
            return Err(field.table()?.place().twice("id", account.id.as_str()));
        }
        let place = if name == MANAGEMENT { 0 } else { accounts.len() };
        accounts.insert(place, account);
    }
    let is_led = accounts.first().is_some_and(|first: &Account| first.name == MANAGEMENT);
    Ok((names, if is_led { accounts } else { Vec::new() }))
}

fn account(name: &str, mut table: Table<'_>) -> Read<Account> {
    let id = table.need("id", ACCOUNT)?.id()?;
    let directory = table.get("directory").map(|field| field.one_of(&DIRECTORY)).transpose()?;
    let grants = table.get("grants").map(|field| field.one_of(&GRANTS)).transpose()?;
    let role: Option<RoleName> = table.get("role").map(|field| field.id()).transpose()?;
    let role = match role {
        Some(role) => Some(role),
        None if grants == Some(true) => ROLE.parse().ok(),
        None => None,
    };
    let policies = match (&role, table.get("policies")) {
        (Some(_), Some(field)) => field.texts()?,
        (Some(_), None) => vec![ROLE_POLICY.to_owned()],
        (None, Some(field)) => return Err(Table::unknown(&field, vec!["role".to_owned()])),
        (None, None) => Vec::new(),
    };
    let method = grants.map(|is_role| match &role {
        Some(name) if is_role => Method::Role { name: name.clone() },
        _ => Method::Directory,
    });
    let regions = match (&method, table.get("regions")) {
        (Some(_), Some(field)) => {
            field.list()?.iter().map(Field::id).collect::<Read<Vec<Region>>>()?
        }
        (Some(_), None) => HOME.parse().into_iter().collect(),
        (None, Some(field)) => return Err(Table::unknown(&field, vec!["grants".to_owned()])),
        (None, None) => Vec::new(),
    };
    table.finish()?;
    let added = |region| Some((region, method.clone()?));
    Ok(Account {
        name: name.to_owned(),
        id,
        directory,
        role: role.map(|role| (role, policies)),
        added: regions.into_iter().filter_map(added).collect(),
    })
}

fn sources(
    words: &Words<'_>,
    root: &mut Table<'_>,
) -> Read<Vec<(crossvault_core::ids::DataSource, crate::cloud::Size)>> {
    let one = |(name, field): (&str, Field<'_>)| {
        let source = words.source_of(name, &field)?;
        let mut table = field.table()?;
        let size = size(&mut table)?;
        table.finish()?;
        Ok((source, size))
    };
    root.table("sources")?.into_iter().map(one).collect()
}

fn vaults(root: &mut Table<'_>) -> Read<Vec<(String, Region)>> {
    let home: Option<Region> = HOME.parse().ok();
    let mut vaults = Vec::new();
    for (name, field) in root.table("vaults")? {
        let mut table = field.table()?;
        let region = table.get("region").map(|field| field.id()).transpose()?;
        table.finish()?;
        vaults.extend(region.or_else(|| home.clone()).map(|region| (name.to_owned(), region)));
    }
    Ok(vaults)
}

fn policies(words: &Words<'_>, root: &mut Table<'_>) -> Read<Vec<Policy>> {
    let one = |(name, field): (&str, Field<'_>)| {
        let mut table = field.table()?;
        let vault = table.need("vault", "the name of a vault")?.text()?.to_owned();
        let schedule = words.schedule(&table.need("schedule", "when it is due")?)?;
        let zone = table.get("zone").map(|field| field.text().map(str::to_owned)).transpose()?;
        let keeps = table.get("keeps").map(|field| keeps(&field)).transpose()?;
        let binds = table.get("binds").map_or(Ok(Vec::new()), |field| field.list())?;
        let binds = binds.iter().map(|field| words.source(field)).collect::<Read<_>>()?;
        table.finish()?;
        let spec = PolicySpec {
            name: name.to_owned(),
            vault,
            schedule,
            zone: zone.unwrap_or_else(|| "UTC".to_owned()),
            retention: keeps.unwrap_or_default(),
        };
        Ok(Policy { spec, binds })
    };
    root.table("policies")?.into_iter().map(one).collect()
}

fn keeps(field: &Field<'_>) -> Read<RetentionSpec> {
    let mut table = field.table()?;
    let mut spec = RetentionSpec::default();
    let places = [
        ("days", &mut spec.days),
        ("daily", &mut spec.daily),
        ("weekly", &mut spec.weekly),
        ("monthly", &mut spec.monthly),
        ("yearly", &mut spec.yearly),
    ];
    for (key, place) in places {
        *place = table.get(key).map(|field| field.number()).transpose()?;
    }
    if let Some(field) = table.get("latest") {
        spec.keep_latest = field.boolean()?;
    }
    table.finish()?;
    Ok(spec)
}

/// Acts, numbered from the first one's number on where they don't say otherwise.
fn acts(
    words: &Words<'_>,
    tables: Vec<Table<'_>>,
    first: u32,
    ids: &mut BTreeSet<u32>,
) -> Read<Vec<Act>> {
    let act = |(n, table): (u32, Table<'_>)| {
        let place = table.place();
        let act = words.act(n, table)?;
        if ids.insert(act.id) { Ok(act) } else { Err(place.twice("id", &act.id.to_string())) }
    };
    (first..).zip(tables).map(act).collect()
}

fn deviations(tables: Vec<Table<'_>>) -> Read<Deviations> {
    let mut deviations = Deviations::default();
    for mut table in tables {
        let on = table.need("on", fault::ON)?;
        let name = On::parse(on.text()?).ok_or_else(|| on.not(fault::ON))?;
        let is = table.need("is", "what happens")?;
        let (what, option) = fault::of(is.text()?).ok_or_else(|| is.not(&fault::all()))?;
        let nth = table.get("nth").map(|field| field.number()).transpose()?.unwrap_or(1);
        let call = match what {
            crate::chooser::What::Fault => {
                table.need("call", "the number of the call, from 0")?.number()?
            }
            _ => 0,
        };
        table.finish()?;
        let key = crate::chooser::Key { of: name.name(nth), call, what };
        deviations.0.insert(key, option);
    }
    Ok(deviations)
}

fn expect(field: &Field<'_>) -> Read<Expect> {
    let mut table = field.table()?;
    let lines = |table: &mut Table<'_>, key| -> Read<Option<Vec<String>>> {
        table.get(key).map(|field| field.texts()).transpose()
    };
    let expect = Expect {
        jobs: lines(&mut table, "jobs")?,
        points: lines(&mut table, "points")?,
        refused: lines(&mut table, "refused")?,
        alerts: lines(&mut table, "alerts")?,
        violation: table.get("violation").map(|one| one.text().map(str::to_owned)).transpose()?,
    };
    table.finish()?;
    Ok(expect)
}

/// The word for how an account stands to the directory.
pub(super) fn directory_word(directory: Directory) -> &'static str {
    DIRECTORY.iter().find(|(_, one)| *one == directory).map_or("", |(word, _)| word)
}
