//! One pattern as an automaton: positions between its steps, some of which any run passes.

use std::rc::Rc;

/// What takes exactly one character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Any character.
    Any,
    /// This one.
    Char(char),
    /// This one, given in lower case, in upper or lower case.
    Folded(char),
}

impl Step {
    pub(super) fn takes(self, c: char) -> bool {
        match self {
            Self::Any => true,
            Self::Char(wanted) => wanted == c,
            Self::Folded(wanted) => c.to_lowercase().eq([wanted]),
        }
    }

    /// Whether it takes all that the other takes.
    fn takes_all_of(self, other: Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::Char(_) | Self::Folded(_), Self::Char(c)) => self.takes(c),
            (Self::Folded(wanted), Self::Folded(c)) => wanted == c,
            (Self::Folded(_) | Self::Char(_), Self::Any) | (Self::Char(_), Self::Folded(_)) => {
                false
            }
        }
    }

    /// Whether no character is taken by both.
    fn excludes(self, other: Self) -> bool {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => false,
            (Self::Char(c), step) | (step, Self::Char(c)) => !step.takes(c),
            (Self::Folded(a), Self::Folded(b)) => a != b,
        }
    }
}

/// A pattern: its steps, and at which positions between them any run of characters may stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob {
    steps: Vec<Step>,
    /// One more than steps: the position before each, and the end.
    loops: Vec<bool>,
    /// The one text that it matches, if it is but one.
    exact: Option<Rc<str>>,
}

impl Glob {
    /// A pattern with `*` and `?`.
    pub(super) fn new(pattern: &str) -> Self {
        let (mut steps, mut loops) = (Vec::new(), vec![false]);
        for c in pattern.chars() {
            if c == '*' {
                if let Some(last) = loops.last_mut() {
                    *last = true;
                }
                continue;
            }
            let step = if c == '?' { Step::Any } else { Step::Char(c) };
            // `*?` and `?*` are the same: the run is kept behind the single characters.
            let behind = step == Step::Any && loops.last() == Some(&true);
            if let Some(last) = loops.last_mut().filter(|_| behind) {
                *last = false;
            }
            steps.push(step);
            loops.push(behind);
        }
        let exact = (!pattern.contains(['*', '?'])).then(|| pattern.into());
        Self { steps, loops, exact }
    }

    /// That one text, `*` and `?` in it for themselves.
    pub(super) fn text(text: &str) -> Self {
        let steps: Vec<Step> = text.chars().map(Step::Char).collect();
        let loops = vec![false; steps.len().saturating_add(1)];
        Self { steps, loops, exact: Some(text.into()) }
    }

    /// That one text of ASCII characters in upper and lower case.
    pub(super) fn folded(text: &str) -> Self {
        let steps: Vec<Step> = text.chars().map(|c| Step::Folded(c.to_ascii_lowercase())).collect();
        let loops = vec![false; steps.len().saturating_add(1)];
        Self { steps, loops, exact: None }
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub(super) fn loops(&self) -> &[bool] {
        &self.loops
    }

    /// The one text that it matches, if it is but one.
    pub(super) fn exact(&self) -> Option<&Rc<str>> {
        self.exact.as_ref()
    }

    fn loops_at(&self, position: usize) -> bool {
        self.loops.get(position) == Some(&true)
    }

    /// Whether it matches the text: the last run passed is the only one that need be tried again.
    pub(super) fn matches(&self, text: &str) -> bool {
        if let Some(exact) = &self.exact {
            return **exact == *text;
        }
        let (mut position, mut rest) = (0_usize, text.chars());
        let mut again = None;
        loop {
            if self.loops_at(position) {
                if position == self.steps.len() {
                    return true;
                }
                again = Some((position, rest.clone()));
            }
            let mut after = rest.clone();
            match (self.steps.get(position), after.next()) {
                (None, None) => return true,
                (Some(step), Some(c)) if step.takes(c) => {
                    (position, rest) = (position.saturating_add(1), after);
                    continue;
                }
                // A longer run would leave even less.
                (Some(_), None) => return false,
                (Some(_) | None, Some(_)) => {}
            }
            let Some((from, mut longer)) = again.take() else { return false };
            if longer.next().is_none() {
                return false;
            }
            (position, rest) = (from, longer);
        }
    }

    /// Whether each of its steps and runs can take those of the other in their order: then it
    /// matches all that the other matches. The reverse need not hold.
    pub(super) fn covers(&self, other: &Self) -> bool {
        if let Some(exact) = &other.exact {
            return self.matches(exact);
        }
        // The positions of this one at which the other's next position may stand.
        let mut positions: Vec<bool> = vec![false; self.loops.len()];
        if let Some(first) = positions.first_mut() {
            *first = true;
        }
        let mut steps = other.steps.iter();
        for runs in &other.loops {
            if *runs {
                // Any run of the other must be taken by one of ours, at whatever length.
                for (stands, loops) in positions.iter_mut().zip(&self.loops) {
                    *stands &= *loops;
                }
            }
            let Some(step) = steps.next() else { break };
            let mut moved =
                positions.iter().zip(&self.steps).map(|(s, own)| *s && own.takes_all_of(*step));
            let moved: Vec<bool> = std::iter::once(false).chain(moved.by_ref()).collect();
            for ((stands, loops), moved) in positions.iter_mut().zip(&self.loops).zip(moved) {
                *stands = moved || (*stands && *loops);
            }
        }
        positions.last() == Some(&true)
    }

    /// Whether their ends already show that no text matches both. The reverse need not hold.
    pub(super) fn plainly_excludes(&self, other: &Self) -> bool {
        if let Some(exact) = &self.exact {
            return !other.matches(exact);
        }
        if let Some(exact) = &other.exact {
            return !self.matches(exact);
        }
        let heads = |glob: &Self| glob.loops.iter().take_while(|loops| !**loops).count();
        let tails = |glob: &Self| glob.loops.iter().rev().take_while(|loops| !**loops).count();
        let (head, tail) = (heads(self).min(heads(other)), tails(self).min(tails(other)));
        let differ = |(a, b): (&Step, &Step)| a.excludes(*b);
        self.steps.iter().zip(&other.steps).take(head).any(differ)
            || self.steps.iter().rev().zip(other.steps.iter().rev()).take(tail).any(differ)
    }

    /// A text that it matches: one character for each step, and `run` wherever any run may stand.
    pub(super) fn example(&self, fresh: char, run: &str) -> String {
        let mut text = String::new();
        let mut steps = self.steps.iter();
        for loops in &self.loops {
            if *loops {
                text.push_str(run);
            }
            match steps.next() {
                Some(Step::Char(c) | Step::Folded(c)) => text.push(*c),
                Some(Step::Any) => text.push(fresh),
                None => {}
            }
        }
        text
    }
}
