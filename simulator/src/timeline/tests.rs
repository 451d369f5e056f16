use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::{
    chooser::Replay,
    cloud::{Cloud, Fact},
    run::{Violation, Watch},
    scenario, sweep,
};

const SCENARIOS: [&str; 3] = [
    include_str!("../../../tests/scenarios/runs/role-deleted-mid-backup.toml"),
    include_str!("../../../tests/scenarios/runs/function-dies-mid-backup.toml"),
    include_str!("../../../tests/scenarios/runs/function-stands-still.toml"),
];

fn recorded(text: &str) -> (Scenario, Recording) {
    let scenario = scenario::read(text).unwrap();
    let recording = record(&scenario, "runs/it.toml").unwrap();
    (scenario, recording)
}

/// The value that a difference makes of another, as the page does it.
fn become_by(before: Option<&Value>, difference: &Difference) -> Option<Value> {
    match difference {
        Difference::Gone => None,
        Difference::Is(value) => Some(value.clone()),
        Difference::Parts(parts) => {
            let mut after = before.unwrap().clone();
            for (key, part) in parts {
                match &mut after {
                    Value::Object(fields) => {
                        match become_by(fields.get(key), part) {
                            Some(value) => fields.insert(key.clone(), value),
                            None => fields.remove(key),
                        };
                    }
                    Value::Array(values) => {
                        let n: usize = key.parse().unwrap();
                        values[n] = become_by(values.get(n), part).unwrap();
                    }
                    other => panic!("{other} has no parts"),
                }
            }
            Some(after)
        }
    }
}

fn rebuilt(recording: &Recording) -> BTreeMap<&str, Value> {
    let mut things = BTreeMap::new();
    for event in &recording.events {
        for (key, difference) in &event.changes {
            let key = recording.keys[*key].as_str();
            match become_by(things.get(key), difference) {
                Some(value) => things.insert(key, value),
                None => things.remove(key),
            };
        }
    }
    things
}

/// The cloud in the end, by who looked on last.
#[derive(Default)]
struct Last(Option<Cloud>);

impl Watch for Last {
    fn at_rest(
        &mut self,
        cloud: &Cloud,
        _: chrono::DateTime<chrono::Utc>,
    ) -> Result<(), Violation> {
        self.0 = Some(cloud.clone());
        Ok(())
    }
}

/// Whoever steps to the last event sees the rows that were stored in the end, and what sources hold.
#[test]
fn the_differences_rebuild_the_world() {
    for text in SCENARIOS {
        let (scenario, recording) = recorded(text);
        let mut last = Last::default();
        let stage = scenario.stage().unwrap();
        let chooser = Replay(scenario.deviations.clone());
        scenario.run(&stage, chooser, &mut last).run();
        let cloud = last.0.unwrap();
        let things = rebuilt(&recording);
        let part = |head: &str| -> Vec<&Value> {
            let of = things.iter().filter(|(key, _)| key.starts_with(head));
            of.map(|(_, value)| value).collect()
        };
        let sorted = |mut values: Vec<String>| {
            values.sort();
            values
        };
        let rows = cloud.rows.all().map(|(_, row)| {
            let value = serde_json::to_value(&row.record).unwrap();
            difference::without_nulls(value["row"].clone()).to_string()
        });
        let shown = part("row/").into_iter().map(ToString::to_string).collect();
        assert_eq!(sorted(rows.collect()), sorted(shown), "{}", scenario.about);
        assert_eq!(part("identity/").len(), cloud.world.entities().count(), "{}", scenario.about);
        for held in cloud.contents.all() {
            let key = format!("holds/{}", held.source);
            let count = things.get(key.as_str()).map(|value| value["count"].clone());
            assert_eq!(count, held.files.as_ref().map(|files| files.len().into()), "{key}");
        }
        assert!(part("function/").is_empty(), "a function runs on in `{}`", scenario.about);
    }
}

/// Who looks on changes nothing, or the page would show another run than it says.
#[test]
fn the_recorded_run_is_the_replayed_one() {
    for text in SCENARIOS {
        let (scenario, recording) = recorded(text);
        let (ended, _) = sweep::replay(&scenario, ()).unwrap();
        assert_eq!(recording.hash, ended.hash);
        assert_eq!(recording.calls, ended.calls);
    }
}

#[test]
fn jobs_are_bars_that_say_how_they_ended_and_what_was_done_for_them() {
    let (_, recording) = recorded(SCENARIOS[0]);
    let bars: Vec<_> =
        recording.jobs.iter().map(|bar| (bar.status, bar.cause.as_deref())).collect();
    assert_eq!(bars, [("COMPLETE", None), ("FAILED", Some("ROLE_DELETED")), ("COMPLETE", None)]);
    for bar in &recording.jobs {
        assert!(bar.queued <= bar.started.unwrap() && bar.started <= bar.ended, "{bar:?}");
        assert!(!bar.steps.is_empty(), "{bar:?}");
    }
    let names: Vec<_> = recording.lanes.iter().map(|lane| lane.name.as_str()).collect();
    assert_eq!(names, ["vaults", "payroll"]);
}

#[test]
fn a_step_says_that_it_died_or_stood_still() {
    let (_, died) = recorded(SCENARIOS[1]);
    assert!(died.jobs[0].steps.iter().any(|step| step.how == "died"), "{:?}", died.jobs[0]);
    let (_, frozen) = recorded(SCENARIOS[2]);
    let stood = frozen.jobs.iter().flat_map(|job| &job.steps).flat_map(|step| &step.frozen);
    let stood: Vec<i64> = stood.map(|(from, to)| to - from).collect();
    assert!(stood.iter().any(|ms| *ms >= 200_000), "{stood:?}");
    for recording in [died, frozen] {
        assert!(recording.events.iter().any(|event| event.kind == Kind::Fault));
        assert!(recording.events.iter().any(|event| event.kind == Kind::Healing));
    }
}

/// Events stand in the order of time, and all that they name exists.
#[test]
fn events_are_in_order() {
    for text in SCENARIOS {
        let (_, recording) = recorded(text);
        assert!(recording.events.is_sorted_by_key(|event| event.at));
        for event in &recording.events {
            assert!(event.lane < recording.lanes.len() && event.text < recording.texts.len());
            assert!(event.job.is_none_or(|job| job < recording.jobs.len()));
        }
    }
}

/// An oracle that finds something wrong as soon as rows are stored.
struct Wrong;

impl Watch for Wrong {
    fn fact(
        &mut self,
        _: &Cloud,
        _: chrono::DateTime<chrono::Utc>,
        fact: &Fact,
    ) -> Result<(), Violation> {
        let Fact::Committed { .. } = fact else { return Ok(()) };
        Err(Violation {
            invariant: crate::run::Invariant::Audit,
            code: "WRONG",
            site: "a row".to_owned(),
            says: "1000000000000012 is wrong".to_owned(),
        })
    }
}

#[test]
fn what_is_broken_is_the_last_event() {
    let scenario = scenario::read(SCENARIOS[0]).unwrap();
    let (stage, mut recorder) = scenario.watched_stage(Recorder::of(&scenario, "it.toml")).unwrap();
    let chooser = Replay(scenario.deviations.clone());
    let ended = scenario.run(&stage, chooser, (&mut recorder, Wrong)).run();
    let recording = recorder.into_recording(&ended);
    assert_eq!(recording.verdict.unwrap().says, "payroll is wrong");
    assert_eq!(recording.events.last().unwrap().kind, Kind::Violation);
}

/// Whatever a scenario says of itself, it ends neither the data nor the title.
#[test]
fn the_page_is_whole_whatever_the_texts_say() {
    let (_, mut recording) = recorded(SCENARIOS[1]);
    "</script><!-- /* data */ &amp; \u{2028}".clone_into(&mut recording.about);
    let page = page(&recording);
    assert_eq!(page.matches("</script>").count(), 2);
    assert!(page.contains("<title>&lt;/script&gt;"), "{}", &page[..400]);
    let (_, data) = page.split_once("id=\"data\">").unwrap();
    let (data, _) = data.split_once("</script>").unwrap();
    let data: Value = serde_json::from_str(data).unwrap();
    assert_eq!(data["about"].as_str(), Some(recording.about.as_str()));
    for from_elsewhere in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!page.contains(from_elsewhere), "the page asks for something: {from_elsewhere}");
    }
}
