//! What "permits no more than" costs; each answer is looked at before it is measured.

use crossvault_core::policy::{Inclusion, Policy, permits_no_more, system_policy};

use crate::{
    documents::{Style, documents},
    read, role,
    table::Table,
};

/// One millisecond, in picoseconds.
const MS: u64 = 1_000_000_000;

/// What an answer is to be.
#[derive(Clone, Copy, PartialEq)]
enum Expected {
    Yes,
    No,
    Any,
}

pub fn inclusion(table: &mut Table) {
    role_policy(table);
    large(table, Style { wildcards: false, conditions: false, denies: 0 }, "plain");
    let all = Style { wildcards: true, conditions: true, denies: 25 };
    large(table, all, "wildcards, conditions, denies");
    for length in [4, 8, 16, 32] {
        hard_globs(table, length);
    }
}

/// `AliyunHBRRolePolicy` beside all rights, and beside itself with something cut by hand.
fn role_policy(table: &mut Table) {
    let administrator = system_policy("AdministratorAccess").unwrap();
    let cut = |from: &str, to: &str| {
        let text = role().text().replacen(from, to, 1);
        assert_ne!(text, role().text(), "{from}");
        read(&[text]).remove(0)
    };
    let fewer = cut("\"ecs:CreateSnapshot\",", "");
    let narrower = cut(":instance/*", ":instance/i-bp?*");
    let wider = cut("\"ecs:CreateSnapshot\"", "\"ecs:*Snapshot\"");
    for (name, a, b, expected) in [
        ("role policy in AdministratorAccess", role(), administrator, Expected::Yes),
        ("AdministratorAccess in role policy", administrator, role(), Expected::No),
        ("role policy in itself", role(), role(), Expected::Yes),
        ("an action fewer in role policy", &fewer, role(), Expected::Yes),
        ("role policy in an action fewer", role(), &fewer, Expected::No),
        ("narrower resource in role policy", &narrower, role(), Expected::Yes),
        ("role policy in narrower resource", role(), &narrower, Expected::No),
        ("wider action in role policy", &wider, role(), Expected::No),
        ("role policy in wider action", role(), &wider, Expected::Yes),
    ] {
        measure(table, name, MS, (&[a], &[b]), expected);
    }
}

/// 50 documents of 20 statements, beside themselves, all rights, and themselves without one.
fn large(table: &mut Table, style: Style, name: &str) {
    let documents = read(&documents(50, 20, style));
    let all: Vec<&Policy> = documents.iter().collect();
    let administrator = system_policy("AdministratorAccess").unwrap();
    let without = &all[1..];
    for (what, a, b, expected) in [
        ("in itself", &all[..], &all[..], Expected::Yes),
        ("in AdministratorAccess", &all, &[administrator], Expected::Yes),
        ("in 49 of the 50", &all, without, Expected::Any),
        ("49 of the 50 in it", without, &all, Expected::Any),
    ] {
        measure(table, &format!("50 x 20, {name}: {what}"), 20 * MS, (a, b), expected);
    }
}

/// What grows exponentially: whether a letter stands so far from the end, of each letter.
fn hard_globs(table: &mut Table, length: usize) {
    let policy = |patterns: &[String]| {
        let named: Vec<String> =
            patterns.iter().map(|pattern| format!("\"acs:oss:*:*:{pattern}\"")).collect();
        read(&[format!(
            r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":"oss:GetObject","Resource":[{}]}}]}}"#,
            named.join(",")
        )])
        .remove(0)
    };
    let blur = "?".repeat(length);
    let one = policy(&[format!("*?{blur}")]);
    let others = policy(&["a", "b", "c"].map(|letter| format!("*{letter}{blur}")));
    let name = format!("*?^{} in *a?^{length}, *b?^{length}, *c?^{length}", length + 1);
    measure(table, &name, 1_000 * MS, (&[&one], &[&others]), Expected::No);
    let name = format!("*a?^{length}, *b?^{length}, *c?^{length} in *?^{}", length + 1);
    measure(table, &name, 1_000 * MS, (&[&others], &[&one]), Expected::Yes);
    // The same with a start that only one of three knows: the states of all must be told apart.
    let ends = policy(&["a", "b", "c"].map(|letter| format!("x*{letter}{blur}*y")));
    let mixed = policy(&[format!("x*{blur}?*y"), format!("?*a{blur}*")]);
    let name = format!("x*a?^{length}*y, *b…, *c… in x*?^{}*y, ?*a?^{length}*", length + 1);
    measure(table, &name, 1_000 * MS, (&[&ends], &[&mixed]), Expected::Any);
}

fn measure(
    table: &mut Table,
    name: &str,
    goal: u64,
    (a, b): (&[&Policy], &[&Policy]),
    expected: Expected,
) {
    let answer = permits_no_more(a, b);
    let (found, said) = match &answer {
        Inclusion::Yes => (Expected::Yes, "yes"),
        Inclusion::No(_) => (Expected::No, "no"),
        Inclusion::Unknown(_) => (Expected::Any, "unknown"),
    };
    // Past its budget a proof may say that it does not know, never what is wrong.
    let is_right = found == expected || found == Expected::Any || expected == Expected::Any;
    assert!(is_right, "{name}: {answer:?}");
    table.work(&format!("{name}: {said}"), goal, || permits_no_more(a, b));
}
