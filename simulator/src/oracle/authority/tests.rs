use std::sync::Arc;

use chrono::TimeDelta;
use crossvault_core::{
    catalog::Verb,
    grant::Method,
    ids::{DataSource, JobId},
};
use crossvault_handlers::{
    ports::{Order, PortError},
    records::{GrantRow, Key, Record},
};

use crate::{
    call::SessionId,
    cloud::{Cloud, Fact, InvocationId},
    oracle::story::{changed, files, instance, put, rescue, start, vaults},
    run::Invariant,
    world::{Command, Deed},
};

/// What a touch is made of, to be changed.
struct Touched<'a> {
    by: &'a mut InvocationId,
    session: &'a mut SessionId,
    verb: &'a mut Verb,
    source: &'a mut DataSource,
    order: &'a mut Arc<Order>,
    at: &'a mut chrono::DateTime<chrono::Utc>,
    refused: &'a mut Option<PortError>,
}

/// What is found when a touch of a source is not as it was.
#[track_caller]
fn check(of: &DataSource, change: impl Fn(&mut Cloud, Touched<'_>), expected: &str) {
    let code = changed(Invariant::Authority, |cloud, fact| {
        let Fact::Touched { by, session, verb, source, order, at, refused, .. } = fact else {
            return false;
        };
        if *source != *of || *verb != Verb::BackUp {
            return false;
        }
        change(cloud, Touched { by, session, verb, source, order, at, refused });
        true
    });
    assert_eq!(code, Some(expected));
}

#[test]
fn a_touch_needs_a_session_that_lives() {
    check(&files(), |_, touch| *touch.session = SessionId(9999), "NO_SESSION");
    check(&files(), |_, touch| *touch.at += TimeDelta::hours(2), "EXPIRED");
}

#[test]
fn nothing_is_remembered_across_steps() {
    check(&files(), |_, touch| touch.by.0 += 1, "REMEMBERED");
    let of_other_job = |cloud: &mut Cloud, touch: Touched<'_>| {
        let mut order = Order::clone(touch.order);
        let key = Key::job(&order.name.job);
        order.name.job = JobId::derive(&["another"]);
        let row = cloud.rows.get(&key).unwrap().record.clone();
        let Record::Job(mut job) = row else { panic!("{row:?}") };
        job.id = order.name.job.clone();
        put(cloud, job);
        *touch.order = Arc::new(order);
    };
    check(&files(), of_other_job, "OTHER_JOB");
}

#[test]
fn only_the_jobs_own_source_is_touched() {
    check(&files(), |_, touch| *touch.source = rescue(), "OTHER_WORK");
    check(&files(), |_, touch| *touch.verb = Verb::Restore, "OTHER_WORK");
    let no_job = |cloud: &mut Cloud, touch: Touched<'_>| {
        cloud.rows.lose(&Key::job(&touch.order.name.job));
    };
    check(&files(), no_job, "NO_JOB");
}

#[test]
fn a_grant_leads_to_the_source_on_its_own_way() {
    let no_grant = |cloud: &mut Cloud, _: Touched<'_>| {
        cloud.rows.lose(&Key::grant(&files().region, &files().account));
    };
    check(&files(), no_grant, "NO_GRANT");
    for (source, method) in [
        (files(), Method::Directory),
        (files(), Method::Role { name: "another".parse().unwrap() }),
        (instance(), Method::Role { name: "hbrcrossrole".parse().unwrap() }),
    ] {
        let other_way = |cloud: &mut Cloud, _: Touched<'_>| {
            let key = Key::grant(&source.region, &source.account);
            let row = cloud.rows.get(&key).unwrap().record.clone();
            let Record::Grant(GrantRow(mut grant)) = row else { panic!("{row:?}") };
            grant.method = method.clone();
            put(cloud, GrantRow(grant));
        };
        check(&source, other_way, "NO_GRANT");
    }
}

#[test]
fn the_cloud_permits_it_at_that_moment() {
    let (role, policy) = ("hbrcrossrole", "AliyunHBRRolePolicy".to_owned());
    let detach = Deed::DetachPolicy { role: role.parse().unwrap(), policy };
    let deregister = Deed::DeregisterAdministrator { account: vaults() };
    let by_directory = "1000000000000009".parse().unwrap();
    for (source, by, deed) in
        [(files(), files().account, detach), (instance(), by_directory, deregister)]
    {
        let broken = |cloud: &mut Cloud, _: Touched<'_>| {
            cloud.does(Command { by: by.clone(), deed: deed.clone() }, start()).unwrap();
        };
        check(&source, broken, "NOT_PERMITTED");
    }
    let refused = |_: &mut Cloud, touch: Touched<'_>| {
        let (action, resource) = ("nas:DescribeFileSystems".to_owned(), "*".to_owned());
        *touch.refused = Some(PortError::Denied { action, resource, by: None });
    };
    check(&files(), refused, "REFUSED_WRONGLY");
}

#[test]
fn nothing_is_written_unasked() {
    let code = changed(Invariant::Authority, |_, fact| {
        let Fact::Written { job, .. } = fact else { return false };
        *job = JobId::derive(&["another"]);
        true
    });
    assert_eq!(code, Some("UNASKED"));
}
