//! What may happen next in a state.

use chrono::{DateTime, Utc};

use super::print::Print;
use crate::{
    chooser::Chooser,
    run::{Choice, Planned, Run, Trigger, Watch},
};

/// Something that may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// What has this number among what is planned.
    Step(u64),
    /// The function that stands still goes on.
    Thaw,
}

/// What may happen next, what needs no person first: the first of it is what comes by itself.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    pub moves: Vec<Move>,
    /// How many of them come by themselves, and not by an act.
    pub fair: usize,
    /// Whether more is planned for after the bound.
    pub is_cut: bool,
}

/// What may happen next: any act, and whatever is due when the next thing is.
pub(super) fn ahead<C: Chooser, W: Watch>(run: &Run<C, W>, until: DateTime<Utc>) -> Ahead {
    let (acts, triggers): (Vec<Choice<'_>>, Vec<Choice<'_>>) =
        run.choices().into_iter().partition(|choice| matches!(choice.planned, Planned::Act(_)));
    let next = triggers.first().map_or(run.now(), |first| first.at.max(run.now()));
    let mut seen = Vec::new();
    let mut moves = Vec::new();
    if run.is_in_flight() {
        moves.push(Move::Thaw);
    }
    for choice in triggers.iter().filter(|choice| choice.at <= next && next <= until) {
        let print = of_choice(choice, next);
        if !seen.contains(&print) {
            seen.push(print);
            moves.push(Move::Step(choice.number));
        }
    }
    let (fair, is_cut) = (moves.len(), next > until);
    moves.extend(acts.iter().map(|choice| Move::Step(choice.number)));
    Ahead { moves, fair, is_cut }
}

/// The print of all that is planned.
pub(super) fn of_planned<C: Chooser, W: Watch>(run: &Run<C, W>) -> Print {
    let armed = Print::shown(&(run.now(), run.armed()));
    let choices = run.choices().into_iter();
    choices.map(|choice| of_choice(&choice, run.now())).fold(armed, Print::and)
}

/// The print of what a move lets happen.
pub(super) fn of_move<C: Chooser, W: Watch>(run: &Run<C, W>, mov: Move) -> Print {
    let choices = run.choices();
    let is_moved = |choice: &&Choice<'_>| mov == Move::Step(choice.number);
    let moved = choices.iter().find(is_moved);
    moved.map_or(Print::default(), |choice| of_choice(choice, run.now().max(choice.at)))
}

/// What is overdue comes now, whenever it was due.
fn of_choice(choice: &Choice<'_>, now: DateTime<Utc>) -> Print {
    match choice.planned {
        Planned::Act(n) => Print::shown(n),
        Planned::Trigger { trigger, attempt } => {
            Print::shown(&(choice.at.max(now), trigger, attempt))
        }
        Planned::Effect { .. } | Planned::Answer { .. } => Print::default(),
    }
}

/// What is planned, in words.
pub(super) fn words(planned: &Planned, acts: &[crate::script::Act]) -> String {
    match planned {
        Planned::Act(n) => acts.get(*n).map_or(String::new(), |act| format!("{:?}", act.action)),
        Planned::Trigger { trigger, .. } => match trigger {
            Trigger::Hint(event) => format!("directory: {event}"),
            _ => format!("{}: {}", trigger.handler(), trigger.subject()),
        },
        Planned::Effect { .. } | Planned::Answer { .. } => "a call".to_owned(),
    }
}
