//! What is wrong with a file is told with its place, its field and what would be right.

use crossvault_core::explain::Explain;
use crossvault_simulator::{
    chooser::{Key, Name, What},
    fault::Fault,
    scenario,
};

const GOOD: &str = r#"format = 1
about = "A slot becomes a point."

accounts.vaults = { id = "1000000000000001" }
accounts.payroll = { id = "1000000000000012", grants = "role" }
sources."payroll/nas/fs-1" = { files = 3 }
vaults.main = {}
policies.daily = { vault = "main", schedule = "every 1h from +10m", binds = ["payroll/nas/fs-1"] }

acts = [
  { at = "+1m", by = "payroll", does = "delete-role", name = "hbrcrossrole" },
  { at = "+2m", asks = "back-up", source = "payroll/nas/fs-1", vault = "main" },
]

faults = [
  { on = "outbox", nth = 2, call = 7, is = "crash-after" },
]
"#;

/// Puts one text in the place of another, and asks for exactly this mistake.
#[track_caller]
fn check(right: &str, wrong: &str, code: &str, says: &str, remedy: &str) {
    assert!(GOOD.contains(right), "{right}");
    let error = scenario::read(&GOOD.replacen(right, wrong, 1)).unwrap_err();
    assert_eq!((error.code(), error.to_string().as_str()), (code, says));
    assert_eq!(error.remedy(), remedy);
}

#[test]
fn the_file_without_a_mistake_is_read() {
    let read = scenario::read(GOOD).unwrap();
    assert_eq!(read.acts.iter().map(|act| act.id).collect::<Vec<_>>(), [1, 2]);
    let key = Key { of: Name::of("outbox", "", 2), call: 7, what: What::Fault };
    assert_eq!(read.deviations.0, [(key, Fault::CrashAfter as u8)].into());
}

#[test]
fn formats_are_refused_by_name() {
    check(
        "format = 1",
        "format = 0",
        "SCENARIO_FORMAT_OLD",
        "line 1, column 10: `format` is 0: there is none before 1",
        "Write `format = 1`.",
    );
    check(
        "format = 1",
        "format = 2",
        "SCENARIO_FORMAT_NEW",
        "line 1, column 10: `format` is 2: this version reads up to 1",
        "Read it with the version that wrote it.",
    );
    check(
        "format = 1\n",
        "",
        "SCENARIO_FIELD_MISSING",
        "line 1, column 1: `format` is missing",
        "Add `format`: 1 for this version.",
    );
    let error =
        scenario::read(&GOOD.replacen("vaults.main = {}", "vaults.main = ", 1)).unwrap_err();
    assert_eq!((error.code(), error.line), ("SCENARIO_SYNTAX", 7), "{error}");
}

#[test]
fn fields_are_named() {
    check(
        "about =",
        "abuot =",
        "SCENARIO_FIELD_UNKNOWN",
        "line 2, column 1: `abuot` means nothing here",
        "Allowed here: about, accounts, acts, before, expect, faults, format, policies, settings, \
         sources, start, vaults.",
    );
    check(
        r#"id = "1000000000000012""#,
        r#"id = "12""#,
        "SCENARIO_VALUE_INVALID",
        "line 5, column 27: `accounts.payroll.id` is `12`, not an account id (12 to 16 digits)",
        "Give an account id (12 to 16 digits).",
    );
    check(
        r#"id = "1000000000000012""#,
        r#"id = "1000000000000001""#,
        "SCENARIO_NAME_TWICE",
        "line 5, column 20: `accounts.payroll.id` is `1000000000000001`, as another one is already",
        "Give it another one.",
    );
    check(
        r#"grants = "role""#,
        r#"grants = "trust""#,
        "SCENARIO_VALUE_INVALID",
        "line 5, column 56: `accounts.payroll.grants` is `trust`, not one of `role`, `directory`",
        "Give one of `role`, `directory`.",
    );
    check(
        "accounts.vaults =",
        "accounts.vault =",
        "SCENARIO_FIELD_MISSING",
        "line 1, column 1: `accounts.vaults` is missing",
        "Add `accounts.vaults`: the backup management account, such as \
         `{ id = \"1000000000000001\" }`.",
    );
    check(
        "files = 3",
        "files = -3",
        "SCENARIO_VALUE_INVALID",
        "line 6, column 40: `sources.payroll/nas/fs-1.files` is -3, not a number that fits",
        "Give a number that fits.",
    );
    check(
        "every 1h from +10m",
        "hourly",
        "SCENARIO_VALUE_INVALID",
        "line 8, column 47: `policies.daily.schedule` is `hourly`, not a schedule, such as \
         `every 1h from +10m` or `C|0|0 2 * * *`",
        "Give a schedule, such as `every 1h from +10m` or `C|0|0 2 * * *`.",
    );
}

#[test]
fn acts_are_checked_word_by_word() {
    check(
        r#"at = "+1m""#,
        r#"at = "soon""#,
        "SCENARIO_VALUE_INVALID",
        "line 11, column 10: `acts[1].at` is `soon`, not a time from the start on, such as \
         `+1h10m` or `-30s`",
        "Give a time from the start on, such as `+1h10m` or `-30s`.",
    );
    check(
        r#"by = "payroll""#,
        r#"by = "payrol""#,
        "SCENARIO_ACCOUNT_UNKNOWN",
        "line 11, column 22: `acts[1].by` names `payrol`, which is no account of this scenario",
        "Add it to `accounts`, or name one of: payroll, vaults.",
    );
    check(
        r#"source = "payroll/nas/fs-1""#,
        r#"source = "payroll/nfs/fs-1""#,
        "SCENARIO_VALUE_INVALID",
        "line 12, column 44: `acts[2].source` is `payroll/nfs/fs-1`, not a source, such as \
         `payroll/nas/fs-1`",
        "Give a source, such as `payroll/nas/fs-1`.",
    );
    check(
        r#"does = "delete-role", name"#,
        r#"does = "delete-role", role"#,
        "SCENARIO_FIELD_MISSING",
        "line 11, column 3: `acts[1].name` is missing",
        "Add `acts[1].name`: what it is done with.",
    );
    check(
        r#"vault = "main" },"#,
        r#"volt = "main" },"#,
        "SCENARIO_FIELD_UNKNOWN",
        "line 12, column 3: `acts[2].volt` means nothing here",
        "Allowed here: policy, source, vault.",
    );
    check(
        r#"asks = "back-up""#,
        r#"begs = "back-up""#,
        "SCENARIO_FIELD_MISSING",
        "line 12, column 3: `acts[2].does` is missing",
        "Add `acts[2].does`: or one of `does`, `asks`, `opens`, `edits`, `restores`, `cancels`, \
         `deletes`, `runs`.",
    );
    let error = scenario::read(&GOOD.replacen("delete-role", "remove-role", 1)).unwrap_err();
    assert!(error.to_string().contains("is `remove-role`, not one of"), "{error}");
    assert!(error.remedy().contains("`delete-role`"), "{}", error.remedy());
}

#[test]
fn faults_are_checked() {
    check(
        r#"on = "outbox""#,
        r#"on = "inbox""#,
        "SCENARIO_VALUE_INVALID",
        "line 16, column 10: `faults[1].on` is `inbox`, not a function or `delivery` with its \
         subject, such as `job job-0123456789abcdef0123`, `outbox`, `delivery job-…` or `stream`",
        "Give a function or `delivery` with its subject, such as `job job-0123456789abcdef0123`, \
         `outbox`, `delivery job-…` or `stream`.",
    );
    check(
        "call = 7, ",
        "",
        "SCENARIO_FIELD_MISSING",
        "line 16, column 3: `faults[1].call` is missing",
        "Add `faults[1].call`: the number of the call, from 0.",
    );
    check(
        "crash-after",
        "lost",
        "SCENARIO_FIELD_UNKNOWN",
        "line 16, column 29: `faults[1].call` means nothing here",
        "Allowed here: is, nth, on.",
    );
    let error = scenario::read(&GOOD.replacen("crash-after", "crash", 1)).unwrap_err();
    assert!(error.to_string().contains("`faults[1].is` is `crash`, not one of"), "{error}");
    assert!(error.remedy().contains("`crash-before`, `crash-after`"), "{}", error.remedy());
}
