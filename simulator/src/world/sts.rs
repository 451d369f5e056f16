//! Assuming roles.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use crossvault_core::{
    ids::RoleArn,
    policy::{self, Context, Policy, PolicyKind, Verdict},
};

use super::{
    Barrier, Principal, Refusal, Session, World,
    check::{Asked, denied, directory_permits, live, permits},
};

const ACTION: &str = "sts:AssumeRole";

/// A wish to assume a role.
#[derive(Clone, Debug)]
pub struct Assume<'a> {
    /// The role.
    pub role: &'a RoleArn,
    /// The session's name: 2 to 64 letters, digits, `.`, `@`, `-`, `_`.
    pub session_name: &'a str,
    /// The session's length in seconds: 900 up to the role's longest.
    pub duration_s: u32,
    /// A policy, as JSON text, that the session's permissions are cut down to.
    pub session_policy: Option<&'a str>,
}

/// Assumes a role: the caller must be allowed to, and the role's trust policy must let it in.
///
/// A service has no policies of its own, so for it the trust policy alone counts. A root user
/// assumes no role. Deleting the role ends the session, changing its trust policy does not.
///
/// # Errors
/// [`Refusal`] when the wish is malformed, the role unknown or either side does not allow it.
///
/// Source: STS API, `AssumeRole`; RAM, "Policy evaluation process of assuming a RAM role".
pub fn assume(
    world: &World,
    by: &Session,
    wish: &Assume<'_>,
    now: DateTime<Utc>,
) -> Result<Session, Refusal> {
    let own_role = live(world, by, now)?;
    session_name(wish.session_name)?;
    if let Principal::Root(account) = by.principal() {
        return Err(Refusal::RootAssumes(account.clone()));
    }
    let role = world.find_role(wish.role).ok_or_else(|| Refusal::RoleUnknown(wish.role.clone()))?;
    if !(900..=role.max_session_s).contains(&wish.duration_s) {
        return Err(Refusal::DurationInvalid { asked: wish.duration_s, limit: role.max_session_s });
    }
    let policy = wish
        .session_policy
        .map(|text| Policy::parse(text, PolicyKind::Session))
        .transpose()
        .map_err(Refusal::SessionPolicyInvalid)?;

    let resource = role.arn.to_string();
    let context =
        Context::default().with("acs:CurrentTime", &now.to_rfc3339_opts(SecondsFormat::Secs, true));
    if let Some(own_role) = own_role {
        let asked =
            Asked { action: ACTION, resource: &resource, context: &Context::default(), now };
        permits(world, by, own_role, asked)?;
    }
    let trusted = by.trusted_as().map_or(Verdict::ImplicitDeny, |principal| {
        policy::trusts(&role.trust, &role.arn.account, &principal, &context)
    });
    match trusted {
        Verdict::Allow { .. } => {}
        Verdict::ExplicitDeny { .. } => {
            return Err(denied(by, ACTION, &resource, Barrier::TrustPolicyDenies));
        }
        Verdict::ImplicitDeny => {
            return Err(denied(by, ACTION, &resource, Barrier::TrustPolicySilent));
        }
    }

    // The service asks the directory before it enters, and again at each call.
    if !directory_permits(world, by, role) {
        return Err(denied(by, ACTION, &resource, Barrier::Directory));
    }

    let length = TimeDelta::seconds(wish.duration_s.into());
    Ok(Session {
        principal: Principal::Role {
            role: role.arn.clone(),
            id: role.id.clone(),
            name: wish.session_name.to_owned(),
        },
        // Where the calendar ends, so does the session.
        expires: Some(now.checked_add_signed(length).unwrap_or(now)),
        policy,
        serves: by.serves.clone(),
    })
}

fn session_name(name: &str) -> Result<(), Refusal> {
    let valid = (2..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b".@-_".contains(&b));
    if valid {
        Ok(())
    } else {
        Err(Refusal::NameInvalid {
            text: name.chars().take(200).collect(),
            expected: "a session name (2 to 64 letters, digits, `.`, `@`, `-`, `_`)",
            parameter: "InvalidParameter.RoleSessionName",
        })
    }
}
