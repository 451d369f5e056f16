//! What a decision costs, beside `cedar-policy` in the same run; each number has its goal.
//!
//! `cargo bench -p crossvault-benches --bench policy`; with `-- --quick` it takes half a minute.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a bench is no test to clippy, and ends like one"
)]

mod cedar;
mod documents;
mod inclusion;
mod table;

use std::hint::black_box;

use criterion::Criterion;
use crossvault_core::policy::{
    ActionId, Compiled, CompiledLayers, Context, Layers, Policy, PolicyKind, Request, Verdict,
    evaluate, system_policy,
};

use self::{
    documents::{INSTANCE, KNOWN, Style, circumstances, documents, needed, not_granted},
    table::Table,
};

fn main() {
    let mut table = Table::new(Criterion::default().configure_from_args());
    role_policy(&mut table);
    other_policies(&mut table);
    layers(&mut table);
    check_permissions(&mut table);
    globs(&mut table);
    inclusion::inclusion(&mut table);
    table.print();
}

/// Reads documents of the benchmark.
fn read(texts: &[String]) -> Vec<Policy> {
    texts.iter().map(|text| Policy::parse(text, PolicyKind::System).unwrap()).collect()
}

fn role() -> &'static Policy {
    system_policy("AliyunHBRRolePolicy").unwrap()
}

/// `AliyunHBRRolePolicy` over its 99 actions and 20 others.
fn role_policy(table: &mut Table) {
    let known = &*KNOWN;
    let actions: Vec<&str> = needed().into_iter().chain(not_granted()).collect();
    let ids: Vec<ActionId> = actions.iter().map(|action| known.id(action).unwrap()).collect();
    let compiled = Compiled::of(known, &[role()]);
    let none = Context::default();

    let cedar = cedar::Cedar::of(role(), &actions);
    for (number, action) in actions.iter().enumerate() {
        let verdict = compiled.evaluate(&Request::new(action, INSTANCE));
        assert_eq!(verdict, evaluate(&[role()], &Request::new(action, INSTANCE)));
        assert_eq!(verdict.is_allow(), number < 99, "{action}");
        assert_eq!(verdict.is_allow(), cedar.decides(number), "{action}");
    }

    let by_id = |n: usize| compiled.evaluate_known(ids[n], INSTANCE, &none);
    let by_text = |n: usize| compiled.evaluate(&Request::new(actions[n], INSTANCE));
    table.no_allocation("role policy, 119 decisions by id", || each(119, by_id));
    table.no_allocation("role policy, 119 decisions by texts", || each(119, by_text));
    table.decision("role policy, by id", 10_000, 119, by_id);
    let ours = table.decision("role policy, by texts", 30_000, 119, by_text);
    let theirs = table.decision("the same by cedar-policy", u64::MAX, 119, |n| cedar.decides(n));
    table.ratio("cedar-policy to ours by texts", theirs, ours, 1_000);
    table.decision("an action that is not known, by texts", u64::MAX, 1, |_| {
        compiled.evaluate(&Request::new("new:DescribeThings", INSTANCE))
    });
    table.decision("the reference evaluator", u64::MAX, 119, |n| {
        evaluate(&[role()], &Request::new(actions[n], INSTANCE))
    });
    table.decision("an action's number by its name", u64::MAX, 119, |n| known.id(actions[n]));
}

/// Policies with what the role policy lacks, small and large.
fn other_policies(table: &mut Table) {
    let known = &*KNOWN;
    let context = circumstances();
    let names: Vec<&str> = known.ids().map(|id| known.name(id).unwrap()).collect();
    for (style, name) in [
        (Style { wildcards: false, conditions: false, denies: 0 }, "plain"),
        (Style { wildcards: true, conditions: true, denies: 25 }, "wildcards, conditions, denies"),
    ] {
        let mut costs = Vec::new();
        for (policies, statements) in [(1, 12), (50, 20)] {
            let documents = read(&documents(policies, statements, style));
            let documents: Vec<&Policy> = documents.iter().collect();
            let compiled = Compiled::of(known, &documents);
            let ask =
                |n: usize| compiled.evaluate(&Request::new(names[n], INSTANCE).within(&context));
            for (n, action) in names.iter().enumerate() {
                let request = Request::new(action, INSTANCE).within(&context);
                assert_eq!(ask(n), evaluate(&documents, &request));
            }
            let name = format!("{policies} x {statements}, {name}");
            table.no_allocation(&name, || each(names.len(), ask));
            let goal = if policies == 1 { 80_000 } else { u64::MAX };
            costs.push(table.decision(&name, goal, names.len(), ask));
            table.work(&format!("{name}: compile"), u64::MAX, || Compiled::of(known, &documents));
        }
        table.at_most_times(&format!("50 x 20 to 1 x 12, {name}"), costs[1], costs[0], 2);
    }
}

/// Two levels of control policies, a session policy, the role's.
fn layers(table: &mut Table) {
    let known = &*KNOWN;
    let full = system_policy("FullAliyunAccess").unwrap();
    let layers = Layers {
        control: vec![vec![full], vec![full]],
        session: Some(role()),
        identity: vec![role()],
    };
    let compiled = CompiledLayers::of(known, &layers);
    let actions = needed();
    let ask = |n: usize| compiled.decide(&Request::new(actions[n], INSTANCE));
    table.no_allocation("four layers", || each(actions.len(), ask));
    table.decision("four layers, by texts", u64::MAX, actions.len(), ask);
}

/// Check Permissions of a role over all 99 actions.
fn check_permissions(table: &mut Table) {
    let known = &*KNOWN;
    let needed = known.set(needed()).unwrap();
    let none = Context::default();
    let compiled = Compiled::of(known, &[role()]);
    assert_eq!((needed.len(), compiled.missing(&needed, INSTANCE, &none).len()), (99, 0));
    table.work("99 permissions, compiled", 200_000, || compiled.missing(&needed, INSTANCE, &none));
    let check = |policy: &Policy| Compiled::of(known, &[policy]).missing(&needed, INSTANCE, &none);
    table.work("99 permissions, from parsed documents", 15_000_000, || check(role()));
    table.work("99 permissions, from JSON text", 50_000_000, || {
        check(&Policy::parse(role().text(), PolicyKind::Permission).unwrap())
    });
}

/// Patterns that make other matchers slow, in time a byte of the resource's name.
fn globs(table: &mut Table) {
    let known = &*KNOWN;
    let action = needed()[0];
    let none = Context::default();
    let mut glob = |name: &str, pattern: &str, text: &str| {
        let document = format!(
            r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":"{action}","Resource":"acs:oss:::{pattern}"}}]}}"#
        );
        let policies = read(&[document]);
        let compiled = Compiled::of(known, &[&policies[0]]);
        let (id, resource) = (known.id(action).unwrap(), format!("acs:oss:::{text}"));
        assert_eq!(compiled.evaluate_known(id, &resource, &none), Verdict::ImplicitDeny);
        let ask = || compiled.evaluate_known(id, &resource, &none);
        table.no_allocation(name, || each(1, |_| ask()));
        table.bytes(name, text.len(), ask);
    };
    let a = |count: usize| "a".repeat(count);
    glob("*a^32 b* on a^2048", &format!("*{}b*", a(32)), &a(2048));
    glob("*a^1024 b* on a^2048", &format!("*{}b*", a(1024)), &a(2048));
    glob("*a^8192 b* on a^16384", &format!("*{}b*", a(8192)), &a(16384));
    glob("*(?a)^20 b* on a^2048", &format!("*{}b*", "?a".repeat(20)), &a(2048));
    glob("*(?a)^512 b* on a^2048", &format!("*{}b*", "?a".repeat(512)), &a(2048));
    glob("*(?a)^512 b* on a^16384", &format!("*{}b*", "?a".repeat(512)), &a(16384));
    glob("(*a)^20 *b on a^16384", &format!("{}*b", "*a".repeat(20)), &a(16384));
}

/// Asks each question once.
fn each<T>(count: usize, ask: impl Fn(usize) -> T) {
    for n in 0..count {
        black_box(ask(n));
    }
}
