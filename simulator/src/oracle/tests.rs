use std::collections::BTreeMap;

use crossvault_handlers::records::Record;

use super::{Oracles, story::Story};

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
        let erased = ended.remove(&("erase", "COMPLETE"));
        assert!(erased.is_some_and(|erased| erased > 2), "{erased:?}");
        let complete = |kind, n| ((kind, "COMPLETE"), n);
        let expected = [complete("backup", 102), complete("prune", 2), complete("restore", 4)];
        assert_eq!(ended.into_iter().collect::<Vec<_>>(), expected);
    }
}
