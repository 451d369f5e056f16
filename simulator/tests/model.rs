//! The small worlds, searched whole.
use crossvault_simulator::model_check::{Model, check};

#[test]
fn the_tiny_world_is_searched_whole_and_nothing_breaks() {
    let begun = std::time::Instant::now();
    let report = check(&Model::tiny(), |_| true).unwrap();
    println!("{report} {:?} {:?}", report, begun.elapsed());
    assert!(report.is_exhausted);
    assert!(report.broken.is_empty());
}
