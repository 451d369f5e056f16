//! Mistakes about authority: remembered, too wide, not asked, or its cause not told.

use chrono::{DateTime, Utc};
use crossvault_core::directory::Membership;
use crossvault_handlers::{
    ports::{PortError, Range},
    records::{AFTER_ALL, Key, Partition, Record, Sort},
};

use super::{Mistake, Way, desk::Desk};
use crate::{
    call::{Request, Response, SessionId},
    ports::Answer,
    run::{Handler, Invariant},
};

const JOB: &[Handler] = &[Handler::Job];
const LOOKS: &[Handler] = &[Handler::Job, Handler::Directory, Handler::Review, Handler::Api];

pub(super) const MISTAKES: &[Mistake] = &[
    Mistake {
        number: 1,
        name: "session-remembered",
        story: "A warm instance enters a role once and uses the session until it ends.",
        breaks: Invariant::Authority,
        of: JOB,
        way: Way::Calls(|desk, request| {
            Box::pin(remembered(desk, request, |ends| Desk::now() < ends, by_role))
        }),
    },
    Mistake {
        number: 2,
        name: "yes-remembered",
        story: "A warm instance believes for ever what it was once answered about roles and the directory.",
        breaks: Invariant::Explained,
        of: JOB,
        way: Way::Calls(|desk, request| Box::pin(yes_remembered(desk, request))),
    },
    Mistake {
        number: 3,
        name: "session-outlived",
        story: "A warm instance uses a session after its end.",
        breaks: Invariant::Progress,
        of: JOB,
        way: Way::Calls(|desk, request| Box::pin(remembered(desk, request, |_| true, by_role))),
    },
    Mistake {
        number: 4,
        name: "session-by-role-name",
        story: "Sessions are kept by the role's name, which is the same in every account.",
        breaks: Invariant::Isolation,
        of: JOB,
        way: Way::Calls(|desk, request| {
            Box::pin(remembered(desk, request, |ends| Desk::now() < ends, by_name))
        }),
    },
    Mistake {
        number: 5,
        name: "region-not-compared",
        story: "An account that is added in one region is taken to be added in all.",
        breaks: Invariant::Authority,
        of: JOB,
        way: Way::Calls(|desk, request| Box::pin(region_not_compared(desk, request))),
    },
    Mistake {
        number: 6,
        name: "grant-remembered",
        story: "A grant that was read once counts after it was removed.",
        breaks: Invariant::Authority,
        of: JOB,
        way: Way::Calls(|desk, request| Box::pin(grant_remembered(desk, request))),
    },
    Mistake {
        number: 7,
        name: "session-not-cut-down",
        story: "A role is entered without a session policy, with all that it may do.",
        breaks: Invariant::Isolation,
        of: LOOKS,
        way: Way::Calls(|desk, request| Box::pin(with_policy(desk, request, None))),
    },
    Mistake {
        number: 8,
        name: "session-cut-too-wide",
        story: "The session policy permits everything.",
        breaks: Invariant::Isolation,
        of: LOOKS,
        way: Way::Calls(|desk, request| Box::pin(with_policy(desk, request, Some(ALL)))),
    },
    Mistake {
        number: 9,
        name: "own-session-used",
        story: "A source is touched with the management account's own credentials.",
        breaks: Invariant::Authority,
        of: JOB,
        way: Way::Calls(|desk, mut request| {
            if let Request::Move { by, .. } = &mut request {
                *by = SessionId::OWN;
            }
            Box::pin(async move { desk.ask(request).await })
        }),
    },
    Mistake {
        number: 10,
        name: "refusal-taken-for-delay",
        story: "A touch that is denied is tried again until the job gives up, without its cause.",
        breaks: Invariant::Explained,
        of: JOB,
        way: Way::Hears(|_, request, answer| {
            let is_move = matches!(request, Request::Move { .. });
            if is_move && matches!(answer, Err(PortError::Denied { .. } | PortError::NotFound(_))) {
                *answer = Err(PortError::Throttled);
            }
        }),
    },
    Mistake {
        number: 11,
        name: "control-policies-not-asked",
        story: "Nothing is known of the directory's control policies.",
        breaks: Invariant::Explained,
        of: LOOKS,
        way: Way::Hears(|_, _, answer| {
            if let Ok(Response::ControlPolicies(levels)) = answer {
                levels.clear();
            }
        }),
    },
    Mistake {
        number: 12,
        name: "membership-not-asked",
        story: "Each account is taken for a member of the directory.",
        breaks: Invariant::Explained,
        of: LOOKS,
        way: Way::Hears(|_, _, answer| {
            if let Ok(Response::Membership(membership @ Membership::Outside)) = answer {
                *membership = Membership::Member { path: String::new() };
            }
        }),
    },
];

const ALL: &str = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

fn by_role(request: &Request) -> Option<String> {
    let Request::Assume { assume, .. } = request else { return None };
    Some(format!("{} {}", assume.role, assume.policy.as_deref().unwrap_or_default()))
}

fn by_name(request: &Request) -> Option<String> {
    let Request::Assume { assume, .. } = request else { return None };
    Some(assume.role.name.to_string())
}

/// Enters each role once.
async fn remembered(
    desk: Desk,
    request: Request,
    is_good: fn(DateTime<Utc>) -> bool,
    name: fn(&Request) -> Option<String>,
) -> Answer {
    let Some(name) = name(&request) else { return desk.ask(request).await };
    let known = desk.run().sessions.get(&name).copied();
    if let Some((id, ends)) = known.filter(|(_, ends)| is_good(*ends)) {
        return Ok(Response::Session { id, expires: ends });
    }
    let answer = desk.ask(request).await;
    if let Ok(Response::Session { id, expires }) = &answer {
        desk.run().sessions.insert(name, (*id, *expires));
    }
    answer
}

async fn yes_remembered(desk: Desk, request: Request) -> Answer {
    let asked = match &request {
        Request::Role { role, .. } => format!("{role}"),
        Request::Membership { account, .. } => format!("member {account}"),
        Request::Administrators { .. } => "administrators".to_owned(),
        Request::ControlPolicies { account, .. } => format!("control {account}"),
        Request::Describe { source, .. } => format!("{source}"),
        _ => return remembered(desk, request, |ends| Desk::now() < ends, by_role).await,
    };
    let known = desk.run().answers.get(&asked).cloned();
    if let Some(known) = known {
        return Ok(known);
    }
    let answer = desk.ask(request).await;
    if let Ok(known) = &answer {
        desk.run().answers.insert(asked, known.clone());
    }
    answer
}

fn grant(request: &Request) -> Option<&Key> {
    let Request::Get(key) = request else { return None };
    matches!((&key.partition, &key.sort), (Partition::Grants(_), Sort::Account(_))).then_some(key)
}

async fn region_not_compared(desk: Desk, request: Request) -> Answer {
    let Some(Sort::Account(account)) = grant(&request).map(|key| key.sort.clone()) else {
        return desk.ask(request).await;
    };
    let answer = desk.ask(request).await?;
    let (Response::Row(None), Ok(account)) = (&answer, account.parse()) else { return Ok(answer) };
    let elsewhere = Range {
        partition: Partition::Account(account),
        from: Sort::Grant("".into()),
        to: Sort::Grant(AFTER_ALL.into()),
        reverse: false,
        limit: 1,
    };
    let rows = desk.range(elsewhere).await?;
    let Some(Record::GrantRef(found)) = rows.into_iter().next().map(|row| row.record) else {
        return Ok(answer);
    };
    Ok(Response::Row(desk.get(Key::grant(&found.region, &found.account)).await?))
}

async fn grant_remembered(desk: Desk, request: Request) -> Answer {
    let key = grant(&request).cloned();
    let answer = desk.ask(request).await?;
    let Some(key) = key else { return Ok(answer) };
    match answer {
        Response::Row(Some(row)) => {
            desk.run().rows.insert(key, row.clone());
            Ok(Response::Row(Some(row)))
        }
        _ => Ok(Response::Row(desk.run().rows.get(&key).cloned())),
    }
}

async fn with_policy(desk: Desk, mut request: Request, policy: Option<&str>) -> Answer {
    if let Request::Assume { assume, .. } = &mut request {
        assume.policy = policy.map(str::to_owned);
    }
    desk.ask(request).await
}
