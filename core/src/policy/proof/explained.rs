//! An explanation decides as the reference does, and gives a reason for each thing that it shows.

use std::collections::BTreeSet;

use super::case::{Case, Ready};
use crate::policy::{
    Difference, Element, Explanation, Level, Named, Question, Request, Ruling, decide, explain,
};

const CASES: u64 = 2_000;

fn explained(ready: &Ready, request: Request<'_>) -> Explanation {
    let layers = ready.layers();
    let named = |policy| Named { name: "p", policy };
    let control = layers.control.iter().map(|policies| Level {
        name: "node",
        policies: policies.iter().copied().map(named).collect(),
    });
    let identity = layers.identity.iter().copied().map(named).collect();
    explain(&Question {
        control: control.collect(),
        session: layers.session.map(named),
        identity: Level { name: "role", policies: identity },
        request,
    })
}

fn check_element(element: &Element, why: &str) {
    let matches = element.tried.iter().filter(|tried| tried.differs.is_none()).count();
    let is_of_variable =
        |d: &Option<Difference>| matches!(d, Some(Difference::Variable { key }) if !key.is_empty());
    let hangs = element.tried.iter().any(|tried| is_of_variable(&tried.differs));
    let expected =
        if element.name.starts_with("Not") { matches == 0 && !hangs } else { matches > 0 };
    assert_eq!(element.is_met, expected, "{why}\n{element:?}");
    let is_part = |d: &Option<Difference>| !matches!(d, Some(Difference::Whole));
    if element.name.ends_with("Resource") {
        assert!(element.tried.iter().all(|tried| is_part(&tried.differs)), "{why}\n{element:?}");
    }
}

#[test]
fn an_explanation_decides_as_the_reference_does() {
    let (mut reasons, mut parts) = (BTreeSet::new(), BTreeSet::new());
    for seed in 0..CASES {
        let case = Case::of(seed);
        let ready = case.read();
        let request = case.request(&ready);
        let found = explained(&ready, request);
        let why = format!("case {seed}\n{}", case.show());
        assert_eq!(found.ruling, decide(&ready.layers(), &request), "{why}");

        assert_eq!(found.layers.iter().filter(|layer| layer.decides).count(), 1, "{why}");
        let policies = found.layers.iter().flat_map(|layer| &layer.policies);
        let statements: Vec<_> = policies.flat_map(|policy| &policy.statements).collect();
        let deciding = statements.iter().filter(|statement| statement.decides).count();
        let is_silent = matches!(found.ruling, Ruling::ImplicitDeny { .. });
        assert_eq!(deciding, usize::from(!is_silent), "{why}");
        for statement in statements {
            for element in &statement.elements {
                check_element(element, &why);
                parts.extend(element.tried.iter().filter_map(|tried| match &tried.differs {
                    Some(Difference::Part { part, .. }) => Some(*part),
                    _ => None,
                }));
            }
            reasons.extend(statement.conditions.iter().map(|c| format!("{:?}", c.outcome)));
        }
    }
    // A reason that never came up was not tried.
    for reason in ["Absent", "Present", "Several", "Variable", "Differs", "Excluded"] {
        assert!(reasons.iter().any(|found| found.contains(reason)), "{reason}: {reasons:?}");
    }
    for reason in ["Ok(ByValues)", "Ok(ByAbsence)"] {
        assert!(reasons.contains(reason), "{reason}");
    }
    for part in ["service", "region", "account"] {
        assert!(parts.contains(part), "{part}: {parts:?}");
    }
}
