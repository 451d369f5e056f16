//! Reads whom a trust policy names.
//!
//! Source: RAM, "Edit the trust policy of a RAM role"; AWS IAM, "IAM JSON policy elements:
//! Principal".

use super::element::{broken, object, only, scalar, texts};
use crate::{
    ids::{AccountId, RoleArn, RoleName},
    policy::{
        dialect::Dialect,
        document::PrincipalPattern,
        invalid::Rule,
        json::{Broken, Member, Value},
    },
};

/// The principals of `Principal` or `NotPrincipal`: never none.
pub(super) fn patterns(
    dialect: Dialect,
    found: &Member<'_>,
) -> Result<Vec<PrincipalPattern>, Broken> {
    let words = dialect.words();
    if words.anyone && matches!(&found.value.value, Value::Text(text) if text == "*") {
        return Ok(vec![PrincipalPattern::Anyone]);
    }
    let types = object(&found.value, &found.name)?;
    only(types, &[words.principals])?;
    let mut principals = Vec::new();
    for one_type in types {
        for node in texts(&one_type.value, &one_type.name)? {
            let text = scalar(node, &one_type.name)?;
            let principal = match dialect {
                Dialect::Ram => ram(&one_type.name, &text),
                Dialect::Aws => aws(&one_type.name, &text),
            };
            let Some(principal) = principal else {
                let element = one_type.name.to_string();
                return Err(broken(node, Rule::Principal { element, text: text.into_owned() }));
            };
            principals.push(principal);
        }
    }
    if principals.is_empty() {
        return Err(broken(&found.value, Rule::Empty(found.name.to_string())));
    }
    Ok(principals)
}

fn ram(element: &str, text: &str) -> Option<PrincipalPattern> {
    match element {
        "RAM" => {
            if let Ok(role) = text.parse::<RoleArn>() {
                return Some(PrincipalPattern::Role(role));
            }
            let (account, name) = text.strip_prefix("acs:ram::")?.split_once(':')?;
            let account = account.parse().ok()?;
            match name.strip_prefix("user/") {
                Some(name) => {
                    is_name(name).then(|| PrincipalPattern::User { account, name: name.to_owned() })
                }
                None => (name == "root").then_some(PrincipalPattern::Account(account)),
            }
        }
        "Service" => {
            let (account, name) = match text.split_once('@') {
                Some((account, name)) => (Some(account.parse().ok()?), name),
                None => (None, text),
            };
            is_host(name).then(|| PrincipalPattern::Service { account, name: name.to_owned() })
        }
        _ => {
            let (account, provider) = text.strip_prefix("acs:ram::")?.split_once(':')?;
            account.parse::<AccountId>().ok()?;
            is_provider(provider, is_name).then(|| PrincipalPattern::Federated(text.to_owned()))
        }
    }
}

fn aws(element: &str, text: &str) -> Option<PrincipalPattern> {
    let other = || PrincipalPattern::Other(text.to_owned());
    match element {
        "AWS" => aws_identity(text),
        "Service" => is_host(text)
            .then(|| PrincipalPattern::Service { account: None, name: text.to_owned() }),
        "CanonicalUser" => {
            let is_id = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
            is_id.then(other)
        }
        _ => {
            let is_arn = arn(text, "iam").is_some_and(|(_, provider)| {
                is_provider(provider, |name| name.split('/').all(is_aws_name))
            });
            (is_arn || is_host(text)).then(|| PrincipalPattern::Federated(text.to_owned()))
        }
    }
}

fn aws_identity(text: &str) -> Option<PrincipalPattern> {
    let other = || PrincipalPattern::Other(text.to_owned());
    if text == "*" {
        return Some(PrincipalPattern::Anyone);
    }
    if let Ok(account) = text.parse() {
        return Some(PrincipalPattern::Account(account));
    }
    if let Some((_, session)) = arn(text, "sts") {
        let (kind, name) = session.split_once('/')?;
        let is_session = match kind {
            "assumed-role" => name
                .split_once('/')
                .is_some_and(|(role, name)| is_aws_name(role) && is_aws_name(name)),
            "federated-user" => is_aws_name(name),
            _ => false,
        };
        return is_session.then(other);
    }
    let Some((account, identity)) = arn(text, "iam") else {
        // What stands in place of a name once the identity is deleted, such as `AIDA…`.
        let is_id = text.len() >= 16
            && text.starts_with('A')
            && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        return is_id.then(other);
    };
    if identity == "root" {
        return Some(PrincipalPattern::Account(account));
    }
    let (kind, name) = identity.split_once('/')?;
    if !name.split('/').all(is_aws_name) {
        return None;
    }
    match (kind, name.parse::<RoleName>()) {
        ("role", Ok(name)) => Some(PrincipalPattern::Role(RoleArn { account, name })),
        ("user", _) if !name.contains('/') => {
            Some(PrincipalPattern::User { account, name: name.to_owned() })
        }
        ("role" | "user", _) => Some(other()),
        _ => None,
    }
}

/// The account and the rest of `arn:<partition>:<service>::<account>:<rest>`.
fn arn<'t>(text: &'t str, service: &str) -> Option<(AccountId, &'t str)> {
    let mut parts = text.splitn(6, ':');
    let mut next = || parts.next();
    let (prefix, partition, named, region) = (next()?, next()?, next()?, next()?);
    let fits = prefix == "arn" && partition.starts_with("aws") && named == service;
    (fits && region.is_empty()).then_some(())?;
    Some((next()?.parse().ok()?, next()?))
}

fn is_provider(text: &str, is_such: impl Fn(&str) -> bool) -> bool {
    let name = text.strip_prefix("saml-provider/").or_else(|| text.strip_prefix("oidc-provider/"));
    name.is_some_and(is_such)
}

fn is_host(text: &str) -> bool {
    text.contains('.') && is_name(text)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.@".contains(&b))
}

/// Names in AWS have a few letters more.
fn is_aws_name(text: &str) -> bool {
    is_name(&text.replace(['+', '=', ','], "-"))
}
