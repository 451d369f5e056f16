use super::{Matrix, Outcome, Place, Strike, Struck, Table, differences, known, updated};
use crate::{
    call::Method,
    fault::{Fault, Mishap},
    run::{Handler, Site},
};

fn call(of: &str) -> Place {
    Place::Call(Site { handler: Handler::Job, method: Method::Get, of: of.to_owned() })
}

fn slow_at(at: Place) -> Struck {
    Struck { at, by: Strike::Fault(Fault::Slow) }
}

/// A cell is empty until something was run in it or it is said why that can't be.
#[test]
fn an_empty_cell_is_told_by_name() {
    let mut matrix = Matrix::default();
    matrix.expect(call("Job"));
    assert_eq!(matrix.empty().len(), Fault::ALL.len());
    for fault in &Fault::ALL[1..] {
        matrix.declare(call("Job"), Strike::Fault(*fault), "because");
    }
    let empty: Vec<String> = matrix.empty().iter().map(ToString::to_string).collect();
    assert_eq!(empty, ["slow at job: get Job"]);
    matrix.count(slow_at(call("Job")), &Outcome::Recovered, false);
    assert_eq!(matrix.empty(), vec![]);
}

/// What one scenario can't strike at a place, another can.
#[test]
fn a_run_shows_that_it_can_be() {
    let (mut one, mut other) = (Matrix::default(), Matrix::default());
    let slow = Strike::Fault(Fault::Slow);
    one.declare(call("Job"), slow, "because");
    other.count(slow_at(call("Job")), &Outcome::Ended(["A".into()].into()), false);
    other.count(slow_at(call("Job")), &Outcome::Ended(["B".into()].into()), true);
    let mut merged = [one.clone(), other.clone()];
    merged[0].merge(other);
    merged[1].merge(one);
    for matrix in merged {
        let cell = matrix.cell(&call("Job"), slow).unwrap();
        assert_eq!((cell.runs, cell.same, cell.ended, cell.impossible), (2, 1, 2, None));
        assert_eq!(cell.causes, ["A".into(), "B".into()].into());
    }
}

#[test]
fn a_table_fits_a_terminal_and_shows_how_runs_ended() {
    let mut matrix = Matrix::default();
    matrix.expect(call("a row with a name that is a good deal longer than the column for names"));
    let strike = |matrix: &mut Matrix, by, outcome| {
        matrix.count(Struck { at: Place::Delivery(Handler::Job), by }, &outcome, false);
    };
    strike(&mut matrix, Strike::Mishap(Mishap::Twice), Outcome::Recovered);
    strike(&mut matrix, Strike::Mishap(Mishap::Late), Outcome::Ended([].into()));
    strike(&mut matrix, Strike::Mishap(Mishap::Lost), Outcome::Recovered);
    strike(&mut matrix, Strike::Mishap(Mishap::Lost), Outcome::Ended([].into()));
    let text = Table(&matrix).to_string();
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let line = text.lines().find(|line| line.starts_with("job: delivery")).unwrap();
    assert_eq!(line.split_whitespace().skip(2).collect::<Vec<_>>(), ["rcb?", "4"]);
    strike(&mut matrix, Strike::Mishap(Mishap::Twice), Outcome::Broken);
    assert!(Table(&matrix).to_string().contains("Xcb?"));
}

/// A place that the list does not know, one that is no longer reached, and one that is reached
/// although the list says why it can't be.
#[test]
fn the_list_of_places_is_kept_true() {
    let mut matrix = Matrix::default();
    matrix.expect(call("Job"));
    matrix.expect(call("Due"));
    let list = "job: get Due | too far away\njob: get Point\njob: get Turn | too deep\n";
    let wrong = [
        "job: get Job: not listed",
        "job: get Point: no scenario comes there",
        "job: get Due: a scenario comes there after all",
    ];
    assert_eq!(differences(&matrix, list), wrong);
    let mended = updated(matrix.rows().map(|(at, _)| at), list);
    assert_eq!(mended, "job: get Due\njob: get Job\njob: get Point\njob: get Turn | too deep\n");
    assert_eq!(known(&mended).filter(|known| known.unreached.is_some()).count(), 1);
}
