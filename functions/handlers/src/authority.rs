//! How authority stands for several operations on one account, from one reading of the facts.

use std::collections::{BTreeMap, btree_map::Entry};

use crossvault_core::{
    authorization::{
        Cause, Decision, Denial, Facts, GrantFacts, Known, Mend, Refused, RoleView, Subject,
        decide, mends,
    },
    catalog::{self, Operation, Verb},
    grant::Method,
    ids::{AccountId, DataSource, Region, SourceKind},
    policy::ServiceRole,
};

use crate::{
    facts::{self, Visit},
    ports::{Directory, Page, PortError, Sources, Store},
};

/// The account in whose region authority is asked for.
pub(crate) struct Place<'a> {
    pub(crate) management: &'a AccountId,
    pub(crate) account: &'a AccountId,
    pub(crate) region: &'a Region,
    /// The one source that it is asked for; none asks for all of the region.
    pub(crate) source: Option<&'a DataSource>,
    /// The sources that backups are for, where they are known: a role need not give more.
    pub(crate) bound: &'a [DataSource],
}

impl Place<'_> {
    /// The sources for which an operation is asked, none for all of the region.
    fn sources(&self, operation: Operation) -> Vec<Option<&DataSource>> {
        let is_for = |source: &&DataSource| source.kind == operation.kind;
        let bound: Vec<_> = self.bound.iter().filter(is_for).map(Some).collect();
        if bound.is_empty() || operation.verb == Verb::Discover { vec![self.source] } else { bound }
    }
}

/// How authority stands.
pub(crate) struct Examined<C> {
    /// What stands against each operation, the root first; empty when it is authorized.
    pub(crate) operations: Vec<(Operation, Vec<Cause>)>,
    /// What mends all of it, in the order in which it is to be done.
    pub(crate) mends: Vec<Mend>,
    /// Whether all that bears on it could be read; else only what was tried is known.
    pub(crate) is_readable: bool,
    /// The service-linked role that is missing on the way, where one is.
    pub(crate) missing: Option<ServiceRole>,
    /// The credentials for the account; none when the way to it is closed.
    pub(crate) credentials: Option<C>,
    /// The folders of the directory, Root first, whose control policies bear on the grant; none
    /// when they can't be read.
    pub(crate) nodes: Option<Vec<String>>,
    /// The RAM role as it was read; none when it could not be, or when there is none.
    pub(crate) view: Option<RoleView>,
}

impl<C> Examined<C> {
    /// Every cause, in the order in which they were found.
    pub(crate) fn causes(&self) -> impl Iterator<Item = &Cause> {
        self.operations.iter().flat_map(|(_, causes)| causes)
    }

    /// The causes that stand against one type of source.
    pub(crate) fn against(&self, kind: SourceKind) -> impl Iterator<Item = &Cause> {
        let of_kind = move |(operation, _): &&(Operation, _)| operation.kind == kind;
        self.operations.iter().filter(of_kind).flat_map(|(_, causes)| causes)
    }

    /// Whether all that was asked about some type of source is authorized.
    pub(crate) fn serves_any(&self) -> bool {
        self.operations.iter().any(|(operation, _)| self.against(operation.kind).next().is_none())
    }
}

/// The operations of some verbs on some types of source.
pub(crate) fn operations(kinds: &[SourceKind], verbs: &[Verb]) -> Vec<Operation> {
    let of_kind = |kind| verbs.iter().map(move |&verb| Operation { kind, verb });
    kinds.iter().copied().flat_map(of_kind).collect()
}

/// Reads how the account's grant stands in the cloud, and decides for each operation. Without a
/// method, the one counts by which the account was added.
///
/// Roles are entered and read once for all operations. Where a role may not be read, listing one
/// source of each type shows what the role's policies would have.
///
/// # Errors
/// A passing failure of a port.
pub(crate) async fn examine<P: Store + Directory + Sources>(
    ports: &P,
    place: &Place<'_>,
    method: Option<&Method>,
    operations: &[Operation],
    session: &str,
) -> Result<Examined<P::Credentials>, PortError> {
    let subject = |operation, source: Option<&DataSource>| Subject {
        management: place.management.clone(),
        account: place.account.clone(),
        region: place.region.clone(),
        operation,
        source: source.cloned(),
    };
    let first = operations.first().map(|operation| subject(*operation, place.source));
    let Some(first) = first else {
        return Err(PortError::Invalid("authority for nothing".to_owned()));
    };
    // Nothing is done but to look, whatever is asked about.
    let looks: Vec<Operation> = operations.iter().map(|asked| asked.look()).collect();
    let visit = Visit { session, operations: &looks };
    let read = match method.filter(|_| place.account != place.management) {
        Some(method) => facts::of_method(ports, &first, method, visit).await?,
        None => facts::of_subject(ports, &first, visit).await?,
    };
    let mut tried = Tried::default();
    let mut found = Vec::with_capacity(operations.len());
    for &operation in operations {
        let refused = tried.of(ports, place, &read, operation).await?;
        let facts = Facts { refused, ..read.facts.clone() };
        let mut causes: Vec<Cause> = Vec::new();
        for source in place.sources(operation) {
            if let Decision::Denied(against) = decide(&subject(operation, source), &facts) {
                let new = against.iter().filter(|cause| !causes.contains(cause));
                causes.extend(new.cloned().collect::<Vec<_>>());
            }
        }
        found.push((operation, causes));
    }
    Ok(Examined {
        mends: mends(&first, &found, &read.facts),
        operations: found,
        missing: missing(&read.facts),
        is_readable: !is_unreadable(&read.facts),
        nodes: nodes(&read.facts),
        view: view(&read.facts),
        credentials: read.credentials,
    })
}

fn is_unreadable(facts: &Facts) -> bool {
    matches!(facts.grant, GrantFacts::Role { view: Some(Known::Unreadable), .. })
}

/// What trying showed of a role that may not be read, by type of source.
#[derive(Default)]
struct Tried(BTreeMap<SourceKind, Option<Denial>>);

impl Tried {
    /// Looks at a source of the type, once, with a role that may not be read: a denial of what the
    /// operation needs tells that the role lacks it.
    async fn of<P: Sources>(
        &mut self,
        ports: &P,
        place: &Place<'_>,
        read: &facts::Read<P::Credentials>,
        operation: Operation,
    ) -> Result<Option<Refused>, PortError> {
        let Some(credentials) = read.credentials.as_ref().filter(|_| is_unreadable(&read.facts))
        else {
            return Ok(None);
        };
        let kind = operation.kind;
        if let Entry::Vacant(vacant) = self.0.entry(kind) {
            let (account, region) = (place.account.clone(), place.region.clone());
            let page = Page { after: None, limit: 1 };
            let looked = match place.source {
                Some(source) => ports.describe(credentials, source.clone()).await.map(|_| ()),
                None => ports.list(credentials, account, region, kind, page).await.map(|_| ()),
            };
            let denial = match looked {
                Ok(()) => None,
                Err(PortError::Denied { action, resource, by }) => {
                    Some(Denial { action, resource, by })
                }
                Err(error) => return Err(error),
            };
            vacant.insert(denial);
        }
        let is_needed =
            |denial: &&Denial| catalog::actions(operation).contains(&denial.action.as_str());
        let denial = self.0.get(&kind).and_then(Option::as_ref).filter(is_needed);
        Ok(denial.cloned().map(Refused::Denied))
    }
}

/// The service-linked role whose absence closes the way.
fn missing(facts: &Facts) -> Option<ServiceRole> {
    use crossvault_core::authorization::Entry;
    match &facts.grant {
        GrantFacts::Directory { entry: Entry::NoSuchRole, .. } => Some(ServiceRole::HbrRd),
        GrantFacts::Role { service_entry: Entry::NoSuchRole, .. } => {
            Some(ServiceRole::HbrCrossAccountBackup)
        }
        GrantFacts::Directory { .. }
        | GrantFacts::Role { .. }
        | GrantFacts::Own
        | GrantFacts::Missing { .. } => None,
    }
}

/// The nodes whose control policies bear on the grant's role, but for the account itself.
///
/// Source: Resource Management, "Overview of the Control Policy feature": service-linked roles, and
/// so grants by directory, are spared.
fn nodes(facts: &Facts) -> Option<Vec<String>> {
    match &facts.grant {
        GrantFacts::Role { control: Known::Unreadable, .. } => None,
        GrantFacts::Role { control: Known::Known(levels), .. } => {
            let nodes = levels.iter().map(|level| &level.node);
            Some(nodes.filter(|node| node.parse::<AccountId>().is_err()).cloned().collect())
        }
        GrantFacts::Directory { .. } | GrantFacts::Own | GrantFacts::Missing { .. } => {
            Some(Vec::new())
        }
    }
}

fn view(facts: &Facts) -> Option<RoleView> {
    let GrantFacts::Role { view: Some(Known::Known(view)), .. } = &facts.grant else {
        return None;
    };
    Some(view.clone())
}
