use proptest::{collection::vec, prelude::*};

use super::*;
use crate::authorization::Cause;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Made(u64);

impl Seal for Made {
    fn failed(&self) -> u64 {
        self.0
    }
}

fn trouble() -> Trouble {
    Trouble { code: "THROTTLED".into(), message: "slow down".into(), remedy: "Wait.".into() }
}

fn any_event() -> impl Strategy<Value = Event<Made>> {
    let progress = (0_u64..5, 0_u64..5).prop_map(|(bytes, files)| Progress {
        bytes: Bytes(bytes),
        files,
        ..Progress::default()
    });
    prop_oneof![
        4 => Just(Event::Authorized),
        1 => Just(Event::Refused(Causes::one(Cause::GrantRemoved {
            account: "1000000000000012".parse().unwrap(),
        }))),
        4 => progress.clone().prop_map(Event::Moved),
        4 => (0_u8..3, progress).prop_map(|(at, progress)| Event::Paused {
            at: Checkpoint(Some(at.to_string())),
            progress,
        }),
        4 => (0_u32..20).prop_map(|fence| Event::Stumbled { fence, trouble: trouble() }),
        1 => (0_u64..2).prop_map(|failed| Event::Sealed(Made(failed))),
        1 => Just(Event::Outdated),
        1 => Just(Event::Broken(trouble())),
        1 => Just(Event::CancelAsked),
        1 => Just(Event::Halted),
    ]
}

proptest! {
    /// Delivery is at least once, so an event that arrives twice must do what it does once.
    /// Only `Outdated` may ask for its step again: a step too many is harmless.
    #[test]
    fn a_repeated_event_changes_nothing(events in vec(any_event(), 1..30)) {
        let mut state = State::Queued;
        for event in events {
            let Ok((next, _)) = transition(state.clone(), event.clone()) else { continue };
            let (again, effects) = transition(next.clone(), event.clone()).unwrap();
            if !matches!(event, Event::CancelAsked) {
                prop_assert_eq!(&again, &next);
            }
            if !matches!(event, Event::Outdated | Event::CancelAsked) {
                prop_assert_eq!(effects, vec![]);
            }
            state = next;
        }
    }

    /// A job ends once: whatever comes afterwards neither changes it nor has effects.
    #[test]
    fn the_end_is_final(events in vec(any_event(), 1..40)) {
        let mut state = State::Queued;
        let mut finishes = Vec::new();
        for event in events {
            let Ok((next, effects)) = transition(state.clone(), event) else { continue };
            if state.is_ended() {
                prop_assert_eq!(&next, &state);
            }
            finishes.extend(effects.into_iter().filter(|effect| *effect == Effect::Finish));
            prop_assert_eq!(finishes.len(), usize::from(next.is_ended()));
            state = next;
        }
    }

    /// A job that never makes progress ends by itself.
    #[test]
    fn stumbling_in_a_row_ends(first in 0_u32..1000) {
        let mut state: State<Made> = State::Queued;
        for fence in (first..).take(STUMBLES_MAX as usize) {
            prop_assert!(!state.is_ended());
            let (next, effects) = transition(state, Event::Stumbled { fence, trouble: trouble() }).unwrap();
            for effect in effects {
                if let Effect::TakeStep { delay_s } = effect {
                    prop_assert!((BACK_OFF_FIRST_S..=BACK_OFF_MAX_S).contains(&delay_s));
                }
            }
            state = next;
        }
        prop_assert!(state.is_ended());
    }
}

#[test]
fn progress_forgives_stumbles() {
    let (state, _) = transition(State::Queued, Event::<Made>::Authorized).unwrap();
    let (state, _) = transition(state, Event::Stumbled { fence: 1, trouble: trouble() }).unwrap();
    let progress = Progress { bytes: Bytes(1), ..Progress::default() };
    let (state, _) = transition(state, Event::Moved(progress)).unwrap();
    assert!(matches!(state, State::Running(Running { stumbles: 0, .. })));
}

#[test]
fn failed_files_make_the_end_partial() {
    let running = State::Running(Running::default());
    let (state, _) = transition(running, Event::Sealed(Made(1))).unwrap();
    assert_eq!(state.name(), "PARTIAL_COMPLETE");
}

#[test]
fn every_state_is_reached() {
    let names: Vec<_> = [
        vec![],
        vec![Event::Authorized],
        vec![Event::Authorized, Event::CancelAsked],
        vec![Event::Authorized, Event::Sealed(Made(0))],
        vec![Event::Authorized, Event::Sealed(Made(2))],
        vec![Event::Broken(trouble())],
        vec![Event::CancelAsked],
    ]
    .into_iter()
    .map(|events| {
        events
            .into_iter()
            .fold(State::Queued, |state, event| transition(state, event).unwrap().0)
            .name()
    })
    .collect();
    let expected =
        ["QUEUED", "RUNNING", "CANCELING", "COMPLETE", "PARTIAL_COMPLETE", "FAILED", "CANCELED"];
    assert_eq!(names, expected);
}
