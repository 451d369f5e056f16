//! Who wants to assume a role, as people write it.

use crossvault_core::{
    ids::{AccountId, RoleArn},
    policy::{Dialect, TrustedPrincipal},
};
use crossvault_embedded::socket::{Failure, Kind};

/// Reads a principal, and says of which account the role is: `owner`, or any where it has no part
/// in the decision.
///
/// # Errors
/// [`Failure`] when it is none, or a service and the role's account is not known.
pub fn read(
    dialect: Dialect,
    text: &str,
    owner: Option<&AccountId>,
) -> Result<(TrustedPrincipal, AccountId), Failure> {
    let prefix = dialect.words().identity_prefix;
    let found = match text.strip_prefix(prefix) {
        Some(rest) => identity(text, rest).map(|(principal, account)| {
            let owner = owner.cloned().unwrap_or(account);
            (principal, owner)
        }),
        None => service(text, owner)?,
    };
    found.ok_or_else(|| {
        Failure::new(
            Kind::Usage,
            "PRINCIPAL_INVALID",
            format!("`{text}` is nobody who assumes roles"),
            format!(
                "Give `{prefix}<account>:role/<name>`, `…:user/<name>`, `…:saml-provider/<name>`, \
                 or a service such as `<account>@ecs.aliyuncs.com`."
            ),
        )
    })
}

fn identity(text: &str, rest: &str) -> Option<(TrustedPrincipal, AccountId)> {
    let (account, name) = rest.split_once(':')?;
    let account: AccountId = account.parse().ok()?;
    let principal = match name.split_once('/')? {
        ("role", name) => {
            TrustedPrincipal::Role(RoleArn { account: account.clone(), name: name.parse().ok()? })
        }
        ("user", name) if !name.is_empty() => {
            TrustedPrincipal::User { account: account.clone(), name: name.to_owned() }
        }
        ("saml-provider" | "oidc-provider", name) if !name.is_empty() => {
            TrustedPrincipal::Federated(text.to_owned())
        }
        _ => return None,
    };
    Some((principal, account))
}

/// A service acts for the account before its `@`, else for the role's own.
fn service(
    text: &str,
    owner: Option<&AccountId>,
) -> Result<Option<(TrustedPrincipal, AccountId)>, Failure> {
    let (account, name) = match text.split_once('@') {
        Some((account, name)) => match account.parse() {
            Ok(account) => (Some(account), name),
            Err(_) => return Ok(None),
        },
        None => (None, text),
    };
    let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    if !name.contains('.') || !name.chars().all(is_host) {
        return Ok(None);
    }
    let Some(owner) = owner else {
        return Err(Failure::new(
            Kind::Usage,
            "OWNER_NEEDED",
            "whether a service is let in depends on the account of the role",
            "Name the role's account with `--owner`.",
        ));
    };
    let acts_for = account.unwrap_or_else(|| owner.clone());
    let principal = TrustedPrincipal::Service { name: name.to_owned(), acts_for };
    Ok(Some((principal, owner.clone())))
}
