//! One job, step by step: how it comes to each of its ends.

use crossvault_core::ids::JobId;
use crossvault_handlers::ports::FailedFile;

use crate::{
    stage::Stage,
    words::{PAYROLL, back_up, source},
};

fn one_backup() -> (Stage, JobId) {
    let stage = Stage::new();
    let job = stage.started(back_up(&source(PAYROLL, 1)));
    (stage, job)
}

#[test]
fn a_backup_comes_to_its_point() {
    let (stage, job) = one_backup();
    stage.settle();
    stage.sweep();
    assert_eq!(stage.status(&job), "COMPLETE");
    assert_eq!(stage.count("Point"), 1);
}

/// Files that can't be read.
pub fn failing(count: usize) -> Vec<FailedFile> {
    let failed = |n| FailedFile {
        path: format!("file-{n}"),
        code: "PERMISSION".to_owned(),
        message: "permission denied".to_owned(),
    };
    (0..count).map(failed).collect()
}
