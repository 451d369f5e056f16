use crossvault_core::vault::Vault;
use crossvault_handlers::{
    api::{Answer, Command},
    ports::Page,
    records::{Key, Record, VaultRow},
};

use crate::{
    call::{Request, SessionId},
    chooser::Name,
    cloud::{Cloud, Fact, InvocationId},
    fault::{Fault, Skew},
    oracle::{
        Oracles,
        story::{Story, files, found_at_rest, point_of, put, start, tampered, vaults},
    },
    run::{Ending, Event, Handler, Invariant, Trigger, Watch},
    script::Action,
};

const STRANGER: InvocationId = InvocationId(7);

/// An oracle that has seen a resource account ask for something.
fn asked() -> (Cloud, Oracles) {
    let cloud = Cloud::new(vaults(), start()).unwrap();
    let mut oracles = Oracles::only(&[Invariant::Isolation]);
    let command = Box::new(Command::ListVaults);
    let trigger = Trigger::Ask { caller: files().account, token: "t".parse().unwrap(), command };
    let (name, skew) = (Name::default(), Skew::None);
    let began = Event::Began { of: STRANGER, trigger: &trigger, nth: 1, name, skew };
    assert_eq!(oracles.event(&cloud, start(), &began), Ok(()));
    (cloud, oracles)
}

#[track_caller]
fn check_ending(answer: Result<Answer, &str>, expected: Option<&str>) {
    let (cloud, mut oracles) = asked();
    let ending = Ending::Answered(Box::new(answer.map_err(str::to_owned)));
    let ended = Event::Ended { of: STRANGER, handler: Handler::Api, ending: &ending };
    let found = oracles.event(&cloud, start(), &ended).err();
    assert_eq!(found.map(|found| found.code), expected);
}

#[test]
fn a_stranger_hears_that_it_may_not_and_nothing_else() {
    check_ending(Err("NOT_PERMITTED"), None);
    check_ending(Err("UNKNOWN"), Some("TOLD"));
    check_ending(Ok(Answer::Done), Some("ANSWERED"));
}

#[test]
fn nothing_changes_for_a_stranger() {
    let (cloud, mut oracles) = asked();
    let committed = |by| Fact::Committed { by, changes: Vec::new() };
    assert_eq!(oracles.fact(&cloud, start(), &committed(InvocationId(8))), Ok(()));
    let found = oracles.fact(&cloud, start(), &committed(STRANGER)).unwrap_err();
    assert_eq!(found.code, "CHANGED");
}

/// The handlers refuse whoever is not the management account.
#[test]
fn resource_accounts_ask_in_vain() {
    let mut story = Story::new();
    story.waits(60);
    let source = Some(files());
    for command in [
        Command::ListVaults,
        Command::ListPoints { source, account: None, vault: None },
        Command::CreateVault { name: "mine".into(), region: files().region },
        Command::PruneVault { vault: "main".into() },
        Command::ExportKey { vault: "main".into() },
        Command::BackUp { source: files(), policy: None, vault: Some("main".into()) },
    ] {
        story.act(Action::Asks { caller: files().account, command });
    }
    assert_eq!(story.run(Oracles::all()).run().violation, None);
}

#[test]
fn a_vault_is_reached_with_the_management_accounts_own_session() {
    let mut foreign = None;
    let code = tampered(Invariant::Isolation, |oracles, cloud, now, fact| {
        let Fact::Assumed { session, role, by } = fact else { return None };
        foreign = foreign.or((role.account == files().account).then_some(*session));
        let vault = crossvault_core::ids::VaultId::derive(&["any"]);
        let mut called = |session| {
            let page = Page { after: None, limit: 1 };
            let request = Request::Sealed { by: session, vault: vault.clone(), page };
            let request = &request;
            let event = Event::Called { of: *by, call: 0, site: None, request, fault: Fault::None };
            oracles.event(cloud, now, &event)
        };
        assert_eq!(called(SessionId::OWN), Ok(()));
        foreign.map(called)
    });
    assert_eq!(code, Some("FOREIGN_SESSION"));
}

#[test]
fn vaults_and_what_lies_in_them_are_the_management_accounts() {
    let of_another = |cloud: &mut Cloud| {
        let point = point_of(cloud, &files());
        let row = cloud.rows.get(&Key::vault(&point.vault)).unwrap().record.clone();
        let Record::Vault(VaultRow(vault)) = row else { panic!("{row:?}") };
        put(cloud, VaultRow(Vault { owner: files().account, ..vault }));
    };
    assert_eq!(found_at_rest(Invariant::Isolation, of_another), Some("FOREIGN_VAULT"));
    let gone = |cloud: &mut Cloud| {
        let point = point_of(cloud, &files());
        cloud.rows.lose(&Key::vault(&point.vault));
    };
    assert_eq!(found_at_rest(Invariant::Isolation, gone), Some("FOREIGN_VAULT"));
}
