//! Whole scenarios from a seed: who there is, what they have, and what they do for hours or days.
//!
//! A scenario is drawn in three steps: the [`cast`], how everything was set up ([`onboarding`]: no
//! act of it is refused), and what happens afterwards ([`life`]). A swarm again: each seed has a
//! part of all deeds only, with weights of its own. Nothing that is done later hangs on anything
//! else that is done later, so that a scenario stays one whatever is left out.

mod cast;
mod life;
mod onboarding;

use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};

use self::cast::Cast;
use crate::{
    chooser::{Chance, Deviations},
    run::Settings,
    scenario::{Expect, Scenario},
    script::{Act, Action},
};

/// How large the world is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// 1 to 4 resource accounts with 1 to 3 sources each, at most 40 deeds: milliseconds.
    #[default]
    Small,
    /// 8 to 40 resource accounts, up to 200 deeds.
    Wide,
}

impl Scale {
    /// How many resource accounts there are, from and to.
    fn accounts(self) -> (u64, u64) {
        match self {
            Self::Small => (1, 4),
            Self::Wide => (8, 40),
        }
    }

    /// How many things are done, from and to.
    fn deeds(self) -> (u64, u64) {
        match self {
            Self::Small => (3, 40),
            Self::Wide => (20, 200),
        }
    }
}

/// The scenario that follows from a seed, with nothing going wrong by itself.
#[must_use]
pub fn scenario(seed: u64, scale: Scale) -> Scenario {
    let mut chance = Chance::new(seed, 16);
    let hours = i64::try_from(chance.below(24 * 365)).unwrap_or(0);
    let start = later(DateTime::UNIX_EPOCH, TimeDelta::days(20_454));
    let start = later(start, TimeDelta::hours(hours));
    let cast = Cast::draw(&mut chance, scale);
    let (before, ready) = onboarding::acts(&cast, start);
    let acts = life::acts(&mut chance, &cast, scale, ready);
    let ids = u32::try_from(before.len()).unwrap_or(u32::MAX);
    Scenario {
        about: format!("What follows from seed {seed}: {}.", cast.about()),
        management: cast.management.clone(),
        start,
        settings: settings(&mut chance),
        before: numbered(before, 0).into(),
        acts: numbered(acts, ids).into(),
        deviations: Deviations::default(),
        expect: Expect::default(),
    }
}

fn settings(chance: &mut Chance) -> Settings {
    let mut settings = Settings { is_daily: chance.percent(50), ..Settings::default() };
    settings.workers = usize::try_from(chance.between(2, 8)).unwrap_or(8);
    settings.limits.pace.turns = u16::try_from(chance.between(1, 3)).unwrap_or(2);
    settings
}

/// Acts in the order of time with numbers of their own.
fn numbered(mut acts: Vec<(DateTime<Utc>, Action)>, from: u32) -> Vec<Act> {
    acts.sort_by_key(|(at, _)| *at);
    let ids = (1_u32..).map(|n| n.saturating_add(from));
    ids.zip(acts).map(|(id, (at, action))| Act { id, at, action }).collect()
}

fn later(at: DateTime<Utc>, by: TimeDelta) -> DateTime<Utc> {
    at.checked_add_signed(by).unwrap_or(at)
}

/// An id that is written in this module.
#[expect(clippy::expect_used, reason = "every text is made of constants and small numbers")]
fn id<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("an id that is written here is valid")
}
