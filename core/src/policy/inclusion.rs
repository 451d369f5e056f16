//! Whether policies permit no more than others, proven or refuted by a request.
//!
//! A policy is the set of all requests that it permits: the action, the resource and the
//! circumstances. A request's action is `<service>:<name>`, its resource a name of the language or
//! `*`, and a condition key has at most one value. The answer is exact for actions, resources and
//! what conditions ask of one key in one type; what is not understood is taken to be met or not
//! met, so that it never makes a yes of a no.
//!
//! Nothing here matches as the evaluators do: they are the measure of each witness.

mod automaton;
mod condition;
mod finding;
mod glob;
mod group;
mod proof;
mod region;
mod space;
#[cfg(test)]
mod tests;
mod text;

use std::fmt;

use self::{
    proof::{Goal, Outcome, Sided, search},
    text::Budget,
};
use super::{
    dialect::Dialect,
    document::{Actions, Effect, Policy, PolicyKind, Principals, Resources, Statement},
    naive,
    request::{Context, Request},
    verdict::Verdict,
};

pub use finding::{Finding, findings};

/// What may be spent on an answer before it is [`Why::Budget`].
const BUDGET: Budget = Budget { states: 20_000, cuts: 400_000 };

/// Whether something holds of all requests.
#[derive(Clone, Debug, PartialEq)]
pub enum Inclusion {
    /// It does, of every request.
    Yes,
    /// It does not of this one.
    No(Witness),
    /// Not known; it may.
    Unknown(Why),
}

impl Inclusion {
    /// Whether it is proven.
    #[must_use]
    pub fn is_yes(&self) -> bool {
        *self == Self::Yes
    }
}

/// A request that shows what is so: evaluated, not only derived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Witness {
    /// Such as `ecs:CreateSnapshot`; in lower case where only a pattern names it.
    pub action: String,
    /// Such as `acs:oss:::bucket`; `*` where the request has no resource.
    pub resource: String,
    /// The circumstances that it takes.
    pub context: Context,
}

impl Witness {
    /// It as a request.
    #[must_use]
    pub fn request(&self) -> Request<'_> {
        Request { action: &self.action, resource: &self.resource, context: &self.context }
    }
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` on `{}`", self.action, self.resource)?;
        for (number, (key, values)) in self.context.iter().enumerate() {
            let before = if number == 0 { " with" } else { "," };
            write!(f, "{before} `{key}` = `{}`", values.join("`, `"))?;
        }
        Ok(())
    }
}

/// Why something is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It would take more steps than an answer may.
    Budget,
    /// It hangs on a condition, or a resource with variables, that is not understood: its key, or
    /// the resource as it is written.
    Condition(String),
    /// The policies are of several languages.
    Languages,
    /// A trust policy is about who may come in, not about requests.
    Trust,
    /// A request was found, and the evaluator does not agree that it is one.
    Unproven,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Budget => f.write_str("the policies are too entangled to be compared"),
            Self::Condition(key) => write!(f, "it hangs on `{key}`, which can't be compared"),
            Self::Languages => f.write_str("the policies are written in two languages"),
            Self::Trust => f.write_str("a trust policy can't be compared with others"),
            Self::Unproven => f.write_str("the request found is not decided as derived"),
        }
    }
}

/// How two sets of policies stand to each other.
#[derive(Clone, Debug, PartialEq)]
pub enum Comparison {
    /// They permit the same.
    Equal,
    /// The first permits less: the second also permits this.
    Less(Witness),
    /// The first permits more: this.
    More(Witness),
    /// Each permits something that the other does not: the first this, the second that.
    Neither(Witness, Witness),
    /// Not known.
    Unknown(Why),
}

/// Whether policies `a`, taken together, permit no request that policies `b` do not.
#[must_use]
pub fn permits_no_more(a: &[&Policy], b: &[&Policy]) -> Inclusion {
    if is_part_of(a, b) || permits_everything(b, a) {
        return Inclusion::Yes;
    }
    ask(a, b, Goal::Beyond, &|witness| permits(a, witness) && !permits(b, witness))
}

/// Whether each statement of `a` that allows stands in `b`, and each of `b` that denies in `a`:
/// then nothing has to be searched.
fn is_part_of(a: &[&Policy], b: &[&Policy]) -> bool {
    let all_stand = |of: &[&Policy], within: &[&Policy], effect| {
        statements(of).filter(|(_, one)| one.effect == effect).all(|(dialect, one)| {
            statements(within).any(|(other, two)| dialect == other && one.says_the_same(two))
        })
    };
    all_stand(a, b, Effect::Allow) && all_stand(b, a, Effect::Deny)
}

/// Whether a statement allows everything that the others' language can say, and none denies.
fn permits_everything(policies: &[&Policy], others: &[&Policy]) -> bool {
    let allows_all = |statement: &Statement| {
        let (Actions::Only(actions), Resources::Only(resources)) =
            (&statement.actions, &statement.resources)
        else {
            return false;
        };
        statement.conditions.is_empty()
            && statement.principals == Principals::OfIdentity
            && actions.iter().any(|action| action.as_str() == "*")
            && resources.iter().any(|resource| resource.parts().is_none())
    };
    let is_said = |dialect| {
        let mut others = others.iter();
        others.all(|other| other.dialect() == dialect && other.kind() != PolicyKind::Trust)
    };
    statements(policies).all(|(_, statement)| statement.effect == Effect::Allow)
        && statements(policies).any(|(dialect, one)| is_said(dialect) && allows_all(one))
}

fn statements<'a>(policies: &[&'a Policy]) -> impl Iterator<Item = (Dialect, &'a Statement)> {
    let of_one = |policy: &'a Policy| {
        policy.statements().iter().map(|statement| (policy.dialect(), statement))
    };
    policies.iter().copied().flat_map(of_one)
}

/// Whether no request is permitted by both.
#[must_use]
pub fn disjoint(a: &[&Policy], b: &[&Policy]) -> Inclusion {
    ask(a, b, Goal::Shared, &|witness| permits(a, witness) && permits(b, witness))
}

/// Compares both ways.
#[must_use]
pub fn compare(a: &[&Policy], b: &[&Policy]) -> Comparison {
    match (permits_no_more(a, b), permits_no_more(b, a)) {
        (Inclusion::Unknown(why), _) | (_, Inclusion::Unknown(why)) => Comparison::Unknown(why),
        (Inclusion::Yes, Inclusion::Yes) => Comparison::Equal,
        (Inclusion::Yes, Inclusion::No(more)) => Comparison::Less(more),
        (Inclusion::No(more), Inclusion::Yes) => Comparison::More(more),
        (Inclusion::No(of_a), Inclusion::No(of_b)) => Comparison::Neither(of_a, of_b),
    }
}

/// A request that the first policy permits and that the statement of the other denies.
pub(super) fn denied_by(wanted: &Policy, denier: &Policy, deny: &Statement) -> Option<Witness> {
    let speaks = Statement { effect: Effect::Allow, ..deny.clone() };
    let statements: Vec<Sided<'_>> =
        sided(&[wanted], false).chain([Sided { is_second: true, statement: &speaks }]).collect();
    let is_genuine = |witness: &Witness| {
        permits(&[wanted], witness)
            && matches!(
                naive::evaluate(&[denier], &witness.request()),
                Verdict::ExplicitDeny { .. }
            )
    };
    match search(wanted.dialect(), &statements, Goal::Shared, BUDGET, &is_genuine) {
        Outcome::Found(witness) => Some(witness),
        Outcome::None | Outcome::Unsure(_) => None,
    }
}

fn permits(policies: &[&Policy], witness: &Witness) -> bool {
    naive::evaluate(policies, &witness.request()).is_allow()
}

fn ask(
    a: &[&Policy],
    b: &[&Policy],
    goal: Goal,
    is_genuine: &dyn Fn(&Witness) -> bool,
) -> Inclusion {
    let mut all = a.iter().chain(b);
    // No policies permit nothing, which is no more than anything.
    let Some(dialect) = all.next().map(|policy| policy.dialect()) else { return Inclusion::Yes };
    if all.any(|policy| policy.dialect() != dialect) {
        return Inclusion::Unknown(Why::Languages);
    }
    if a.iter().chain(b).any(|policy| policy.kind() == PolicyKind::Trust) {
        return Inclusion::Unknown(Why::Trust);
    }
    let statements: Vec<Sided<'_>> = sided(a, false).chain(sided(b, true)).collect();
    match search(dialect, &statements, goal, BUDGET, is_genuine) {
        Outcome::None => Inclusion::Yes,
        Outcome::Found(witness) => Inclusion::No(witness),
        Outcome::Unsure(why) => Inclusion::Unknown(why),
    }
}

fn sided<'a>(policies: &[&'a Policy], is_second: bool) -> impl Iterator<Item = Sided<'a>> {
    policies
        .iter()
        .flat_map(|policy| policy.statements())
        .map(move |statement| Sided { is_second, statement })
}
