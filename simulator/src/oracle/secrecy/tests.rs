use std::sync::Arc;

use crossvault_core::{grant::Grant, ids::EffectId};
use crossvault_handlers::{
    api::Answer,
    ports::PortError,
    records::{GrantRow, Record},
};

use crate::{
    call::SessionId,
    cloud::{Cloud, Fact, InvocationId, RowChange, token},
    oracle::{
        Oracles,
        story::{changed, files, put, start, vaults},
    },
    run::{Ending, Event, Handler, Invariant, Watch},
};

/// What an oracle that is paranoid finds in an event of an empty cloud.
#[track_caller]
fn check(event: &Event<'_>, expected: Option<&str>) {
    let cloud = Cloud::new(vaults(), start()).unwrap();
    let mut oracles = Oracles::only(&[Invariant::Secrecy]).paranoid();
    let found = oracles.event(&cloud, start(), event).err();
    assert!(found.as_ref().is_none_or(|found| !found.says.contains(&token(SessionId(5)))));
    assert_eq!(found.map(|found| found.site).as_deref(), expected);
}

#[test]
fn no_error_tells_a_token() {
    let says = |text: String| Err(PortError::Invalid(text));
    for (answer, expected) in [
        (says(format!("session {}", token(SessionId(5)))), Some("error of a port")),
        (says("session 5".to_owned()), None),
        (Err(PortError::Throttled), None),
    ] {
        check(&Event::Answered { of: InvocationId(1), call: 0, answer: &answer }, expected);
    }
    let message = format!("{} is no token", token(SessionId(5)));
    let ending = Ending::Failed { code: "INVALID".to_owned(), message };
    let ended = Event::Ended { of: InvocationId(1), handler: Handler::Job, ending: &ending };
    check(&ended, Some("error of a function"));
}

#[test]
fn no_answer_tells_a_token() {
    let grant = |alias: String| Grant {
        account: files().account,
        region: files().region,
        method: crossvault_core::grant::Method::Directory,
        alias,
        added: start(),
        standing: None,
    };
    for (alias, expected) in [(token(SessionId(5)), Some("answer")), (String::new(), None)] {
        let ending = Ending::Answered(Box::new(Ok(Answer::Account(grant(alias)))));
        let ended = Event::Ended { of: InvocationId(1), handler: Handler::Api, ending: &ending };
        check(&ended, expected);
    }
}

#[test]
fn no_row_tells_a_token() {
    let mut cloud = Cloud::new(vaults(), start()).unwrap();
    let mut oracles = Oracles::only(&[Invariant::Secrecy]).paranoid();
    assert_eq!(oracles.at_rest(&cloud, start()), Ok(()));
    let method = crossvault_core::grant::Method::Directory;
    let (account, region) = (files().account, files().region);
    let alias = token(SessionId(0));
    let grant = Grant { account, region, method, alias, added: start(), standing: None };
    put(&mut cloud, GrantRow(grant));
    let found = oracles.at_rest(&cloud, start()).unwrap_err();
    assert_eq!((found.code, &*found.site), ("TOLD", "Grant"));
}

/// Of many rows that tell it, some are looked at as they are stored.
#[test]
fn rows_are_sampled() {
    let code = changed(Invariant::Secrecy, |_, fact| {
        let Fact::Committed { changes, .. } = fact else { return false };
        let audits: Vec<RowChange> =
            changes.iter().filter(|it| it.after.is_some()).cloned().collect();
        let told = |mut it: RowChange| {
            let stored = it.after.as_mut().map(Arc::make_mut)?;
            let Record::Audit(row) = &mut stored.record else { return None };
            row.record.why = token(SessionId(9));
            Some(it)
        };
        let Some(told) = audits.into_iter().find_map(told) else { return false };
        changes.extend(std::iter::repeat_n(told, 1000));
        true
    });
    assert_eq!(code, Some("TOLD"));
}

#[test]
fn no_alert_tells_a_token() {
    let cloud = Cloud::new(vaults(), start()).unwrap();
    let mut oracles = Oracles::only(&[Invariant::Secrecy]);
    let alert = crossvault_core::alert::Alert {
        kind: "crossvault.backup.failed".to_owned(),
        at: start(),
        account: files().account,
        source: None,
        job: None,
        code: "BROKEN".to_owned(),
        message: format!("{} did not work", token(SessionId(3))),
        remedy: String::new(),
        grant: None,
    };
    let fact = Fact::Published { id: EffectId::derive(&["1"]), alert: Box::new(alert) };
    assert_eq!(oracles.fact(&cloud, start(), &fact).unwrap_err().site, "alert");
}
