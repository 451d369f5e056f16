//! Laws of recurrences, slots and retention.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "small numbers that the generators bound; an overflow fails the test"
)]

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use crossvault_core::{
    ids::{JobId, PointId},
    schedule::{
        Recurrence,
        retention::{
            self, Expiry, Fate, Period, PointFacts, RETENTION_DAYS_MAX, Reason, Retention, Rules,
            SpecialRule,
        },
        slot::{self, Count, GRACE},
    },
};
use proptest::{
    collection::vec, prelude::*, sample::select, strategy::ValueTree, test_runner::TestRunner,
};

/// Zones whose clocks change in different ways, and a day on which each does.
const CHANGES: [(Tz, &str); 12] = [
    (Tz::Europe__Berlin, "2025-03-30"),
    (Tz::Europe__Berlin, "2025-10-26"),
    (Tz::America__New_York, "2025-03-09"),
    (Tz::America__New_York, "2025-11-02"),
    (Tz::Australia__Lord_Howe, "2025-04-06"), // half an hour back
    (Tz::Australia__Lord_Howe, "2025-10-05"), // half an hour forward
    (Tz::Africa__Casablanca, "2025-02-23"),
    (Tz::Africa__Casablanca, "2025-04-06"),
    (Tz::Pacific__Apia, "2011-12-30"), // a day that does not exist
    (Tz::Pacific__Kwajalein, "1993-08-21"), // the same
    (Tz::Asia__Beirut, "2025-03-30"),  // no midnight
    (Tz::Asia__Shanghai, "2025-06-01"), // nothing changes
];

/// A cron beside what it means, so that the meaning is not read from the text again.
#[derive(Clone, Debug)]
struct Cron {
    text: String,
    second: u32,
    minutes: BTreeSet<u32>,
    hours: BTreeSet<u32>,
    months: BTreeSet<u32>,
    days: Days,
}

#[derive(Clone, Debug)]
enum Days {
    All,
    OfMonth(BTreeSet<u32>),
    OfWeek(BTreeSet<u32>),
    Last,
    Nth(u32, u32),
    LastOfWeek(u32),
}

impl Cron {
    /// Whether it runs at a local time, by the fields alone.
    fn matches(&self, local: NaiveDateTime) -> bool {
        let weekday = local.weekday().num_days_from_sunday() + 1;
        let is_last_of = |days: i64| (local + TimeDelta::days(days)).month() != local.month();
        let is_day = match &self.days {
            Days::All => true,
            Days::OfMonth(days) => days.contains(&local.day()),
            Days::OfWeek(days) => days.contains(&weekday),
            Days::Last => is_last_of(1),
            Days::Nth(day, nth) => weekday == *day && (local.day() - 1) / 7 + 1 == *nth,
            Days::LastOfWeek(day) => weekday == *day && is_last_of(7),
        };
        is_day
            && local.second() == self.second
            && self.minutes.contains(&local.minute())
            && self.hours.contains(&local.hour())
            && self.months.contains(&local.month())
    }

    /// All slots in a window, by looking at every local minute and every instant at which the
    /// clocks could show it: the slot of a local time is the first instant at which the clocks
    /// show that time or a later one.
    fn slots(&self, zone: Tz, from: DateTime<Utc>, upto: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let day = TimeDelta::days(1);
        let seconds = BTreeSet::from([0, i64::from(self.second)]);
        let minutes = (0..).map(|minute| from - day + TimeDelta::minutes(minute));
        let mut instants = minutes
            .take_while(|&at| at <= upto + day)
            .flat_map(|at| seconds.iter().map(move |&s| at + TimeDelta::seconds(s)))
            .peekable();
        let mut slots = BTreeSet::new();
        let mut latest = NaiveDateTime::MIN;
        let mut local = (from - day).naive_utc().with_second(self.second).unwrap();
        while local <= (upto + day).naive_utc() {
            if self.matches(local) {
                // The clocks may go back, but the first instant at which they show a time or a
                // later one never does.
                while let Some(&at) = instants.peek() {
                    latest = latest.max(at.with_timezone(&zone).naive_local());
                    if latest >= local {
                        slots.insert(at);
                        break;
                    }
                    instants.next();
                }
            }
            local += TimeDelta::minutes(1);
        }
        slots.into_iter().filter(|at| (from..=upto).contains(at)).collect()
    }
}

/// Values of one field, and a text for them: one value, a list, a range, steps, or all.
fn any_field(min: u32, max: u32) -> impl Strategy<Value = (String, BTreeSet<u32>)> {
    let value = min..=max;
    prop_oneof![
        Just(("*".to_owned(), value.clone().collect())),
        value.clone().prop_map(|one| (one.to_string(), BTreeSet::from([one]))),
        vec(value.clone(), 2..4).prop_map(|list| {
            let text = list.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            (text, list.into_iter().collect())
        }),
        (value.clone(), value.clone(), 1..=max).prop_map(move |(from, to, step)| {
            let around = (from..=max).chain(min..=max);
            let length = if from <= to { to - from } else { max - from + 1 + to - min };
            let all = around.take(length as usize + 1).step_by(step as usize);
            (format!("{from}-{to}/{step}"), all.collect())
        }),
        (value, 1..=max).prop_map(move |(from, step)| {
            (format!("{from}/{step}"), (from..=max).step_by(step as usize).collect())
        }),
    ]
}

fn any_days() -> impl Strategy<Value = (String, String, Days)> {
    let open = || select(vec!["?", "*"]);
    let name =
        |day: u32| ["SUN", "mon", "TUE", "WED", "THU", "Fri", "SAT"][day as usize - 1].to_owned();
    prop_oneof![
        4 => select(vec![("?", "*"), ("*", "?"), ("*", "*")]).prop_map(|(day, weekday)| (
            day.to_owned(),
            weekday.to_owned(),
            Days::All
        )),
        1 => (any_field(1, 31), open())
            .prop_filter("a day", |((text, _), _)| text != "*")
            .prop_map(|((text, days), open)| (text, open.to_owned(), Days::OfMonth(days))),
        1 => (open(), any_field(1, 7))
            .prop_filter("a weekday", |(_, (text, _))| text != "*")
            .prop_map(|(open, (text, days))| (open.to_owned(), text, Days::OfWeek(days))),
        1 => (1..=7_u32).prop_map(move |day| {
            ("?".to_owned(), name(day), Days::OfWeek(BTreeSet::from([day])))
        }),
        1 => Just(("L".to_owned(), "?".to_owned(), Days::Last)),
        1 => (1..=7_u32, 1..=5_u32).prop_map(|(day, nth)| {
            ("?".to_owned(), format!("{day}#{nth}"), Days::Nth(day, nth))
        }),
        1 => (1..=7_u32).prop_map(|day| ("?".to_owned(), format!("{day}L"), Days::LastOfWeek(day))),
    ]
}

prop_compose! {
    fn any_cron()(
        second in prop_oneof![Just(0_u32), 0..60_u32],
        (minute_text, minutes) in any_field(0, 59),
        // Clocks change in the night.
        (hour_text, hours) in prop_oneof![
            2 => any_field(0, 23),
            3 => (0..4_u32, 0..4_u32).prop_map(|(from, more)| {
                (format!("{from}-{}", from + more), (from..=from + more).collect())
            }),
        ],
        (month_text, months) in prop_oneof![
            9 => Just(("*".to_owned(), (1..=12).collect::<BTreeSet<u32>>())),
            1 => any_field(1, 12),
        ],
        (day_text, weekday_text, days) in any_days(),
    ) -> Cron {
        let text =
            format!("{second} {minute_text} {hour_text} {day_text} {month_text} {weekday_text}");
        Cron { text, second, minutes, hours, months, days }
    }
}

/// The midnight of UTC before a change of the clocks, and some days around it.
fn any_change() -> impl Strategy<Value = (Tz, DateTime<Utc>)> {
    select(CHANGES.to_vec()).prop_map(|(zone, day)| {
        let day: NaiveDate = day.parse().unwrap();
        (zone, day.and_hms_opt(0, 0, 0).unwrap().and_utc())
    })
}

/// A schedule that may run anywhere near a change of the clocks, and that change.
fn any_recurrence() -> impl Strategy<Value = (Recurrence, DateTime<Utc>)> {
    let interval = (prop_oneof![60..4_000_i64, 4_000..200_000_i64], -400_000..400_000_i64);
    prop_oneof![
        (any_change(), interval).prop_map(|((zone, day), (seconds, offset_s))| {
            let text = format!("I|{}|PT{seconds}S", day.timestamp() + offset_s);
            (Recurrence::parse(&text, zone).unwrap(), day)
        }),
        (any_change(), any_cron(), -400_000..400_000_i64).prop_filter_map(
            "a cron may never run",
            |((zone, day), cron, offset_s)| {
                let text = format!("C|{}|{}", day.timestamp() + offset_s, cron.text);
                Recurrence::parse(&text, zone).ok().map(|recurrence| (recurrence, day))
            }
        ),
    ]
}

/// Any instant at all, most of them near a day.
fn any_instant(day: DateTime<Utc>) -> impl Strategy<Value = DateTime<Utc>> {
    prop_oneof![
        8 => (-500_000_000_i64..500_000_000).prop_map(move |ms| day + TimeDelta::milliseconds(ms)),
        1 => (DateTime::<Utc>::MIN_UTC.timestamp()..=DateTime::<Utc>::MAX_UTC.timestamp())
            .prop_map(|s| DateTime::from_timestamp(s, 0).unwrap()),
        1 => select(vec![DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC]),
    ]
}

proptest! {
    /// What is shown, stored and sent is what was given.
    #[test]
    fn print_then_parse_is_the_same((recurrence, _) in any_recurrence()) {
        let again = Recurrence::parse(&recurrence.to_string(), recurrence.zone()).unwrap();
        prop_assert_eq!(&again, &recurrence);
        prop_assert_eq!(again.describe(), recurrence.describe());
        let stored = serde_json::to_string(&recurrence).unwrap();
        prop_assert_eq!(serde_json::from_str::<Recurrence>(&stored).unwrap(), recurrence);
    }

    /// A reader of schedules is given anything at all; it refuses, and never panics.
    #[test]
    fn any_text_is_read_or_refused(text in "[IC]\\|[0-9]{1,10}\\|[PTDHMSW0-9 ?*,/#LW-]{0,20}|.{0,30}") {
        if let Ok(recurrence) = Recurrence::parse(&text, Tz::Europe__Berlin) {
            prop_assert_eq!(recurrence.to_string(), text);
        }
    }

    /// Slots are found one after the other by asking for the next; the way back finds the same.
    #[test]
    fn the_next_slot_is_later_and_the_last_slot_is_the_same(
        ((recurrence, _), at) in any_recurrence()
            .prop_flat_map(|(recurrence, day)| (Just((recurrence, day)), any_instant(day))),
    ) {
        let mut at = at;
        for _ in 0..20 {
            let Some(next) = recurrence.next_after(at) else { break };
            prop_assert!(next > at && next >= recurrence.start());
            prop_assert_eq!(recurrence.first_from(next), Some(next));
            prop_assert_eq!(recurrence.last_until(next), Some(next));
            let before = next - TimeDelta::nanoseconds(1);
            prop_assert!(recurrence.last_until(before).is_none_or(|last| last <= at));
            at = next;
        }
    }

    /// What an instant can be is wider than what a schedule reaches: the ends answer "none".
    #[test]
    fn no_instant_is_too_far(
        ((recurrence, _), (next, upto)) in any_recurrence().prop_flat_map(|(recurrence, day)| {
            (Just((recurrence, day)), (any_instant(day), any_instant(day)))
        }),
        grace_s in prop_oneof![Just(i64::MIN / 1_000), Just(i64::MAX / 1_000), -10..10_000_i64],
    ) {
        let plan = slot::plan(&recurrence, next, upto, TimeDelta::seconds(grace_s));
        prop_assert!(plan.next.is_none_or(|then| then >= next));
        prop_assert!(plan.due.is_none_or(|due| (next..=upto).contains(&due)));
    }

    /// The search leaps over fields and clock changes; looking at every minute finds the same.
    #[test]
    fn a_cron_runs_when_a_look_at_every_minute_says_so(
        (zone, day) in any_change(),
        cron in any_cron(),
    ) {
        let (from, upto) = (day - TimeDelta::days(1), day + TimeDelta::days(3));
        let Ok(recurrence) = Recurrence::parse(&format!("C|0|{}", cron.text), zone) else {
            // Only days that never come are refused: `31` in months that have fewer.
            prop_assert!(matches!(cron.days, Days::OfMonth(_) | Days::Nth(..)));
            return Ok(());
        };
        let expected = cron.slots(zone, from, upto);
        let first = recurrence.first_from(from);
        let found: Vec<_> = std::iter::successors(first, |&slot| recurrence.next_after(slot))
            .take_while(|&slot| slot <= upto)
            .collect();
        prop_assert_eq!(&found, &expected);
        // And from any instant in between, also inside an hour that runs twice.
        for quarter in 0..(4 * 24 * 4) {
            let at = from + TimeDelta::seconds(quarter * 900 + 7);
            let next = expected.iter().find(|&&slot| slot > at);
            if let Some(&next) = next {
                prop_assert_eq!(recurrence.next_after(at), Some(next));
            }
            if let Some(&last) = expected.iter().rev().find(|&&slot| slot <= at) {
                prop_assert_eq!(recurrence.last_until(at), Some(last));
            }
        }
    }

    /// Each slot has one outcome: ticks come late, early, twice, with a clock that jumps.
    #[test]
    fn every_slot_gets_exactly_one_outcome(
        (recurrence, day) in any_recurrence(),
        jumps_s in vec(prop_oneof![
            4 => Just(60_i64), 2 => -4_000..4_000_i64, 1 => 0..400_000_i64, 1 => Just(0),
        ], 1..60),
    ) {
        let from = day - TimeDelta::days(2);
        let Some(begin) = recurrence.first_from(from) else { return Ok(()) };
        let mut decided = BTreeMap::new();
        let (mut next, mut clock, mut latest) = (Some(begin), from, from);
        for jump_s in jumps_s {
            clock += TimeDelta::seconds(jump_s);
            latest = latest.max(clock);
            let Some(now_next) = next else { break };
            let plan = slot::plan(&recurrence, now_next, clock, GRACE);
            if let Some(missed) = plan.missed {
                let slots: Vec<_> =
                    std::iter::successors(Some(missed.first), |&at| recurrence.next_after(at))
                        .take_while(|&at| at <= missed.last)
                        .collect();
                let count = slots.len() as u64;
                prop_assert_eq!(slots.last(), Some(&missed.last));
                let is_right = match missed.count {
                    Count::Exactly(exactly) => exactly == count,
                    Count::AtLeast(least) => least < count,
                };
                prop_assert!(is_right, "{count} slots are not {}", missed.count);
                for slot in slots {
                    let is_old = slot < clock - GRACE;
                    prop_assert!(is_old || plan.due.is_some_and(|due| due > slot));
                    prop_assert_eq!(decided.insert(slot, "missed"), None, "{} again", slot);
                }
            }
            if let Some(due) = plan.due {
                prop_assert!(due <= clock && due >= clock - GRACE);
                prop_assert_eq!(decided.insert(due, "due"), None, "{} again", due);
            }
            prop_assert!(plan.next.is_none_or(|then| then >= now_next && then > clock));
            // Twice is once.
            if let Some(then) = plan.next {
                let again = slot::plan(&recurrence, then, clock, GRACE);
                prop_assert_eq!(again, slot::Plan { missed: None, due: None, next: plan.next });
            }
            next = plan.next;
        }
        let all = std::iter::successors(Some(begin), |&slot| recurrence.next_after(slot))
            .take_while(|&slot| slot <= latest);
        prop_assert!(all.eq(decided.keys().copied()), "a slot was lost or invented");
    }
}

/// The laws above say little if no clock change is ever met: here each kind is.
#[test]
fn the_generators_meet_gaps_and_repeated_hours() {
    let mut runner = TestRunner::deterministic();
    let (mut in_gap, mut in_repeated, mut empty, mut full) = (0, 0, 0, 0);
    for _ in 0..300 {
        let (zone, day) = any_change().new_tree(&mut runner).unwrap().current();
        let cron = any_cron().new_tree(&mut runner).unwrap().current();
        let (from, upto) = (day - TimeDelta::days(1), day + TimeDelta::days(3));
        let slots = cron.slots(zone, from, upto);
        let locals: Vec<_> = slots.iter().map(|at| at.with_timezone(&zone).naive_local()).collect();
        in_gap += usize::from(locals.iter().any(|&local| !cron.matches(local)));
        let repeated = |local: &NaiveDateTime| {
            matches!(local.and_local_timezone(zone), chrono::MappedLocalTime::Ambiguous(..))
        };
        in_repeated += usize::from(locals.iter().any(repeated));
        empty += usize::from(slots.is_empty());
        full += usize::from(slots.len() > 100);
    }
    let met = [in_gap, in_repeated, empty, full];
    assert!(met.iter().all(|&count| count >= 10), "{met:?}");
}

fn any_rules() -> impl Strategy<Value = Rules> {
    let normal = prop_oneof![1..40_u32, 1..RETENTION_DAYS_MAX];
    let special = (proptest::sample::subsequence(Period::ALL.to_vec(), 0..=4), vec(1..800_u32, 4));
    let some = (normal, special, any::<bool>()).prop_map(|(normal, (periods, extra), latest)| {
        let special = periods.into_iter().zip(extra).map(|(period, extra)| SpecialRule {
            period,
            days: (normal + extra).min(RETENTION_DAYS_MAX),
        });
        Rules::new(Retention::Days(normal), special.collect(), latest).unwrap()
    });
    prop_oneof![
        9 => some,
        1 => any::<bool>()
            .prop_map(|latest| Rules::new(Retention::Forever, vec![], latest).unwrap()),
    ]
}

fn any_zone() -> impl Strategy<Value = Tz> {
    select(CHANGES.to_vec()).prop_map(|(zone, _)| zone)
}

/// The instants at which the points of a binding were taken, rising, and some days apart.
fn any_history() -> impl Strategy<Value = Vec<DateTime<Utc>>> {
    let gap_s = prop_oneof![3 => 600..90_000_i64, 1 => 80_000..4_000_000_i64];
    (0..2_000_000_000_i64, vec(gap_s, 1..40)).prop_map(|(begin_s, gaps_s)| {
        let at = |s| DateTime::from_timestamp(s, 0).unwrap();
        let mut taken_s = begin_s;
        gaps_s
            .into_iter()
            .map(|gap_s| {
                taken_s += gap_s;
                at(taken_s)
            })
            .collect()
    })
}

fn any_point() -> impl Strategy<Value = PointFacts> {
    let expires = prop_oneof![
        4 => (0..100_i64).prop_map(|s| Expiry::At(DateTime::from_timestamp(s, 0).unwrap())),
        1 => Just(Expiry::Never),
    ];
    (0..1_000_u32, 0..20_i64, expires, any::<[bool; 3]>()).prop_map(|(id, taken_s, expires, is)| {
        PointFacts {
            id: PointId::of_job(&JobId::derive(&[&id.to_string()])),
            taken: DateTime::from_timestamp(taken_s, 0).unwrap(),
            expires,
            is_complete: is[0],
            is_held: is[1],
            is_in_use: is[2],
        }
    })
}

fn without_repeated_ids(points: Vec<PointFacts>) -> Vec<PointFacts> {
    points
        .into_iter()
        .map(|point| (point.id.clone(), point))
        .collect::<BTreeMap<_, _>>()
        .into_values()
        .collect()
}

proptest! {
    /// Special retention never shortens, and no point goes before its normal retention.
    #[test]
    fn a_point_is_kept_at_least_the_normal_retention(
        rules in any_rules(),
        history in any_history(),
        zone in any_zone(),
    ) {
        let mut previous = None;
        for taken in history {
            let first_of = retention::first_of(taken, previous, zone);
            match (rules.retention(), retention::expiry(taken, &rules, &first_of)) {
                (Retention::Days(days), Expiry::At(at)) => {
                    prop_assert!(at >= taken + TimeDelta::days(i64::from(days)));
                    let rules = rules.special().iter().filter(|r| first_of.contains(r.period));
                    let longest = rules.map(|rule| rule.days).max().unwrap_or(days);
                    prop_assert_eq!(at, taken + TimeDelta::days(i64::from(longest)));
                }
                (retention, expires) => {
                    prop_assert_eq!((retention, expires), (Retention::Forever, Expiry::Never));
                }
            }
            previous = Some(taken);
        }
    }

    /// Exactly one point of a period is its first: the earliest one made in it.
    #[test]
    fn each_period_has_exactly_one_first_point(history in any_history(), zone in any_zone()) {
        let mut previous = None;
        let mut firsts: BTreeMap<(Period, String), Vec<DateTime<Utc>>> = BTreeMap::new();
        let mut earliest = BTreeMap::new();
        for taken in history {
            let first_of = retention::first_of(taken, previous, zone);
            let local = taken.with_timezone(&zone);
            for (period, key) in [
                (Period::Daily, "%Y-%m-%d"), (Period::Weekly, "%G-%V"),
                (Period::Monthly, "%Y-%m"), (Period::Yearly, "%Y"),
            ] {
                let key = (period, local.format(key).to_string());
                earliest.entry(key.clone()).or_insert_with(|| vec![taken]);
                if first_of.contains(period) {
                    firsts.entry(key).or_default().push(taken);
                }
            }
            previous = Some(taken);
        }
        prop_assert_eq!(firsts, earliest);
    }

    /// A clock that went back must not make a second first point of a period.
    #[test]
    fn a_point_taken_before_the_previous_one_is_the_first_of_nothing(
        previous_s in 0..2_000_000_000_i64, back_s in 0..1_000_000_000_i64, zone in any_zone(),
    ) {
        let at = |s| DateTime::from_timestamp(s, 0).unwrap();
        let first_of = retention::first_of(at(previous_s - back_s), Some(at(previous_s)), zone);
        prop_assert!(Period::ALL.iter().all(|&period| !first_of.contains(period)));
    }

    /// The plan explains every point, and only an expired one that nothing keeps goes.
    #[test]
    fn only_an_expired_point_that_nothing_keeps_goes(
        points in vec(any_point(), 0..12).prop_map(without_repeated_ids),
        keep_latest: bool, is_bound: bool, now_s in 0..100_i64,
    ) {
        let now = DateTime::from_timestamp(now_s, 0).unwrap();
        let plan = retention::plan(&points, keep_latest, is_bound, now);
        prop_assert_eq!(plan.len(), points.len());
        for verdict in &plan {
            let point = points.iter().find(|point| point.id == verdict.point).unwrap();
            let is_expired = matches!(point.expires, Expiry::At(at) if at <= now);
            match verdict.fate {
                Fate::Expire { since } => {
                    prop_assert!(is_expired && !point.is_held && !point.is_in_use);
                    prop_assert_eq!(Expiry::At(since), point.expires);
                }
                Fate::Keep(Reason::Held) => prop_assert!(point.is_held),
                Fate::Keep(Reason::InUse) => prop_assert!(point.is_in_use),
                Fate::Keep(Reason::Permanent) => prop_assert_eq!(point.expires, Expiry::Never),
                Fate::Keep(Reason::Until(at)) => {
                    prop_assert!(!is_expired);
                    prop_assert_eq!(Expiry::At(at), point.expires);
                }
                Fate::Keep(Reason::Latest) => prop_assert!(is_expired && keep_latest && is_bound),
            }
        }
        if keep_latest && is_bound {
            let complete = points.iter().filter(|point| point.is_complete);
            let newest = complete.max_by_key(|point| (point.taken, point.id.clone()));
            for verdict in plan.iter().filter(|v| newest.is_some_and(|n| n.id == v.point)) {
                prop_assert!(matches!(verdict.fate, Fate::Keep(_)));
            }
        }
    }

    /// Pages of points arrive in any order, and the answer is one of the set.
    #[test]
    fn the_order_of_points_does_not_matter(
        (points, shuffled) in vec(any_point(), 0..12).prop_map(without_repeated_ids)
            .prop_flat_map(|points| (Just(points.clone()), Just(points).prop_shuffle())),
        keep_latest: bool, is_bound: bool, now_s in 0..100_i64,
    ) {
        let now = DateTime::from_timestamp(now_s, 0).unwrap();
        prop_assert_eq!(
            retention::plan(&points, keep_latest, is_bound, now),
            retention::plan(&shuffled, keep_latest, is_bound, now)
        );
    }

    /// A run that is repeated finds nothing left, and judges what stays as before.
    #[test]
    fn planning_twice_is_planning_once(
        points in vec(any_point(), 0..12).prop_map(without_repeated_ids),
        keep_latest: bool, is_bound: bool, now_s in 0..100_i64,
    ) {
        let now = DateTime::from_timestamp(now_s, 0).unwrap();
        let mut kept = retention::plan(&points, keep_latest, is_bound, now);
        kept.retain(|verdict| matches!(verdict.fate, Fate::Keep(_)));
        let left: Vec<_> = points
            .into_iter()
            .filter(|point| kept.iter().any(|verdict| verdict.point == point.id))
            .collect();
        prop_assert_eq!(retention::plan(&left, keep_latest, is_bound, now), kept);
    }

    /// Rules are stored as the cloud writes them and read back the same.
    #[test]
    fn rules_read_back_as_they_were_written(rules in any_rules()) {
        let stored = serde_json::to_string(&rules).unwrap();
        prop_assert_eq!(serde_json::from_str::<Rules>(&stored).unwrap(), rules);
    }
}
