use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    authorization::SourceView,
    directory::{DELEGATED_ADMINISTRATORS_MAX, Membership},
    explain::Explain,
    policy::{Context, ServiceRole, trust_policy_for},
};
use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

mod control;
mod directory;
mod event;
mod laws;
mod policies;
mod roles;
mod sessions;
mod views;

const VAULTS: &str = "1000000000000001";
const PAYROLL: &str = "1000000000000002";
const RESCUE: &str = "1000000000000003";
const INSTANCE: &str = "acs:ecs:cn-hangzhou:1000000000000002:instance/i-1";

fn id(text: &str) -> AccountId {
    text.parse().unwrap()
}

fn arn(account: &str, name: &str) -> RoleArn {
    RoleArn { account: id(account), name: name.parse().unwrap() }
}

fn now() -> DateTime<Utc> {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn after(seconds: i64) -> DateTime<Utc> {
    now().checked_add_signed(TimeDelta::seconds(seconds)).unwrap()
}

fn attempt(world: &mut World, by: &str, deed: Deed) -> Result<Answer, Refusal> {
    let (answer, changes) = decide(world, now(), Command { by: id(by), deed })?;
    for change in &changes {
        world.absorb(change);
    }
    Ok(answer)
}

#[track_caller]
fn done(world: &mut World, by: &str, deed: Deed) {
    attempt(world, by, deed).unwrap();
}

#[track_caller]
fn refused(world: &mut World, by: &str, deed: Deed, code: &str, cloud_code: &str) {
    let before = world.clone();
    let refusal = attempt(world, by, deed).unwrap_err();
    assert_eq!((refusal.code(), refusal.cloud_code()), (code, cloud_code), "{refusal}");
    assert!(!refusal.remedy().is_empty());
    assert_eq!(*world, before);
}

fn create_role(name: &str, trust: &str) -> Deed {
    Deed::CreateRole { name: name.parse().unwrap(), trust: trust.into(), max_session_s: None }
}

fn attach(role: &str, policy: &str) -> Deed {
    Deed::AttachPolicy { role: role.parse().unwrap(), policy: policy.into() }
}

fn detach(role: &str, policy: &str) -> Deed {
    Deed::DetachPolicy { role: role.parse().unwrap(), policy: policy.into() }
}

fn add(account: &str) -> Deed {
    Deed::AddMember { account: id(account), joined: Joined::Invited }
}

fn source_of(account: &str) -> DataSource {
    format!("{account}/cn-hangzhou/ecs-files/i-1").parse().unwrap()
}

/// Three accounts and nothing between them.
fn accounts() -> World {
    let mut world = World::default();
    for (account, name) in [(VAULTS, "vaults"), (PAYROLL, "payroll"), (RESCUE, "rescue")] {
        done(&mut world, account, Deed::CreateAccount { name: name.into() });
    }
    world
}

/// `payroll` grants by a RAM role and has one source.
fn role_way() -> World {
    let mut world = accounts();
    let role = ServiceRole::HbrCrossAccountBackup;
    done(&mut world, VAULTS, Deed::CreateServiceRole { account: id(VAULTS), role });
    done(&mut world, PAYROLL, create_role("hbrcrossrole", &trust_policy_for(&id(VAULTS))));
    done(&mut world, PAYROLL, attach("hbrcrossrole", "AliyunHBRRolePolicy"));
    done(
        &mut world,
        PAYROLL,
        Deed::PutSource {
            source: source_of(PAYROLL),
            name: "files".into(),
            location: "/data".into(),
            running: true,
        },
    );
    world
}

/// `payroll` is a member of the directory of `vaults`, and Cloud Backup has its role there.
fn directory_way() -> World {
    let mut world = accounts();
    done(&mut world, VAULTS, Deed::CreateDirectory);
    done(&mut world, VAULTS, add(PAYROLL));
    let role = ServiceRole::HbrRd;
    done(&mut world, VAULTS, Deed::CreateServiceRole { account: id(PAYROLL), role });
    world
}

fn enter(world: &World, by: &Session, role: &RoleArn) -> Result<Session, Refusal> {
    enter_with(world, by, role, None)
}

fn enter_with(
    world: &World,
    by: &Session,
    role: &RoleArn,
    session_policy: Option<&str>,
) -> Result<Session, Refusal> {
    assume(
        world,
        by,
        &Assume { role, session_name: "job-1", duration_s: 900, session_policy },
        now(),
    )
}

fn ok<T>(result: Result<T, Refusal>) -> T {
    result.unwrap_or_else(|refusal| panic!("{refusal}"))
}

fn err<T>(result: Result<T, Refusal>) -> Refusal {
    result.err().unwrap()
}

/// The service enters the management account's service role, and through it the RAM role.
fn through_role(world: &World) -> Result<Session, Refusal> {
    let role = ServiceRole::HbrCrossAccountBackup;
    let service = Session::service_of(role, id(VAULTS));
    let service_role = enter(world, &service, &role.arn(&id(VAULTS)))?;
    enter(world, &service_role, &arn(PAYROLL, "hbrcrossrole"))
}

fn through_directory(world: &World) -> Result<Session, Refusal> {
    let service = Session::service_of(ServiceRole::HbrRd, id(PAYROLL)).serving(id(VAULTS));
    enter(world, &service, &ServiceRole::HbrRd.arn(&id(PAYROLL)))
}

fn may(world: &World, session: &Session, action: &str, resource: &str) -> Result<(), Refusal> {
    check(world, session, action, resource, &Context::default(), now())
}

fn barrier(refusal: &Refusal) -> Option<Barrier> {
    if let Refusal::Denied { barrier, .. } = refusal { Some(barrier.clone()) } else { None }
}

/// A member of the directory of `vaults` with an ordinary role, entered by a session.
fn member_with_role() -> (World, Session) {
    let mut world = role_way();
    done(&mut world, VAULTS, Deed::CreateDirectory);
    done(&mut world, VAULTS, add(PAYROLL));
    let session = ok(through_role(&world));
    (world, session)
}

fn root_of(management: &str) -> String {
    format!("r-{management}")
}

fn folder(world: &mut World, parent: &str, name: &str) -> String {
    let deed = Deed::CreateFolder { parent: Some(parent.into()), name: name.into() };
    let answer = ok(attempt(world, VAULTS, deed));
    let Answer::Folder(id) = answer else { panic!("{answer:?}") };
    id
}

fn control(world: &mut World, name: &str, document: &str) -> String {
    let deed = Deed::PutControlPolicy { name: name.into(), document: document.into() };
    let answer = ok(attempt(world, VAULTS, deed));
    let Answer::ControlPolicy(id) = answer else { panic!("{answer:?}") };
    id
}

fn attach_control(policy: &str, target: &str) -> Deed {
    Deed::AttachControlPolicy { policy: policy.into(), target: target.into() }
}

fn detach_control(policy: &str, target: &str) -> Deed {
    Deed::DetachControlPolicy { policy: policy.into(), target: target.into() }
}

fn statement(effect: &str, action: &str) -> String {
    format!(
        r#"{{"Version":"1","Statement":[{{"Effect":"{effect}","Action":"{action}","Resource":"*"}}]}}"#
    )
}
