//! Chance: each choice follows from the seed and from what is decided, never from what was asked
//! before.

use std::fmt;

use super::{Allowed, Chance, Chooser, Key, Options, What, chance::below};
use crate::{
    cloud::mix,
    fault::{Fault, Mishap, Skew},
};

/// One run in so many is without faults, so that a world in which nothing goes wrong is tried too.
const CALM: u64 = 5;

/// One decision in so many deviates; each seed draws one.
const RATES: [u64; 7] = [8, 16, 32, 64, 125, 250, 500];

/// How many options a decision has at most, the boring one too.
const OPTIONS: usize = 64;

/// What a seed has drawn, before anything is decided: a swarm of different tests and not one test
/// with everything in it, in which the frequent hides the rest.
///
/// Source: Groce and others, "Swarm testing".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swarm {
    faults: Family,
    mishaps: Family,
    skews: Family,
    /// After how many deviations nothing more goes wrong.
    pub budget: u32,
}

/// What may happen in one kind of decision, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Family {
    open: Options,
    /// The weight of each option, 1 to 100.
    weights: [u8; OPTIONS],
    /// One decision in so many deviates.
    rate: u64,
}

impl Swarm {
    /// What follows from a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed, 0);
        let is_calm = chance.below(CALM) == 0;
        let all = Allowed::default();
        let mut family = |what| Family::draw(&mut chance, all.of(what), is_calm);
        let (faults, mishaps, skews) =
            (family(What::Fault), family(What::Mishap), family(What::Skew));
        let budget = 1_u32.checked_shl(u32::try_from(chance.below(9)).unwrap_or(0)).unwrap_or(1);
        Self { faults, mishaps, skews, budget }
    }

    /// No swarm: everything may go wrong, each thing as likely as another.
    #[must_use]
    pub fn whole() -> Self {
        let family =
            |what| Family { open: Allowed::default().of(what), weights: [1; OPTIONS], rate: 64 };
        let (faults, mishaps, skews) =
            (family(What::Fault), family(What::Mishap), family(What::Skew));
        Self { faults, mishaps, skews, budget: 64 }
    }

    /// Whether nothing ever goes wrong.
    #[must_use]
    pub fn is_calm(&self) -> bool {
        [&self.faults, &self.mishaps, &self.skews].iter().all(|family| family.is_empty())
    }

    fn of(&self, what: What) -> &Family {
        match what {
            What::Fault => &self.faults,
            What::Mishap => &self.mishaps,
            What::Skew => &self.skews,
        }
    }
}

impl Family {
    /// A part of the options, each as likely in it as not, with its weight.
    fn draw(chance: &mut Chance, all: Options, is_calm: bool) -> Self {
        let mut weights = [0; OPTIONS];
        let mut open = Options::BORING;
        for (option, weight) in (0_u8..64).zip(&mut weights).filter(|(option, _)| *option > 0) {
            let (is_in, drawn) = (chance.percent(50), chance.between(1, 100));
            if is_in && !is_calm && all.has(option) {
                open = open.and(option);
                *weight = u8::try_from(drawn).unwrap_or(1);
            }
        }
        let rate = chance.pick(&RATES).copied().unwrap_or(1);
        Self { open, weights, rate }
    }

    fn is_empty(&self) -> bool {
        self.open == Options::BORING
    }

    /// One of the options by their weights; 0 when none is open.
    fn pick(&self, options: Options, drawn: u64) -> u8 {
        let open = options.within(self.open);
        let weight =
            |option: u8| self.weights.get(usize::from(option)).copied().map_or(0, u64::from);
        let total = open.deviations().fold(0_u64, |sum, option| sum.saturating_add(weight(option)));
        let mut left = below(drawn, total);
        for option in open.deviations() {
            match left.checked_sub(weight(option)) {
                Some(rest) => left = rest,
                None => return option,
            }
        }
        0
    }

    fn tell(&self, f: &mut fmt::Formatter<'_>, name: fn(u8) -> &'static str) -> fmt::Result {
        for option in self.open.deviations() {
            let weight = self.weights.get(usize::from(option)).copied().unwrap_or(0);
            write!(f, " {} {weight},", name(option))?;
        }
        write!(f, " 1 in {}", self.rate)
    }
}

/// What was drawn, for people: what may go wrong with its weight, and how often.
impl fmt::Display for Swarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_calm() {
            return f.write_str("nothing goes wrong");
        }
        write!(f, "faults")?;
        self.faults.tell(f, |option| Fault::of(option).name())?;
        write!(f, "; mishaps")?;
        self.mishaps.tell(f, |option| Mishap::of(option).name())?;
        write!(f, "; clocks")?;
        self.skews.tell(f, |option| Skew::of(option).name())?;
        write!(f, "; at most {}", self.budget)
    }
}

/// Chooses by chance, within what the seed has drawn.
///
/// Leaving out one thing leaves every other choice as it was, since a choice is a hash of the seed
/// and the key. Only the budget counts: what comes after its last deviation is boring.
#[derive(Clone, Debug)]
pub struct Random {
    swarm: Swarm,
    seed: u64,
    left: u32,
}

impl Random {
    /// All choices follow from the seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::of(Swarm::new(seed), seed)
    }

    /// Chooses by a seed within what was drawn otherwise.
    #[must_use]
    pub fn of(swarm: Swarm, seed: u64) -> Self {
        Self { seed: mix(seed ^ mix(1)), left: swarm.budget, swarm }
    }

    /// What the seed has drawn.
    #[must_use]
    pub fn swarm(&self) -> &Swarm {
        &self.swarm
    }
}

impl Chooser for Random {
    fn choose(&mut self, key: Key, options: Options) -> u8 {
        let family = self.swarm.of(key.what);
        let decision = u64::from(key.call) << 8 | key.what as u64;
        let drawn = mix(self.seed ^ key.of.0 ^ mix(decision));
        if below(drawn, family.rate) != 0 || self.left == 0 {
            return 0;
        }
        // The first number said whether; which of them is another's matter.
        let chosen = family.pick(options, mix(drawn));
        if chosen != 0 {
            self.left = self.left.saturating_sub(1);
        }
        chosen
    }

    // The calm run asks too: it must be the one in which nothing was chosen, not another.
    fn is_boring(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::chooser::Name;

    fn everything(what: What) -> Options {
        Allowed::default().of(what)
    }

    fn keys(count: u64) -> impl DoubleEndedIterator<Item = Key> {
        (0..count).map(|n| Key {
            of: Name(n / 50),
            call: u32::try_from(n % 50).unwrap(),
            what: [What::Fault, What::Mishap, What::Skew][usize::try_from(n % 3).unwrap()],
        })
    }

    fn unlimited(seed: u64) -> Random {
        Random::of(Swarm { budget: u32::MAX, ..Swarm::new(seed) }, seed)
    }

    #[test]
    fn a_choice_follows_from_seed_and_key_and_not_from_the_order_of_asking() {
        let mut differ = 0;
        for seed in 0..50 {
            let (mut forth, mut back) = (unlimited(seed), unlimited(seed));
            let ask = |chooser: &mut Random, key: Key| chooser.choose(key, everything(key.what));
            let one: Vec<u8> = keys(5_000).map(|key| ask(&mut forth, key)).collect();
            let mut other: Vec<u8> = keys(5_000).rev().map(|key| ask(&mut back, key)).collect();
            other.reverse();
            assert_eq!(one, other);
            let mut next = unlimited(seed + 1);
            differ += u32::from(keys(5_000).map(|key| ask(&mut next, key)).ne(one));
        }
        assert!(differ > 45, "{differ}");
    }

    /// A choice of the option must not hang on whether it deviates, nor two families on each other.
    #[test]
    fn every_option_is_chosen_about_as_often_as_it_weighs() {
        let family = Family { open: Options::of([1, 2, 5]), weights: [0; OPTIONS], rate: 8 };
        let mut family = Family { ..family };
        (family.weights[1], family.weights[2], family.weights[5]) = (10, 20, 70);
        let swarm = Swarm { faults: family, budget: u32::MAX, ..Swarm::new(1) };
        let mut random = Random::of(swarm, 77);
        let mut times = [0_u32; OPTIONS];
        for n in 0..80_000_u64 {
            let key = Key { of: Name(mix(n)), call: 3, what: What::Fault };
            times[usize::from(random.choose(key, everything(What::Fault)))] += 1;
        }
        assert!((69_300..70_700).contains(&times[0]), "{times:?}");
        assert!((850..1_150).contains(&times[1]), "{times:?}");
        assert!((1_800..2_200).contains(&times[2]), "{times:?}");
        assert!((6_600..7_400).contains(&times[5]), "{times:?}");
    }

    #[test]
    fn a_fifth_of_the_seeds_is_calm_and_the_others_differ() {
        let calm = (0..5_000).filter(|seed| Swarm::new(*seed).is_calm()).count();
        assert!((900..1_100).contains(&calm), "{calm}");
        let rates: BTreeSet<u64> = (0..200).map(|seed| Swarm::new(seed).faults.rate).collect();
        assert_eq!(rates, BTreeSet::from(RATES));
        let budgets: BTreeSet<u32> = (0..200).map(|seed| Swarm::new(seed).budget).collect();
        assert_eq!(budgets, (0..9).map(|n| 1 << n).collect());
        for fault in Fault::ALL {
            let with = (0..1_000).filter(|seed| Swarm::new(*seed).faults.open.has(fault as u8));
            assert!((330..470).contains(&with.count()), "{}", fault.name());
        }
    }

    #[test]
    fn no_more_goes_wrong_than_the_budget_and_nothing_that_is_not_open() {
        for seed in 0..200 {
            let mut random = Random::new(seed);
            let swarm = random.swarm().clone();
            let mut made = 0;
            for key in keys(5_000) {
                let chosen = random.choose(key, Options::of([1, 3]));
                assert!([0, 1, 3].contains(&chosen));
                assert!(swarm.of(key.what).open.has(chosen));
                made += u32::from(chosen != 0);
            }
            assert!(made <= swarm.budget);
            assert!(!swarm.is_calm() || made == 0);
        }
    }

    #[test]
    fn what_was_drawn_can_be_read() {
        let told: Vec<String> = (0..20).map(|seed| Swarm::new(seed).to_string()).collect();
        assert!(told.contains(&"nothing goes wrong".to_owned()));
        let with = told.iter().find(|told| told.contains("crash-before")).unwrap();
        assert!(with.starts_with("faults ") && with.contains("; at most "), "{with}");
    }
}
