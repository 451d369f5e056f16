//! Every single thing that can go wrong in any scenario of the corpus.

use std::{collections::BTreeMap, env, fs, num::NonZero, thread, time::Instant};

use crossvault_simulator::{
    coverage::Coverage,
    exhaust::{
        Cell, Found, Lookers, Plan, Report, SITES, Strike, Table, differences, exhaust, updated,
    },
    oracle::Oracles,
    scenario::{Scenario, Stage},
};

use super::corpus::files;

/// Oracles look on, and what is reached is counted.
#[derive(Default)]
struct Eyes {
    reached: Coverage,
}

impl Lookers for Eyes {
    type Watch = (Oracles, Coverage);
    fn begin(&mut self, _: &Stage) -> Self::Watch {
        (Oracles::all(), Coverage::none())
    }
    fn end(&mut self, (_, run): Self::Watch) {
        self.reached.add(&run);
    }
}

fn run(scenario: &Scenario, plan: Plan) -> (Report, Coverage) {
    let mut eyes = Eyes::default();
    let report = exhaust(scenario, plan, &mut eyes, &mut |_| ()).unwrap();
    (report, eyes.reached)
}

/// What is known to be wrong and is not mended yet; what was mended is taken off this list.
const OPEN: &[(&str, &str)] = &[];

/// Scenarios whose end hangs on when things are done, so that a fault which only delays leaves a
/// mark on them.
const RACES: &[&str] = &[
    // A wish that comes too late finds the job ended.
    "cancel.toml",
    // The slot comes before the account is added.
    "onboarding-by-delegate.toml",
    "onboarding-by-directory.toml",
    "onboarding-by-role.toml",
    // Without the fan-out's message the new schedule holds from the old one's next slot on.
    "policy-change.toml",
    // Whether the predecessor still runs.
    "slot-while-running.toml",
];

/// In so many parts the single strikes are divided; `cargo test` runs one part of each scenario.
/// With `EXHAUST=all` all are run, which takes minutes where the crates are not optimised.
const PARTS: u64 = 16;

fn is_all() -> bool {
    env::var("EXHAUST").is_ok_and(|wish| wish == "all")
}

/// The single strikes of a scenario, or the i-th part of them, in several threads.
fn singles_of(scenario: &Scenario, i: u64) -> (Report, Coverage) {
    let parts: Vec<u64> = if is_all() { (0..PARTS).collect() } else { vec![i % PARTS] };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let mut all = (Report::default(), Coverage::none());
    for parts in parts.chunks(threads) {
        let done = thread::scope(|scope| {
            let spawn = |part: &u64| {
                let plan = Plan::up_to(1).part(*part, PARTS);
                scope.spawn(move || run(scenario, plan))
            };
            let threads: Vec<_> = parts.iter().map(spawn).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        for (report, reached) in done {
            all.0.merge(report);
            all.1.merge(&reached);
        }
    }
    all
}

/// Every fault at every call, every mishap of every delivery, every wrong clock. Nothing that must
/// hold is broken; what the system recovers from leaves no mark; and each place meets each of them,
/// or says why it can't.
#[test]
fn singles() {
    let (mut all, mut reached) = (Report::default(), Coverage::none());
    let mut wrong = Vec::new();
    let begun = Instant::now();
    for (i, (path, scenario)) in (0..).zip(files()) {
        let (report, of_runs) = singles_of(&scenario, i);
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_open =
            |found: &&Found| OPEN.contains(&(found.violation.code, found.violation.site.as_str()));
        let broken = report.found.iter().filter(|found| !is_open(found));
        let marks = report.marks.iter().filter(|_| !RACES.contains(&name.as_str()));
        let say = |found: &Found| format!("{name}: {:?} by {:?}", found.violation, found.words);
        wrong.extend(broken.chain(marks).map(say));
        all.merge(report);
        reached.merge(&of_runs);
    }
    println!("{}\n{reached}", Table(&all.matrix));
    println!("{} runs, {} known before, {:?}", all.runs, all.same, begun.elapsed());
    if env::var_os("UPDATE_EXPECT").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../simulator/src/exhaust/sites.txt");
        fs::write(path, updated(all.matrix.rows().map(|(at, _)| at), SITES)).unwrap();
        return;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(reached.unlisted(), vec![]);
    if !is_all() {
        return;
    }
    assert_eq!(differences(&all.matrix, SITES), Vec::<String>::new());
    assert_eq!(all.matrix.empty(), vec![]);
    let is_found = |(code, site): &&(&str, &str)| {
        let is_it = |found: &Found| found.violation.code == *code && found.violation.site == *site;
        all.found.iter().any(is_it)
    };
    assert_eq!(OPEN.iter().filter(|open| !is_found(open)).collect::<Vec<_>>(), vec![&("", ""); 0]);
}

fn file(name: &str) -> Scenario {
    files().into_iter().find(|(path, _)| path.ends_with(name)).unwrap().1
}

/// What ends early, because a run before it stood there too, ends as it would have ended.
#[test]
fn a_known_future_is_the_same_future() {
    let scenario = &file("backup.toml");
    let plan = Plan::up_to(1).part(1, 2);
    let (reduced, _) = run(scenario, plan);
    let (whole, _) = run(scenario, plan.unreduced());
    assert!(reduced.same > 0 && whole.same == 0);
    let ends = |report: &Report| -> BTreeMap<String, Vec<String>> {
        let end = |(by, cell): (&Strike, &Cell)| {
            let Cell { runs, recovered, ended, broken, causes, .. } = cell;
            format!("{}: {runs} {recovered} {ended} {broken} {causes:?}", by.name())
        };
        let rows = report.matrix.rows();
        rows.map(|(at, cells)| (at.to_string(), cells.iter().map(end).collect())).collect()
    };
    assert_eq!(ends(&reduced), ends(&whole));
}

/// The shares of several threads are together what one thread runs.
#[test]
fn shares_are_the_whole() {
    let scenario = &file("directory-event.toml");
    let plan = Plan::up_to(1).unreduced();
    let (whole, _) = run(scenario, plan);
    let mut shares = Report::default();
    for i in 0..3 {
        shares.merge(run(scenario, plan.part(i, 3)).0);
    }
    // The run without faults is each share's own.
    assert_eq!(shares.runs, whole.runs + 2);
    assert_eq!(shares.matrix, whole.matrix);
}
