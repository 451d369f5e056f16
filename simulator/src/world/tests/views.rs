//! What a session may read.

use super::*;

#[test]
fn the_directory_is_read_by_those_who_hold_an_office() {
    let mut world = directory_way();
    done(&mut world, VAULTS, add(RESCUE));
    let (vaults, payroll) = (Session::root(id(VAULTS)), Session::root(id(PAYROLL)));
    let path = format!("rd-{VAULTS}/r-{VAULTS}/{PAYROLL}");
    let member = ok(membership(&world, &vaults, &id(PAYROLL), now()));
    assert_eq!(member, Membership::Member { path });
    let outside = ok(membership(&world, &vaults, &id("1000000000000009"), now()));
    assert_eq!(outside, Membership::Outside);
    let names = |search: &str| -> Vec<String> {
        ok(members(&world, &vaults, search, now())).into_iter().map(|m| m.name).collect()
    };
    assert_eq!(names(""), ["payroll", "rescue"]);
    assert_eq!(names("RESC"), ["rescue"]);
    assert_eq!(names("00002"), ["payroll"]);

    let refusal = err(administrators(&world, &payroll, now()));
    assert_eq!(barrier(&refusal), Some(Barrier::Directory));
    assert_eq!(
        barrier(&err(membership(&world, &payroll, &id(RESCUE), now()))),
        Some(Barrier::Directory)
    );
    done(&mut world, VAULTS, Deed::RegisterAdministrator { account: id(PAYROLL) });
    let found = ok(administrators(&world, &payroll, now())).unwrap();
    assert_eq!((found.management, found.delegated), (id(VAULTS), vec![id(PAYROLL)]));
    ok(members(&world, &payroll, "", now()));

    assert_eq!(ok(administrators(&accounts(), &vaults, now())), None);
}

#[test]
fn a_role_is_read_with_permission_only() {
    let mut world = role_way();
    let session = ok(through_role(&world));
    let target = arn(PAYROLL, "HBRCrossRole");
    let view = ok(role(&world, &session, &target, now()));
    assert_eq!(view.trust, trust_policy_for(&id(VAULTS)));
    let names: Vec<&str> = view.policies.iter().map(|policy| policy.name.as_str()).collect();
    assert_eq!(names, ["AliyunHBRRolePolicy"]);
    let unknown = err(role(&world, &session, &arn(PAYROLL, "other"), now()));
    assert_eq!(unknown.cloud_code(), "EntityNotExist.Role");
    let foreign = err(role(&world, &Session::root(id(VAULTS)), &target, now()));
    assert_eq!(barrier(&foreign), Some(Barrier::OtherAccount));
    done(&mut world, PAYROLL, detach("hbrcrossrole", "AliyunHBRRolePolicy"));
    let refusal = err(role(&world, &session, &target, now()));
    assert_eq!(barrier(&refusal), Some(Barrier::IdentityPolicySilent));
}

#[test]
fn sources_are_found_in_the_sessions_own_account() {
    let mut world = role_way();
    let session = ok(through_role(&world));
    let wanted = source_of(PAYROLL);
    let found = |world: &World, session: &Session, account: &str| {
        sources(world, session, &id(account), &wanted.region, wanted.kind, now())
    };
    assert_eq!(ok(found(&world, &session, PAYROLL)), std::slice::from_ref(&wanted));
    let refusal = err(found(&world, &session, RESCUE));
    assert_eq!(barrier(&refusal), Some(Barrier::OtherAccount));
    assert_eq!(ok(source(&world, &session, &wanted, now())), SourceView::Present);
    done(&mut world, PAYROLL, Deed::RemoveSource { source: wanted.clone() });
    assert_eq!(ok(source(&world, &session, &wanted, now())), SourceView::Absent);
    assert_eq!(ok(found(&world, &session, PAYROLL)), []);
    let foreign = err(source(&world, &Session::root(id(VAULTS)), &wanted, now()));
    assert_eq!(barrier(&foreign), Some(Barrier::OtherAccount));
}
