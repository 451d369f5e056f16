use std::collections::BTreeMap;

use crossvault_handlers::records::{PointRow, Record};

use super::{
    Oracles,
    story::{Story, files, found_at_rest, point_of, put},
};
use crate::run::Invariant;

/// Backups with edits, restores, an end of retention and a point that is deleted by hand.
#[test]
fn an_honest_story_breaks_nothing() {
    for oracles in [Oracles::all(), Oracles::all().paranoid()] {
        let mut run = Story::full().run(oracles);
        assert_eq!(run.run().violation, None);
        let mut ended = BTreeMap::new();
        for (_, row) in run.cloud.rows.all() {
            if let Record::Job(job) = &row.record {
                *ended.entry((job.work.kind(), job.work.status())).or_insert(0) += 1;
            }
        }
        let count = |kind, status| ended.get(&(kind, status)).copied().unwrap_or(0);
        assert_eq!(count("backup", "COMPLETE"), 22);
        // One found other files in the way.
        assert_eq!((count("restore", "COMPLETE"), count("restore", "PARTIAL_COMPLETE")), (3, 1));
        assert!(count("erase", "COMPLETE") > 2 && count("prune", "COMPLETE") > 0);
        assert_eq!(ended.len(), 5, "{ended:?}");
    }
}

/// What several would find is found by none that is off.
#[test]
fn an_oracle_can_be_switched_off() {
    let untrue = |cloud: &mut crate::cloud::Cloud| {
        let mut point = point_of(cloud, &files());
        point.files = 0;
        put(cloud, Box::new(PointRow(point)));
    };
    assert_eq!(found_at_rest(Invariant::Durability, untrue), Some("CHANGED"));
    assert_eq!(found_at_rest(Invariant::Fidelity, untrue), Some("UNTRUE"));
    assert_eq!(found_at_rest(Invariant::Retention, untrue), None);
}
