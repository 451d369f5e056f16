//! The exact search for a text in several unions of patterns and outside of others: all patterns
//! are walked at once, breadth first, so that the text found is a shortest one.

use std::collections::BTreeSet;

use super::{
    glob::{Glob, Step},
    text::{Alphabet, Budget, Signed, Spent},
};

/// The characters of the alphabet that a pattern names.
pub(super) fn letters(all: &[Signed<'_>], alphabet: Alphabet) -> Vec<char> {
    let mut letters = BTreeSet::new();
    for glob in all.iter().flat_map(|(union, _)| union.patterns()) {
        for step in glob.steps() {
            match step {
                Step::Any => {}
                Step::Char(c) => letters.extend([*c]),
                Step::Folded(c) => {
                    letters.extend([*c, c.to_ascii_uppercase()]);
                    // The one other character whose lower case is in ASCII.
                    letters.extend((*c == 'k').then_some('\u{212a}'));
                }
            }
        }
    }
    letters.into_iter().filter(|c| alphabet.has(*c)).collect()
}

/// One pattern, its positions as bits.
struct Machine {
    /// For each letter, the positions before a step that takes it.
    takes: Vec<u128>,
    loops: u128,
    end: u128,
}

impl Machine {
    /// `None` if it has more positions than bits.
    fn new(glob: &Glob, letters: &[char]) -> Option<Self> {
        let bit = |position: usize| 1_u128.checked_shl(u32::try_from(position).ok()?);
        let end = bit(glob.steps().len())?;
        let bits = |holds: &dyn Fn(Step) -> bool| {
            let steps = glob.steps().iter().enumerate().filter(|(_, step)| holds(**step));
            steps.fold(0, |bits, (position, _)| bits | bit(position).unwrap_or(0))
        };
        let takes = letters.iter().map(|c| bits(&|step| step.takes(*c))).collect();
        let loops = glob.loops().iter().enumerate().filter(|(_, loops)| **loops);
        let loops = loops.fold(0, |bits, (position, _)| bits | bit(position).unwrap_or(0));
        Some(Self { takes, loops, end })
    }

    fn step(&self, positions: u128, letter: usize) -> u128 {
        let takes = self.takes.get(letter).copied().unwrap_or(0);
        let next = ((positions & takes) << 1) | (positions & self.loops);
        // Behind the last run, all that an earlier position accepts is accepted too.
        match (next & self.loops).checked_ilog2() {
            Some(run) => next & u128::MAX.checked_shl(run).unwrap_or(0),
            None => next,
        }
    }

    fn accepts(&self, positions: u128) -> bool {
        positions & self.end != 0
    }

    /// Whether it accepts whatever follows.
    fn is_full(&self, positions: u128) -> bool {
        positions & self.end & self.loops != 0
    }
}

/// The shortest text over the letters that belongs to all; `None` if there is none.
///
/// # Errors
/// [`Spent`] when the budget does not last, or a pattern is too long to be walked.
pub(super) fn shortest(
    all: &[Signed<'_>],
    letters: &[char],
    budget: &mut Budget,
) -> Result<Option<String>, Spent> {
    let mut unions: Vec<(Vec<Machine>, bool)> = Vec::new();
    for (union, inside) in all {
        let machines = union.patterns().map(|glob| Machine::new(&glob, letters).ok_or(Spent));
        unions.push((machines.collect::<Result<_, _>>()?, *inside));
    }
    let width = unions.iter().map(|(machines, _)| machines.len()).sum();
    // Each with the one before it and the letter between them.
    let mut states: Vec<(Vec<u128>, usize, char)> = vec![(vec![1; width], 0, '\0')];
    let mut seen: BTreeSet<Vec<u128>> = BTreeSet::new();
    let mut current = 0_usize;
    while let Some((state, ..)) = states.get(current) {
        let state = state.clone();
        if is_accepted(&unions, &state) {
            return Ok(Some(word(&states, current)));
        }
        for (letter, c) in letters.iter().enumerate() {
            let Some(next) = step(&unions, &state, letter) else { continue };
            if seen.insert(next.clone()) {
                budget.state()?;
                states.push((next, current, *c));
            }
        }
        current = current.saturating_add(1);
    }
    Ok(None)
}

/// The state after the letter; `None` if nothing that follows can be accepted.
fn step(unions: &[(Vec<Machine>, bool)], state: &[u128], letter: usize) -> Option<Vec<u128>> {
    let mut positions = state.iter();
    let mut next = Vec::with_capacity(state.len());
    for (machines, inside) in unions {
        let mut is_alive = !*inside;
        for (machine, positions) in machines.iter().zip(&mut positions) {
            let moved = machine.step(*positions, letter);
            if *inside {
                is_alive |= moved != 0;
            } else if machine.is_full(moved) {
                return None;
            }
            next.push(moved);
        }
        if !is_alive {
            return None;
        }
    }
    Some(next)
}

fn is_accepted(unions: &[(Vec<Machine>, bool)], state: &[u128]) -> bool {
    let mut positions = state.iter();
    // Each union takes its own positions, so none may be left out.
    let mut accepted = true;
    for (machines, inside) in unions {
        let mut any = false;
        for (machine, positions) in machines.iter().zip(&mut positions) {
            any |= machine.accepts(*positions);
        }
        accepted &= any == *inside;
    }
    accepted
}

fn word(states: &[(Vec<u128>, usize, char)], last: usize) -> String {
    let mut letters = Vec::new();
    let mut current = last;
    while current != 0 {
        let Some((_, before, letter)) = states.get(current) else { break };
        letters.push(*letter);
        current = *before;
    }
    letters.iter().rev().collect()
}
