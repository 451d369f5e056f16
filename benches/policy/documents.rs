//! What is decided: actions, policies, circumstances.

use std::sync::LazyLock;

use crossvault_core::policy::{ActionPattern, Actions, Context, Policy, Vocabulary, system_policy};

/// The resource that requests name.
pub const INSTANCE: &str = "acs:ecs:cn-hangzhou:1000000000000012:instance/i-bp1b2c3d";

fn role() -> &'static Policy {
    system_policy("AliyunHBRRolePolicy").unwrap()
}

/// The actions that are known: those of the product, and a few that it has nothing to do with.
pub static KNOWN: LazyLock<Vocabulary> = LazyLock::new(|| {
    let product = Vocabulary::product();
    let names = product.ids().filter_map(|id| product.name(id));
    Vocabulary::of(names.chain(["hbr:CreateVault", "oss:DeleteObject", "ram:DeleteRole"]))
});

/// The 99 actions of `AliyunHBRRolePolicy`.
pub fn needed() -> Vec<&'static str> {
    let statements = role().statements().iter();
    let patterns = statements.flat_map(|statement| {
        let (Actions::Only(patterns) | Actions::AllBut(patterns)) = &statement.actions;
        patterns
    });
    patterns.map(ActionPattern::as_str).collect()
}

/// Actions that it does not grant: 20.
pub fn not_granted() -> Vec<&'static str> {
    let known = &*KNOWN;
    let granted = known.set(needed()).unwrap();
    let others = known.ids().filter(|id| !granted.contains(*id));
    let others: Vec<&str> = others.filter_map(|id| known.name(id)).take(20).collect();
    assert_eq!(others.len(), 20);
    others
}

/// What policies are made of, beside plain statements.
#[derive(Clone, Copy)]
pub struct Style {
    pub wildcards: bool,
    pub conditions: bool,
    /// How many percent of the statements deny.
    pub denies: usize,
}

/// So many documents of so many statements, the same in each run.
pub fn documents(policies: usize, statements: usize, style: Style) -> Vec<String> {
    let mut dice = Dice(1);
    (0..policies)
        .map(|_| {
            let all: Vec<String> = (0..statements).map(|_| statement(style, &mut dice)).collect();
            format!(r#"{{"Version":"1","Statement":[{}]}}"#, all.join(","))
        })
        .collect()
}

fn statement(style: Style, dice: &mut Dice) -> String {
    let known = needed();
    let mut action = || {
        let name = known[dice.below(known.len())];
        let (service, verb) = name.split_once(':').unwrap();
        let end = verb.char_indices().skip(1).find(|(_, c)| c.is_uppercase());
        match dice.below(4) {
            0 if style.wildcards => format!("{service}:{}*", &verb[..end.unwrap().0]),
            1 if style.wildcards => format!("*:{verb}"),
            _ => name.to_owned(),
        }
    };
    let actions: Vec<String> = (0..4).map(|_| format!("\"{}\"", action())).collect();
    let resource = match dice.below(8) {
        _ if !style.wildcards => "*".to_owned(),
        0 => "*".to_owned(),
        1 => "acs:ecs:*:*:instance/*".to_owned(),
        2 => "acs:ecs:cn-*:1000000000000012:instance/i-bp1*".to_owned(),
        3 => "acs:*:*:1000000000000012:*".to_owned(),
        4 => "acs:ecs:*:*:*/i-?p1*d".to_owned(),
        _ => format!("acs:oss:*:*:bucket-{}/*", dice.below(100)),
    };
    let condition = match dice.below(8) {
        _ if !style.conditions => "",
        0 => r#""IpAddress":{"acs:SourceIp":["10.0.0.0/8","192.168.0.0/16"]}"#,
        1 => r#""DateLessThan":{"acs:CurrentTime":"2030-01-01T00:00:00Z"}"#,
        2 => {
            r#""StringLike":{"acs:ResourceTag/env":["prod*","stage-?"]},"Bool":{"acs:SecureTransport":"true"}"#
        }
        3 => {
            r#""NotIpAddress":{"acs:SourceIp":"172.16.0.0/12"},"NumericLessThan":{"ecs:Age":"30"}"#
        }
        _ => "",
    };
    let effect = if dice.below(100) < style.denies { "Deny" } else { "Allow" };
    format!(
        r#"{{"Effect":"{effect}","Action":[{}],"Resource":"{resource}","Condition":{{{condition}}}}}"#,
        actions.join(",")
    )
}

/// The circumstances of requests to those policies.
pub fn circumstances() -> Context {
    Context::default()
        .with("acs:SourceIp", "172.17.3.4")
        .with("acs:CurrentTime", "2026-11-23T12:00:00Z")
        .with("acs:SecureTransport", "true")
        .with("acs:ResourceTag/env", "production")
        .with("ecs:Age", "7")
}

/// Numbers that look thrown, the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}
