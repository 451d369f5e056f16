//! What was chosen, and among what: how a run becomes one that can be made again and varied.

use super::{Chooser, Deviations, Key, Options};

/// What was asked in a run, in the order of asking.
pub type Asked = Vec<(Key, Options)>;

/// Lets another chooser decide, and writes down what it decides.
#[derive(Clone, Debug)]
pub struct Recorder<C> {
    chooser: C,
    made: Deviations,
    asked: Option<Asked>,
}

impl<C> Recorder<C> {
    /// Writes down the deviations that the chooser makes.
    pub fn new(chooser: C) -> Self {
        Self { chooser, made: Deviations::default(), asked: None }
    }

    /// Writes down too what it is asked, with all the options that were open.
    #[must_use]
    pub fn asking(self) -> Self {
        Self { asked: Some(Vec::new()), ..self }
    }

    /// The deviations so far: replayed, they make the same run.
    #[must_use]
    pub fn made(&self) -> &Deviations {
        &self.made
    }

    /// What was asked so far; empty when it is not written down.
    #[must_use]
    pub fn asked(&self) -> &[(Key, Options)] {
        self.asked.as_deref().unwrap_or_default()
    }

    /// All that was written down.
    #[must_use]
    pub fn into_parts(self) -> (Deviations, Asked) {
        (self.made, self.asked.unwrap_or_default())
    }
}

impl<C: Chooser> Chooser for Recorder<C> {
    fn choose(&mut self, key: Key, options: Options) -> u8 {
        let chosen = self.chooser.choose(key, options);
        if let Some(asked) = &mut self.asked {
            asked.push((key, options));
        }
        if chosen == 0 || !options.has(chosen) {
            return 0;
        }
        self.made.0.insert(key, chosen);
        chosen
    }

    // Who is asked for what is written down only when the run asks, however boring the answers.
    fn is_boring(&self) -> bool {
        self.asked.is_none() && self.chooser.is_boring()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chooser::{Boring, Name, Replay, What};

    fn key(of: u64) -> Key {
        Key { of: Name(of), call: 0, what: What::Mishap }
    }

    #[test]
    fn only_what_deviates_and_was_open_is_written_down() {
        let planned = Deviations([(key(1), 2), (key(2), 5)].into());
        let mut recorder = Recorder::new(Replay(planned)).asking();
        let open = Options::of([1, 2]);
        let chosen: Vec<u8> = (0..3).map(|of| recorder.choose(key(of), open)).collect();
        assert_eq!(chosen, [0, 2, 0]);
        let (made, asked) = recorder.into_parts();
        assert_eq!(made, Deviations([(key(1), 2)].into()));
        assert_eq!(asked, (0..3).map(|of| (key(of), open)).collect::<Vec<_>>());
    }

    #[test]
    fn who_is_to_write_down_the_questions_must_be_asked_them() {
        assert!(Recorder::new(Boring).is_boring());
        assert!(!Recorder::new(Boring).asking().is_boring());
    }
}
