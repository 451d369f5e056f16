//! An explanation as people read it.

use crossvault_core::policy::{
    Difference, Effect, Element, ExplainedLayer, ExplainedPolicy, ExplainedStatement,
    ExplainedTrust, Explanation, Layer, TestedCondition, Tried, Verdict,
};

use super::{
    Arguments, Explained, decision,
    tree::{Color, Node},
    verb,
};
use crate::output::{Output, printable};

/// How many patterns are told one by one; `--json` has all.
const PATTERNS_MAX: usize = 12;

/// A tree for each of the two questions, coming in first.
pub fn text(output: Output, arguments: &Arguments, explained: &Explained) -> String {
    let Explained { trust, permission } = explained;
    let asked = &arguments.asked;
    let trust = trust.as_ref().map(|trust| {
        let principal = asked.principal.as_deref().unwrap_or_default();
        of_trust(&printable(principal), trust)
    });
    let permission = permission.as_ref().map(|permission| {
        let action = asked.action.as_deref().unwrap_or_default();
        let asked = format!("`{action}` on `{}`", arguments.resource);
        of_permission(&printable(&asked), permission)
    });
    let trees = trust.into_iter().chain(permission);
    let trees = trees.map(|tree| tree.lines(output.width(), output.has_colors()));
    trees.collect::<Vec<_>>().join("\n\n")
}

fn of_trust(principal: &str, trust: &ExplainedTrust) -> Node {
    let decision = match trust.verdict {
        Verdict::Allow { .. } => "let in",
        Verdict::ExplicitDeny { .. } | Verdict::ImplicitDeny => "not let in",
    };
    let headline = format!("`{principal}` is {decision}");
    Node::new(Color::Bold, headline).with([of_policy(&trust.policy)])
}

fn of_permission(asked: &str, explanation: &Explanation) -> Node {
    let headline = format!("{asked} is {}", decision(explanation.ruling));
    Node::new(Color::Bold, headline).with(explanation.layers.iter().map(of_layer))
}

fn of_layer(explained: &ExplainedLayer) -> Node {
    let ExplainedLayer { layer, name, verdict, decides, policies } = explained;
    let subject = match layer {
        Layer::Control(_) => format!("control, {name}"),
        Layer::Session => "session".to_owned(),
        Layer::Identity if name.is_empty() => "identity".to_owned(),
        Layer::Identity => format!("identity, {name}"),
    };
    let end = if *decides { ", which decides" } else { "" };
    let mark = if verdict.is_allow() { "✓" } else { "✗" };
    let text = format!("{mark} {}: {}{end}", printable(&subject), verb(*verdict));
    let node = Node::new(color(verdict.is_allow()), text);
    if policies.is_empty() {
        return node.with([Node::new(Color::Plain, "no policy is attached")]);
    }
    node.with(policies.iter().map(of_policy))
}

fn of_policy(policy: &ExplainedPolicy) -> Node {
    let statements = (1..).zip(&policy.statements);
    Node::new(Color::Plain, printable(&policy.name))
        .with(statements.map(|(number, statement)| of_statement(number, statement)))
}

fn of_statement(number: usize, statement: &ExplainedStatement) -> Node {
    let ExplainedStatement { sid, line, effect, is_met, decides, elements, conditions } = statement;
    let sid = sid.as_ref().map_or(String::new(), |sid| format!(" `{}`", printable(sid)));
    let what = match (effect, is_met) {
        (Effect::Allow, true) => "allows",
        (Effect::Deny, true) => "denies",
        (Effect::Allow, false) => "would allow, and does not match",
        (Effect::Deny, false) => "would deny, and does not match",
    };
    let end = if *decides { " ◀ decides" } else { "" };
    let text = format!("{} statement {number}{sid} (line {line}) {what}{end}", mark(*is_met));
    let color = match (decides, is_met, effect) {
        (true, ..) => Color::Bold,
        (false, true, Effect::Allow) => Color::Green,
        (false, true, Effect::Deny) => Color::Red,
        (false, false, _) => Color::Plain,
    };
    let below = elements.iter().map(of_element).chain(conditions.iter().map(of_condition));
    Node::new(color, text).with(below)
}

fn of_element(element: &Element) -> Node {
    let Element { name, given, is_met, tried } = element;
    let matching = tried.iter().find(|tried| tried.differs.is_none());
    let code = |tried: &Tried| format!("`{}`", printable(&tried.pattern));
    let given = printable(given);
    let head = format!("{} {name}:", mark(*is_met));
    let node = |text: String| Node::new(color(*is_met), format!("{head} {text}"));
    match matching {
        Some(matching) if *is_met => node(format!("{} matches `{given}`", code(matching))),
        Some(matching) => {
            node(format!("{} matches `{given}`, which it leaves out", code(matching)))
        }
        None if tried.is_empty() => node("names none".to_owned()),
        None => {
            let is_plain = tried.iter().all(|tried| tried.differs == Some(Difference::Whole));
            if is_plain {
                let shown: Vec<String> = tried.iter().take(PATTERNS_MAX).map(code).collect();
                let more = more(tried.len()).map_or(String::new(), |more| format!(" {more}"));
                return node(format!("`{given}` is none of {}{more}", shown.join(", ")));
            }
            let each = tried.iter().take(PATTERNS_MAX).map(|tried| {
                let why = tried.differs.as_ref().map_or(String::new(), ToString::to_string);
                Node::new(Color::Plain, format!("{}: {}", code(tried), printable(&why)))
            });
            let more = more(tried.len()).map(|more| Node::new(Color::Plain, more));
            node(format!("`{given}` is none of these")).with(each.chain(more))
        }
    }
}

fn of_condition(condition: &TestedCondition) -> Node {
    let is_met = condition.is_met();
    let text = format!("{} Condition: {}", mark(is_met), printable(&condition.to_string()));
    Node::new(color(is_met), text)
}

fn more(patterns: usize) -> Option<String> {
    let more = patterns.saturating_sub(PATTERNS_MAX);
    (more > 0).then(|| format!("and {more} more, which `--json` lists"))
}

fn mark(is_met: bool) -> &'static str {
    if is_met { "✓" } else { "✗" }
}

fn color(is_met: bool) -> Color {
    if is_met { Color::Green } else { Color::Red }
}
