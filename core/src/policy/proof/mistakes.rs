//! Mistakes that an evaluator could make, each of which the cases must find soon.
//!
//! A mistake is planted in what the reference is asked: the case is rewritten so that the right
//! answer to it is the wrong answer to the case as it was. So the reference itself stays free of
//! wrong turns, and what is compared is only which way the decision goes.

#![expect(clippy::unnecessary_wraps, reason = "all mistakes are of one type")]

use std::{collections::BTreeSet, fmt::Write};

use super::{
    case::{Case, Document, Outcome, Said, Tested},
    generate::vocabulary,
};
use crate::policy::{ActionPattern, Dialect, Effect, Operator};

/// Within as many cases each mistake must be found.
const CASES_MAX: u64 = 2_000;

/// What a mistaken reader takes the case for; none where the mistake makes no sense.
type Mistake = fn(Case) -> Option<Case>;

const MISTAKES: [(&str, Mistake); 37] = [
    ("actions are compared with case", actions_with_case),
    ("NotAction is read as Action", |case| each(case, |said| said.not_action = false)),
    ("NotResource is read as Resource", |case| each(case, |said| said.not_resource = false)),
    ("only the first action counts", |case| each(case, |said| said.actions.truncate(1))),
    ("only the first resource counts", |case| each(case, |said| said.resources.truncate(1))),
    ("only the first statement counts", |case| documents(case, |document| document.truncate(1))),
    ("only the first policy counts", |mut case| {
        case.identity.truncate(1);
        Some(case)
    }),
    ("conditions are not looked at", |case| each(case, |said| said.conditions.clear())),
    ("an allow goes before a deny", allow_before_deny),
    ("a resource is matched as one text", resource_as_one_text),
    ("resources are compared without case", resources_without_case),
    ("`?` matches nothing too", |case| patterns(case, &|text| without_some(text, '?'))),
    ("`?` matches one byte", question_mark_as_byte),
    ("`*` matches at least one character", |case| {
        patterns(case, &|text| {
            vec![if text == "*" { text.to_owned() } else { text.replace('*', "?*") }]
        })
    }),
    ("`*` does not match an empty part", |case| {
        let star = |text: &str| text.replace(":*:", ":?*:");
        each(case, |said| said.resources.iter_mut().for_each(|text| *text = star(text)))
    }),
    ("only the first value counts", |case| conditions(case, |_, one| one.values.truncate(1))),
    ("a condition's values are all to match", values_are_all_to_match),
    ("one of several conditions is enough", one_condition_is_enough),
    ("of a negated operator one value that differs is enough", one_difference_is_enough),
    ("a negated operator wants its key", |case| absent(case, |name| name.contains("Not"), false)),
    ("a positive operator does not want its key", |case| {
        absent(case, |name| !name.contains("Not"), true)
    }),
    ("several values of a request need no quantifier", |case| {
        conditions(case, |case, one| {
            let is_plain = !one.operator.contains(':') && !one.operator.contains("Not");
            if is_plain && one.operator != "Null" && case.given(&one.key).len() > 1 {
                one.operator.insert_str(0, "ForAnyValue:");
            }
        })
        .filter(|case| case.dialect == Dialect::Aws)
    }),
    ("StringLike has no case", like_without_case),
    ("StringEquals has wildcards", |case| operator(case, "StringEquals", "StringLike")),
    ("StringEqualsIgnoreCase has case", |case| around(case, "EqualsIgnoreCase", "Equals")),
    ("a network is one bit too wide", networks_too_wide),
    ("a mapped address is not one of IPv4", |mut case| {
        for (_, values) in &mut case.context {
            for value in values.iter_mut() {
                *value = value.replace("::ffff:", "::fffe:");
            }
        }
        Some(case)
    }),
    ("numbers are compared as texts", |case| {
        let case = operator(case, "NumericEquals", "StringEquals")?;
        operator(case, "NumericNotEquals", "StringNotEquals")
    }),
    ("`at most` is read as `less`", |case| around(case, "LessThanEquals", "LessThan")),
    ("`more` is read as `at least`", |case| {
        conditions(case, |_, one| {
            if one.operator.contains("GreaterThan") && !one.operator.contains("ThanEquals") {
                one.operator = one.operator.replace("GreaterThan", "GreaterThanEquals");
            }
        })
    }),
    ("a date's offset is not looked at", dates_without_offset),
    ("`IfExists` is not looked at", |case| around(case, "IfExists", "")),
    ("`Null` is the other way round", |case| {
        conditions(case, |_, one| {
            if one.operator == "Null" {
                let is_true = one.values.iter().any(|value| value == "true");
                one.values = vec![if is_true { "false" } else { "true" }.to_owned()];
            }
        })
    }),
    ("all values are to match where any is asked for", |case| {
        around(case, "ForAnyValue:", "ForAllValues:")
    }),
    ("a variable is text", |mut case| {
        case.version = if case.version == "2012-10-17" { "2008-10-17" } else { case.version };
        Some(case)
    }),
    ("the session's denies don't count", |mut case| {
        case.session.iter_mut().for_each(|all| all.retain(|said| said.effect == Effect::Allow));
        case.session = case.session.filter(|all| !all.is_empty());
        Some(case)
    }),
    ("one level of control policies is enough", |mut case| {
        let all: Vec<Document> = case.control.drain(..).flatten().collect();
        case.control.extend((!all.is_empty()).then_some(all));
        Some(case)
    }),
];

/// A green run of equal answers means something only if wrong answers would be seen.
#[test]
fn each_mistake_is_found_soon() {
    let mut table = String::new();
    let mut missed = Vec::new();
    let mut open: Vec<(&str, Mistake, Option<u64>)> =
        MISTAKES.iter().map(|(name, mistake)| (*name, *mistake, None)).collect();
    for seed in 0..CASES_MAX {
        if open.iter().all(|(.., found)| found.is_some()) {
            break;
        }
        let case = Case::of(seed);
        let quick = Outcome::quick(&case, &vocabulary(seed));
        for (_, mistake, found) in open.iter_mut().filter(|(.., found)| found.is_none()) {
            let plain = mistake(case.clone()).and_then(|wrong| Outcome::plain(&wrong));
            if plain.is_some_and(|plain| plain != quick) {
                *found = Some(seed.saturating_add(1));
            }
        }
    }
    for (name, _, found) in open {
        match found {
            Some(cases) => writeln!(table, "{cases:>6}  {name}").unwrap(),
            None => missed.push(name),
        }
    }
    #[expect(clippy::disallowed_macros, reason = "the table is what the test is run for")]
    {
        println!(" cases  until a planted mistake is found\n{table}");
    }
    assert!(missed.is_empty(), "not found within {CASES_MAX} cases: {missed:?}");
}

fn each(mut case: Case, change: impl Fn(&mut Said)) -> Option<Case> {
    case.statements().for_each(change);
    Some(case)
}

fn documents(mut case: Case, change: impl Fn(&mut Document)) -> Option<Case> {
    case.documents().for_each(change);
    Some(case)
}

/// Changes each condition, with the case as it was at hand; none where two become one.
fn conditions(mut case: Case, change: impl Fn(&Case, &mut Tested)) -> Option<Case> {
    let before = case.clone();
    for said in case.statements() {
        said.conditions.iter_mut().for_each(|one| change(&before, one));
    }
    let dialect = case.dialect;
    let is_document = case.statements().all(|said| {
        let names = said
            .conditions
            .iter()
            .map(|one| (Operator::named(dialect, &one.operator), one.key.to_lowercase()));
        names.collect::<BTreeSet<_>>().len() == said.conditions.len()
    });
    is_document.then_some(case)
}

/// Takes one operator for another, whatever stands around it.
fn operator(case: Case, from: &str, to: &str) -> Option<Case> {
    conditions(case, |_, one| {
        let bare = one.operator.rsplit(':').next().unwrap_or_default();
        if bare.strip_suffix("IfExists").unwrap_or(bare) == from {
            one.operator = one.operator.replace(from, to);
        }
    })
}

/// Takes what stands around an operator for something else.
fn around(case: Case, from: &str, to: &str) -> Option<Case> {
    conditions(case, |_, one| one.operator = one.operator.replace(from, to))
}

/// Replaces each pattern of actions, resources and `StringLike` by those; what no document may have
/// in its place is left out.
fn patterns(case: Case, change: &dyn Fn(&str) -> Vec<String>) -> Option<Case> {
    let all = |texts: &mut Vec<String>, may_be: &dyn Fn(&str) -> bool| {
        *texts = texts.iter().flat_map(|text| change(text)).filter(|text| may_be(text)).collect();
    };
    let before = case.clone();
    let case = each(case, |said| {
        all(&mut said.actions, &|text| ActionPattern::parse(text).is_some());
        all(&mut said.resources, &|text| before.is_resource(text));
    })?;
    conditions(case, |_, one| {
        if one.operator.contains("Like") {
            all(&mut one.values, &|_| true);
        }
    })
}

/// The text, and the text with one or all of those characters left out.
fn without_some(text: &str, char: char) -> Vec<String> {
    let one = text.match_indices(char).map(|(at, _)| [&text[..at], &text[at..][1..]].concat());
    [text.to_owned()].into_iter().chain(one).chain([text.replace(char, "")]).collect()
}

/// By a condition of the texts, which has case.
fn actions_with_case(mut case: Case) -> Option<Case> {
    case.context.push(("test:action".to_owned(), vec![case.action.clone()]));
    each(case, |said| {
        let operator = if said.not_action { "StringNotLike" } else { "StringLike" };
        let values = std::mem::replace(&mut said.actions, vec!["*".to_owned()]);
        said.not_action = false;
        said.conditions.push(Tested {
            operator: operator.to_owned(),
            key: "test:action".to_owned(),
            values,
        });
    })
}

fn allow_before_deny(case: Case) -> Option<Case> {
    let mut allows = case.clone();
    for document in allows.documents() {
        document.retain(|said| said.effect == Effect::Allow);
    }
    for level in allows.control.iter_mut().chain([&mut allows.identity]) {
        level.retain(|document| !document.is_empty());
    }
    let is_allowed = Outcome::plain(&allows) == Some(Outcome::Allow);
    Some(if is_allowed { allows } else { case })
}

/// All of it in the last part, with its colons in disguise.
fn resource_as_one_text(mut case: Case) -> Option<Case> {
    let parts = case.dialect.resource_parts();
    let is_role = case.resource.starts_with("acs:ram:");
    let has_variables =
        case.statements().any(|said| said.resources.iter().any(|text| text.contains("${")));
    if is_role || has_variables || case.resource.split(':').count() < parts {
        return None;
    }
    let head = format!("{}{}", case.dialect.resource_prefix(), ":".repeat(parts.saturating_sub(1)));
    let whole = |text: &str| format!("{head}{}", text.replace(':', "|"));
    case.resource = whole(&case.resource);
    each(case, |said| {
        said.resources.iter_mut().filter(|text| *text != "*").for_each(|text| *text = whole(text));
    })
}

fn resources_without_case(mut case: Case) -> Option<Case> {
    case.resource = case.resource.to_lowercase();
    each(case, |said| {
        said.resources.iter_mut().for_each(|text| {
            if !text.contains("${") {
                *text = text.to_lowercase();
            }
        });
    })
}

/// Each character that has several bytes becomes two of one.
fn question_mark_as_byte(mut case: Case) -> Option<Case> {
    let two = |text: &str| -> String {
        let parts =
            text.chars().map(|c| if c.is_ascii() { c.to_string() } else { "~~".to_owned() });
        parts.collect()
    };
    case.resource = two(&case.resource);
    for (_, values) in &mut case.context {
        for value in values.iter_mut() {
            *value = two(value);
        }
    }
    let case = each(case, |said| said.resources.iter_mut().for_each(|text| *text = two(text)))?;
    conditions(case, |_, one| one.values.iter_mut().for_each(|value| *value = two(value)))
}

/// A key for each value, all with what the request has of the one.
fn values_are_all_to_match(mut case: Case) -> Option<Case> {
    let before = case.clone();
    let mut context = Vec::new();
    for said in case.statements() {
        let mut all = Vec::new();
        for one in said.conditions.drain(..) {
            if one.operator.contains("Not") || one.operator.contains(':') {
                all.push(one);
                continue;
            }
            for (number, value) in one.values.into_iter().enumerate() {
                let key = format!("{}#{number}", one.key);
                context.push((key.clone(), before.given(&one.key).to_vec()));
                all.push(Tested { operator: one.operator.clone(), key, values: vec![value] });
            }
        }
        said.conditions = all;
    }
    context.sort();
    context.dedup();
    case.context.extend(context);
    Some(case)
}

fn one_condition_is_enough(case: Case) -> Option<Case> {
    documents(case, |document| {
        *document = document
            .drain(..)
            .flat_map(|said| {
                let all = said.conditions.len().max(1);
                (0..all).map(move |n| Said {
                    conditions: said.conditions.get(n).cloned().into_iter().collect(),
                    ..said.clone()
                })
            })
            .collect();
    })
}

fn one_difference_is_enough(case: Case) -> Option<Case> {
    documents(case, |document| {
        *document = document
            .drain(..)
            .flat_map(|said| {
                let is_split = |one: &Tested| one.operator.contains("Not") && one.values.len() > 1;
                let Some(at) = said.conditions.iter().position(is_split) else { return vec![said] };
                let with = |value: &String| {
                    let mut said = said.clone();
                    said.conditions[at].values = vec![value.clone()];
                    said
                };
                said.conditions[at].values.iter().map(with).collect()
            })
            .collect();
    })
}

/// Of conditions with such an operator whose key is absent: they are `met`, or not.
fn absent(mut case: Case, is_such: fn(&str) -> bool, met: bool) -> Option<Case> {
    let before = case.clone();
    let is_so = |one: &Tested| {
        let name = one.operator.as_str();
        let is_plain = !name.contains(':') && !name.contains("IfExists") && name != "Null";
        is_plain && is_such(name) && before.given(&one.key).is_empty()
    };
    for said in case.statements() {
        if met {
            said.conditions.retain(|one| !is_so(one));
        } else if said.conditions.iter().any(is_so) {
            // No request has this key.
            let never = ("Bool".to_owned(), "test:never".to_owned(), vec!["true".to_owned()]);
            let (operator, key, values) = never;
            said.conditions.push(Tested { operator, key, values });
        }
    }
    Some(case)
}

fn like_without_case(mut case: Case) -> Option<Case> {
    let lower: Vec<_> = case
        .context
        .iter()
        .map(|(key, values)| {
            (format!("{key}#lower"), values.iter().map(|value| value.to_lowercase()).collect())
        })
        .collect();
    case.context.extend(lower);
    conditions(case, |_, one| {
        let has_variable = one.values.iter().any(|value| value.contains("${"));
        if one.operator.contains("StringLike") && !has_variable {
            one.key.push_str("#lower");
            one.values.iter_mut().for_each(|value| *value = value.to_lowercase());
        }
    })
}

fn networks_too_wide(case: Case) -> Option<Case> {
    conditions(case, |_, one| {
        for value in one.values.iter_mut().filter(|_| one.operator.contains("IpAddress")) {
            let longest = if value.contains("::") { 128 } else { 32 };
            let (address, length) =
                value.split_once('/').map_or((&**value, longest), |(a, l)| (a, l.parse().unwrap()));
            *value = format!("{address}/{}", i32::max(0, length).saturating_sub(1).max(0));
        }
    })
}

fn dates_without_offset(mut case: Case) -> Option<Case> {
    let local = |value: &mut String| {
        if value.contains('T') && value.len() > 19 {
            let end = value.find(['+', 'Z', 'z']).or(value.rfind('-')).unwrap_or(value.len());
            *value = format!("{}Z", &value[..end]);
        }
    };
    for (key, values) in &mut case.context {
        values.iter_mut().filter(|_| key.contains("Time")).for_each(local);
    }
    conditions(case, |_, one| {
        one.values.iter_mut().filter(|_| one.operator.contains("Date")).for_each(local);
    })
}
