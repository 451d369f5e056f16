//! Cases by chance: first the request, then policies of near misses of it.
//!
//! Documents are small, since a second statement that matches hides what the first one does, and
//! the three outcomes come about equally often.

use super::{
    case::{Case, Document, Said, Tested},
    chance::Chance,
    values::{Type, keys, near, pattern, pool},
};
use crate::policy::{ActionPattern, Dialect, Effect, Operator, Vocabulary};

/// The vocabularies that cases are compiled against: what is known must not matter.
pub(super) fn vocabulary(seed: u64) -> Vocabulary {
    match seed % 3 {
        0 => Vocabulary::of([]),
        1 => Vocabulary::of(ACTIONS.iter().copied().filter(|action| action.contains(':'))),
        _ => Vocabulary::of([
            "ecs:DescribeDisks",
            "s3:getobject",
            "z:z",
            "ECS:runCommand",
            "s3:List",
        ]),
    }
}

const ACTIONS: [&str; 11] = [
    "ecs:DescribeDisks",
    "ecs:describeInstances",
    "ECS:RunCommand",
    "oss:GetObject",
    "ram:GetRole",
    "s3:GetObject",
    "s3:ListBucket",
    "x:a",
    "ecs:Describe*",
    "*",
    "",
];

const RESOURCES: [&[&str]; 2] = [
    &[
        "acs:ecs:cn-hangzhou:1000000000000012:instance/i-1",
        "acs:ecs:cn-hangzhou:1000000000000012:instance/i-1:x:y",
        "acs:oss:*:1000000000000012:bucket/dir/é:a",
        "acs:oss:::B/b",
        "acs:ram::1000000000000012:role/HbrRole",
        "acs:ram::1000000000000012:role/Hbr:Role",
        "acs:ram::1000000000000012:user/Bob",
        "acs:oss:a*:b?:c",
        "acs:oss:a",
        "*",
        "",
    ],
    &[
        "arn:aws:s3:::home/bob/x",
        "arn:aws:s3:::home/bob:x:y",
        "arn:aws:s3:::B/漢字",
        "arn:aws:iam::123456789012:role/Admin",
        "arn:aws:iam::123456789012:user/bob",
        "arn:aws:ec2:eu-west-1:123456789012:instance/i-1:a:b",
        "arn:aws:s3:::b*",
        "arn:aws:s3",
        "*",
    ],
];

impl Case {
    /// The case of that seed.
    pub(super) fn of(seed: u64) -> Self {
        let chance = &mut Chance::of(seed);
        let dialect = if chance.percent(55) { Dialect::Ram } else { Dialect::Aws };
        let (version, resources) = match dialect {
            Dialect::Ram => ("1", RESOURCES[0]),
            Dialect::Aws if chance.percent(85) => ("2012-10-17", RESOURCES[1]),
            Dialect::Aws => ("2008-10-17", RESOURCES[1]),
        };
        let mut case = Self {
            dialect,
            version,
            control: Vec::new(),
            session: None,
            identity: Vec::new(),
            action: chance.one_of(&ACTIONS).to_owned(),
            resource: chance.one_of(resources).to_owned(),
            context: context(dialect, chance),
        };
        let level = |case: &Self, chance: &mut Chance| {
            (0..chance.one_of(&[1, 1, 1, 2])).map(|_| case.document(chance)).collect::<Vec<_>>()
        };
        for _ in 0..chance.one_of(&[0, 0, 0, 1, 2]) {
            case.control.push(level(&case, chance));
        }
        case.session = chance.percent(30).then(|| case.document(chance));
        case.identity = level(&case, chance);
        case
    }

    fn document(&self, chance: &mut Chance) -> Document {
        (0..chance.one_of(&[1, 1, 2, 3])).map(|_| self.said(chance)).collect()
    }

    fn said(&self, chance: &mut Chance) -> Said {
        let not_action = chance.percent(12);
        let not_resource = chance.percent(12);
        let some = |one: &dyn Fn(&mut Chance) -> String, chance: &mut Chance| {
            (0..chance.one_of(&[1, 1, 1, 2, 3])).map(|_| one(chance)).collect::<Vec<_>>()
        };
        let mut said = Said {
            effect: if chance.percent(72) { Effect::Allow } else { Effect::Deny },
            not_action,
            actions: some(&|chance| self.action_near(chance, not_action), chance),
            not_resource,
            resources: some(&|chance| self.resource_near(chance, not_resource), chance),
            conditions: Vec::new(),
        };
        for _ in 0..chance.one_of(&[0, 0, 1, 1, 2]) {
            let tested = self.tested(chance);
            // No document may say the same twice.
            let operator = |tested: &Tested| Operator::named(self.dialect, &tested.operator);
            let is_again = said.conditions.iter().any(|other| {
                operator(other) == operator(&tested) && other.key.eq_ignore_ascii_case(&tested.key)
            });
            if !is_again {
                said.conditions.push(tested);
            }
        }
        said
    }

    fn action_near(&self, chance: &mut Chance, elsewhere: bool) -> String {
        let other = chance.one_of(&["ecs:*", "*", "oss:GetObject", "ecs:Describe*", "*:*", "z:z"]);
        if chance.percent(if elsewhere { 60 } else { 15 }) {
            return other.to_owned();
        }
        let text = pattern(&self.action, chance);
        ActionPattern::parse(&text).map_or("*".to_owned(), |_| text)
    }

    fn resource_near(&self, chance: &mut Chance, elsewhere: bool) -> String {
        let text = match chance.below(if elsewhere { 12 } else { 8 }) {
            0 | 1 => "*".to_owned(),
            // As one text: stars may swallow colons.
            2 | 3 => pattern(&self.resource, chance),
            4 => self.with_a_swallowed_colon(chance),
            5..=7 => {
                let parts = self.resource.split(':').map(|part| {
                    if chance.percent(70) { part.to_owned() } else { pattern(part, chance) }
                });
                parts.collect::<Vec<_>>().join(":")
            }
            _ => format!("{}:*:*:*:else*", self.dialect.resource_prefix()),
        };
        let text = if chance.percent(20) { Self::with_variable(&text, chance) } else { text };
        if self.is_resource(&text) { text } else { "*".to_owned() }
    }

    /// The resource with a `*` from within one part to within a later one.
    fn with_a_swallowed_colon(&self, chance: &mut Chance) -> String {
        let colons: Vec<usize> = self.resource.match_indices(':').map(|(at, _)| at).collect();
        let Some(colon) = colons.get(chance.below(colons.len())) else { return "*".to_owned() };
        let (before, after) = (&self.resource[..*colon], &self.resource[colon + 1..]);
        let kept = before.rfind(':').map_or(0, |at| at + 1 + chance.below(before.len() - at));
        let rest = after.find([':', '/']).unwrap_or(0);
        let fits = before.is_char_boundary(kept);
        format!("{}*{}", if fits { &before[..kept] } else { before }, &after[rest..])
    }

    /// The text with a variable in place of what the request has of it.
    fn with_variable(text: &str, chance: &mut Chance) -> String {
        let variable = chance.one_of(&[
            "${aws:username}",
            "${AWS:UserName}",
            "${aws:username, 'bob'}",
            "${s3:prefix}",
            "${x:absent, 'bob'}",
            "${x:absent}",
            "${*}",
        ]);
        let places = ["bob", "*", "b*", "Admin"];
        text.replacen(places[chance.below(places.len())], variable, 1)
    }

    fn tested(&self, chance: &mut Chance) -> Tested {
        let (key, of) = chance.one_of(keys(self.dialect));
        let operators: &[&str] = match of {
            Type::Text => &[
                "StringEquals",
                "StringNotEquals",
                "StringEqualsIgnoreCase",
                "StringNotEqualsIgnoreCase",
                "StringLike",
                "StringLike",
                "StringNotLike",
            ],
            Type::Number => &[
                "NumericEquals",
                "NumericNotEquals",
                "NumericLessThan",
                "NumericLessThanEquals",
                "NumericGreaterThan",
                "NumericGreaterThanEquals",
            ],
            Type::Date => &[
                "DateEquals",
                "DateNotEquals",
                "DateLessThan",
                "DateLessThanEquals",
                "DateGreaterThan",
                "DateGreaterThanEquals",
            ],
            Type::Bool => &["Bool"],
            Type::Address => &["IpAddress", "IpAddress", "NotIpAddress"],
            Type::Name => &["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"],
            Type::Bytes => &["BinaryEquals"],
        };
        let mut operator = chance.one_of(operators).to_owned();
        if self.dialect == Dialect::Aws {
            if chance.percent(10) {
                let values = vec![chance.one_of(&["true", "false"]).to_owned()];
                return Tested { operator: "Null".to_owned(), key: key.to_owned(), values };
            }
            if chance.percent(25) {
                operator.insert_str(0, chance.one_of(&["ForAnyValue:", "ForAllValues:"]));
            }
            if chance.percent(20) {
                operator.push_str("IfExists");
            }
        }
        let given = self.given(key).first().map_or("bob", String::as_str);
        let values = (0..chance.one_of(&[1, 1, 1, 2, 3])).map(|_| {
            let value = if chance.percent(85) {
                near(of, given, chance)
            } else {
                near(of, chance.one_of(pool(of)), chance)
            };
            let value =
                if chance.percent(15) { Self::with_variable(&value, chance) } else { value };
            let is_taken =
                Operator::named(self.dialect, &operator).unwrap().takes(self.dialect, &value);
            if is_taken { value } else { "7".to_owned() }
        });
        let values: Vec<String> = values.collect();
        let key = if chance.percent(20) { key.to_uppercase() } else { key.to_owned() };
        Tested { operator, key, values }
    }
}

/// Of each key nothing, one value, or several.
fn context(dialect: Dialect, chance: &mut Chance) -> Vec<(String, Vec<String>)> {
    keys(dialect)
        .iter()
        .map(|(key, of)| {
            let count = chance.one_of(&[0, 1, 1, 1, 1, 1, 2]);
            let mut values = (0..count).map(|_| chance.one_of(pool(*of)).to_owned());
            ((*key).to_owned(), values.by_ref().collect())
        })
        .collect()
}
