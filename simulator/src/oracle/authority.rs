//! **No call reaches a resource account's resource unless the cloud permits it at that moment.**
//!
//! Each touch that was let through is judged again, by another way than the gate's: the policies
//! are laid out here and decided together, and on a sample the quick evaluator must say the same.
//! Beyond what the cloud asks, Crossvault asks more of itself: the session is of the same
//! invocation, named after the job, entered on the way that the account's grant says; the grant
//! stood at the claim of the step; and nothing but the job's own source or target is touched.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, SecondsFormat, Utc};
use crossvault_core::{
    catalog::{self, Operation, Verb},
    grant::{Grant, Method},
    ids::{AccountId, DataSource, JobId, RoleArn},
    policy::{
        self, CompiledLayers, Context, Layers, Policy, Request, ServiceRole, Vocabulary,
        system_policy,
    },
};
use crossvault_handlers::{
    ports::{Order, PortError, TransferName},
    records::{JobWork, Key, Partition, Record, Sort},
};

use super::{Oracle, broken, is_sampled, job, job_of};
use crate::{
    call::SessionId,
    cloud::{Cloud, Fact, InvocationId, Issued, RowChange},
    run::{Invariant, Violation, Watch},
    world::{Principal, Role, Session, World},
};

/// How many sessions are remembered as judged.
const REMEMBERED: usize = 64;

/// Watches over authority.
#[derive(Clone, Default)]
pub struct Authority {
    is_paranoid: bool,
    /// Sessions whose last touch was judged: the same touch in the same world is no new question.
    judged: BTreeMap<SessionId, Judged>,
    /// Grants as they were before they changed or went, and until when.
    former: Vec<(Grant, DateTime<Utc>)>,
    /// When each step was claimed.
    claimed: BTreeMap<TransferName, DateTime<Utc>>,
    /// The touch that was let through last.
    touched: Option<(JobId, DataSource)>,
}

#[derive(Clone)]
struct Judged {
    world: u64,
    order: Arc<Order>,
    source: DataSource,
}

/// A touch that was let through or refused.
#[derive(Clone, Copy)]
struct Touch<'a> {
    by: InvocationId,
    session: SessionId,
    verb: Verb,
    source: &'a DataSource,
    order: &'a Arc<Order>,
    at: DateTime<Utc>,
}

impl Oracle for Authority {
    const INVARIANT: Invariant = Invariant::Authority;

    fn be_paranoid(&mut self) {
        self.is_paranoid = true;
    }
}

impl Watch for Authority {
    fn fact(&mut self, cloud: &Cloud, now: DateTime<Utc>, fact: &Fact) -> Result<(), Violation> {
        match fact {
            Fact::Touched { by, session, verb, source, order, at, refused, mov: _ } => {
                let (by, session, verb, at) = (*by, *session, *verb, *at);
                let touch = Touch { by, session, verb, source, order, at };
                match refused {
                    None => self.let_through(cloud, touch),
                    Some(error) => refused_rightly(cloud, touch, error),
                }
            }
            Fact::Written { source, job, .. } => self.written(cloud, *source, job),
            Fact::Committed { changes, .. } => {
                for change in changes {
                    self.follow(change, now);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl Authority {
    fn let_through(&mut self, cloud: &Cloud, touch: Touch<'_>) -> Result<(), Violation> {
        let Touch { session, source, order, at, .. } = touch;
        let world = cloud.world.version();
        let is_same = self.judged.get(&session).is_some_and(|judged| {
            judged.world == world && Arc::ptr_eq(&judged.order, order) && judged.source == *source
        });
        let Some(issued) = cloud.sessions.get(session) else {
            return touch.broken("NO_SESSION", "with a session that does not exist");
        };
        if issued.session.expires().is_some_and(|expires| expires <= at) {
            return touch.broken("EXPIRED", "with a session that had ended");
        }
        self.touched = Some((order.name.job.clone(), source.clone()));
        let moment = at.timestamp_millis().cast_unsigned() ^ u64::from(session.0);
        if is_same && !self.is_paranoid && !is_sampled(moment) {
            return Ok(());
        }
        own_work(cloud, touch)?;
        if source.account == cloud.management {
            return is_own(cloud, touch, issued);
        }
        self.way(cloud, touch, issued)?;
        if let Err(why) = permitted(&cloud.world, &issued.session, touch, self.is_paranoid) {
            return touch.broken(why.code, &why.says);
        }
        if self.judged.len() >= REMEMBERED {
            self.judged.clear();
        }
        let judged = Judged { world, order: Arc::clone(order), source: source.clone() };
        self.judged.insert(session, judged);
        Ok(())
    }

    /// The session is of this invocation and this job, and was entered as the grant says.
    fn way(&self, cloud: &Cloud, touch: Touch<'_>, issued: &Issued) -> Result<(), Violation> {
        if issued.by != touch.by {
            return touch.broken(
                "REMEMBERED",
                &format!(
                    "by invocation {} with a session that {} had entered",
                    touch.by.0, issued.by.0
                ),
            );
        }
        let Principal::Role { role, name, .. } = issued.session.principal() else {
            return touch.broken("NO_ROLE", "with a session of no role");
        };
        let job = &touch.order.name.job;
        if name != job.as_str() {
            return touch.broken("OTHER_JOB", &format!("with the session `{name}` of another job"));
        }
        let enters = |grant: &Grant| is_of(touch, grant) && leads(cloud, issued, role, grant);
        let key = Key::grant(&touch.source.region, &touch.source.account);
        let stands = cloud.rows.get(&key).map(|row| &row.record);
        if matches!(stands, Some(Record::Grant(row)) if enters(&row.0)) {
            return Ok(());
        }
        // A grant that goes while the step runs is seen by the next one.
        let claimed = self.claimed.get(&touch.order.name).copied().unwrap_or_default();
        if self.former.iter().any(|(grant, until)| *until >= claimed && enters(grant)) {
            return Ok(());
        }
        touch.broken("NO_GRANT", &format!("through `{role}`, and no grant leads that way"))
    }

    /// What is written into a source was let through just before.
    fn written(&self, cloud: &Cloud, number: u32, job: &JobId) -> Result<(), Violation> {
        let source = cloud.contents.held(number).map(|held| &held.source);
        let last = self.touched.as_ref().map(|(job, source)| (job, source));
        if source.is_some() && last == Some(job).zip(source) {
            return Ok(());
        }
        let what = source.map(DataSource::to_string).unwrap_or_default();
        let says = format!("{job} wrote into {what} without asking");
        Err(broken::<Self>("UNASKED", "restore", says))
    }

    fn follow(&mut self, change: &RowChange, now: DateTime<Utc>) {
        match (&change.key.partition, &change.key.sort) {
            (Partition::Job(_), Sort::Head) => {
                let fence = |job: &crossvault_handlers::records::Job| job.fence;
                let before = change.before.as_deref().and_then(job).map_or(0, fence);
                if let Some(after) = change.after.as_deref().and_then(job)
                    && after.fence > before
                {
                    let name = TransferName { job: after.id.clone(), fence: after.fence };
                    self.claimed.insert(name, now);
                }
            }
            (Partition::Grants(_), Sort::Account(_)) => {
                if let Some(Record::Grant(row)) = change.before.as_ref().map(|row| &row.record) {
                    self.former.push((row.0.clone(), now));
                }
            }
            _ => {}
        }
    }
}

impl Touch<'_> {
    fn broken<T>(self, code: &'static str, how: &str) -> Result<T, Violation> {
        let Self { verb, source, order, .. } = self;
        let site = Operation { kind: source.kind, verb }.to_string();
        let says = format!("{} touched {source} {how}", order.name.job);
        Err(broken::<Authority>(code, site, says))
    }
}

fn is_of(touch: Touch<'_>, grant: &Grant) -> bool {
    grant.account == touch.source.account && grant.region == touch.source.region
}

/// Whether a grant leads into this role on the way on which the session entered it.
fn leads(cloud: &Cloud, issued: &Issued, role: &RoleArn, grant: &Grant) -> bool {
    match &grant.method {
        Method::Directory => {
            *role == ServiceRole::HbrRd.arn(&grant.account)
                && issued.with == SessionId::OWN
                && issued.session.serves() == Some(&cloud.management)
        }
        Method::Role { name } => {
            let named = RoleArn { account: grant.account.clone(), name: name.clone() };
            let own = ServiceRole::HbrCrossAccountBackup.arn(&cloud.management);
            let from = cloud.sessions.get(issued.with).map(|from| from.session.principal());
            // The first session may be over, and forgotten, a moment before the second.
            let is_from_own = from.is_none_or(
                |from| matches!(from, Principal::Role { role, .. } if role.is_same(&own)),
            );
            role.is_same(&named) && is_from_own
        }
    }
}

/// The job, as it is stored, is to do this to this source.
fn own_work(cloud: &Cloud, touch: Touch<'_>) -> Result<(), Violation> {
    let Some(job) = job_of(cloud, &touch.order.name.job) else {
        return touch.broken("NO_JOB", "and is no job");
    };
    let (source, verb) = match &job.work {
        JobWork::Backup(backup, _) => (&backup.source, Verb::BackUp),
        JobWork::Restore(restore, _) => (&restore.to, Verb::Restore),
        JobWork::Erase(erase, _) => (&erase.source, Verb::Erase),
        JobWork::Prune(..) => return touch.broken("OTHER_WORK", "and is a prune"),
    };
    if (source, verb) != (touch.source, touch.verb) {
        let kind = job.work.kind();
        return touch.broken("OTHER_WORK", &format!("and is a {kind} of {source}"));
    }
    Ok(())
}

fn is_own(cloud: &Cloud, touch: Touch<'_>, issued: &Issued) -> Result<(), Violation> {
    match issued.session.principal() {
        Principal::Root(account) if *account == cloud.management => Ok(()),
        other => touch.broken("NOT_OWN", &format!("as {other:?}")),
    }
}

struct Why {
    code: &'static str,
    says: String,
}

/// What was refused by the gate is refused by this way too.
fn refused_rightly(cloud: &Cloud, touch: Touch<'_>, error: &PortError) -> Result<(), Violation> {
    let Some(issued) = cloud.sessions.get(touch.session) else { return Ok(()) };
    let is_denied = matches!(error, PortError::Denied { .. });
    let is_root = matches!(issued.session.principal(), Principal::Root(_));
    if is_denied && !is_root && permitted(&cloud.world, &issued.session, touch, false).is_ok() {
        return touch.broken("REFUSED_WRONGLY", "and was refused, which nothing says");
    }
    Ok(())
}

/// Whether the world permits it, decided layer by layer.
fn permitted(
    world: &World,
    session: &Session,
    touch: Touch<'_>,
    is_paranoid: bool,
) -> Result<(), Why> {
    let Touch { source, verb, at, .. } = touch;
    let denied = |says: String| Err(Why { code: "NOT_PERMITTED", says });
    let Principal::Role { role: arn, id, .. } = session.principal() else {
        return denied("with a session of no role".to_owned());
    };
    let Some(role) = world.find_role(arn).filter(|role| role.id == *id) else {
        return denied(format!("through `{arn}`, which is gone"));
    };
    if role.arn.account != source.account {
        return denied(format!("through `{arn}` of another account"));
    }
    if role.service_role == Some(ServiceRole::HbrRd)
        && !session.serves().is_some_and(|serves| administers(world, serves, &source.account))
    {
        return denied("without an office in its directory".to_owned());
    }
    let layers = layers(world, session, role);
    let compares = is_paranoid || is_sampled(at.timestamp_millis().cast_unsigned());
    let compiled = compares.then(|| CompiledLayers::of(Vocabulary::product(), &layers));
    let context = Context::default()
        .with("acs:CurrentTime", &at.to_rfc3339_opts(SecondsFormat::Secs, true))
        .with("acs:PrincipalARN", &role.arn.to_string().to_ascii_lowercase());
    let needs = catalog::needs(Operation { kind: source.kind, verb }, source.into());
    for need in needs {
        let request = Request::new(need.action, &need.resource).within(&context);
        let ruling = policy::decide(&layers, &request);
        if compiled.as_ref().is_some_and(|compiled| compiled.decide(&request) != ruling) {
            let says = format!("and the evaluators differ over `{}`", need.action);
            return Err(Why { code: "EVALUATORS_DIFFER", says });
        }
        if !ruling.is_allow() {
            return denied(format!("without `{}` on `{}`", need.action, need.resource));
        }
    }
    Ok(())
}

/// Whether an account may manage a member's backups: it manages the directory, or is one of its
/// delegated administrators.
fn administers(world: &World, account: &AccountId, member: &AccountId) -> bool {
    let Some(member) = world.member(member) else { return false };
    if member.management == *account {
        return true;
    }
    world.member(account).is_some_and(|office| {
        office.administers_since.is_some() && office.management == member.management
    })
}

/// The policies that bear on a session's requests to its own account.
fn layers<'a>(world: &'a World, session: &'a Session, role: &'a Role) -> Layers<'a> {
    let account = &role.arn.account;
    let is_bound = |directory: &&crate::world::Directory| {
        directory.control_enabled && role.service_role.is_none() && directory.management != *account
    };
    let control = world.directory_of(account).filter(is_bound).map_or_else(Vec::new, |directory| {
        let attached = |node: crate::world::Node<'a>| -> Vec<&'a Policy> {
            let ids = node.attached().iter();
            ids.filter_map(|id| world.control_policy(directory, id)).map(|(_, it)| it).collect()
        };
        world.way_to(account).into_iter().map(attached).collect()
    });
    let own = |name: &String| {
        let custom = || world.custom_policy(account, name).map(|policy| &policy.document);
        system_policy(name).or_else(custom)
    };
    let identity = role.attached.iter().filter_map(own).collect();
    Layers { control, session: session.policy(), identity }
}

#[cfg(test)]
mod tests;
