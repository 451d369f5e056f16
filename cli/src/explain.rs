//! `crossvault explain`: why policies decide a request as they do, as a tree.

mod principal;
mod tree;
mod words;
mod world;

use std::path::PathBuf;

use clap::Args;
use crossvault_core::{
    ids::{AccountId, RoleName},
    policy::{
        ActionPattern, Context, Dialect, ExplainedTrust, Explanation, Level, Named, PolicyKind,
        Question, Request, ResourcePattern, Ruling, Verdict, explain, explain_trust,
    },
};
use crossvault_embedded::socket::{Failure, Kind};
use serde_json::json;

use crate::{
    arguments::Globals,
    console::Console,
    exit::Exit,
    input::refuse_second_stdin,
    output::Output,
    policy::{DialectName, Document},
    source::AccountName,
};

/// Explain why policies allow or deny a request
///
/// Shows each layer, policy and statement, which of them decides, and for each statement that does
/// not match why: every action, resource and condition. The policies come from files, or from a
/// role of the world with what is attached to it and the control policies that bear on it.
///
/// Exit code 3 when the request is denied.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  crossvault explain --policy p.json --action oss:GetObject --resource acs:oss:::bucket/key
  crossvault explain --policy p.json --control root.json --control folder.json --session s.json --action ecs:DeleteDisk --context acs:SourceIp=10.0.0.1
  crossvault explain --role payroll:hbrcrossrole --action ecs:CreateSnapshot
  crossvault explain --trust t.json --principal acs:ram::1000000000000001:role/backup")]
pub struct Arguments {
    #[command(flatten)]
    asked: Asked,

    /// On this resource
    #[arg(long, value_name = "RESOURCE", default_value = "*", help_heading = "Request")]
    resource: String,

    /// A circumstance; the same key again gives it several values
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value, help_heading = "Request")]
    context: Vec<(String, String)>,

    /// A policy attached to the identity; may be given several times; `-` for standard input
    #[arg(long, value_name = "FILE", help_heading = "Policies")]
    policy: Vec<PathBuf>,

    /// The policy that the session was cut down to
    #[arg(long, value_name = "FILE", help_heading = "Policies")]
    session: Option<PathBuf>,

    /// The control policy of a level of the directory, Root first; one for each level
    #[arg(long, value_name = "FILE", help_heading = "Policies")]
    control: Vec<PathBuf>,

    /// The trust policy of the role that is to be assumed
    #[arg(long, value_name = "FILE", requires = "principal", help_heading = "Policies")]
    trust: Option<PathBuf>,

    /// A role of the world, with its policies and the control policies that bear on its account
    #[arg(
        long,
        value_name = "ACCOUNT:ROLE",
        value_parser = account_and_role,
        conflicts_with_all = ["control", "trust"],
        help_heading = "Policies"
    )]
    role: Option<(AccountName, RoleName)>,

    /// The account of the role that is to be assumed; needed where services are trusted
    #[arg(long, value_name = "ID", conflicts_with = "role", help_heading = "Policies")]
    owner: Option<AccountId>,

    /// The language that the policies are written in
    #[arg(long, value_enum, default_value_t = DialectName::Ram, help_heading = "Policies")]
    dialect: DialectName,
}

/// What is asked.
#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
struct Asked {
    /// May this be done?
    #[arg(long, value_name = "ACTION", help_heading = "Request")]
    action: Option<String>,

    /// May this identity or service assume the role?
    #[arg(long, value_name = "PRINCIPAL", help_heading = "Request")]
    principal: Option<String>,
}

/// The policies that bear on the request, wherever they come from.
#[derive(Debug, Default)]
struct Policies {
    control: Vec<(String, Vec<Document>)>,
    session: Option<Document>,
    identity: (String, Vec<Document>),
    trust: Option<Document>,
    /// The account of the role, where it is known.
    owner: Option<AccountId>,
}

/// What is decided, and why.
struct Explained {
    trust: Option<ExplainedTrust>,
    permission: Option<Explanation>,
}

/// Runs the command.
pub fn run(
    globals: &Globals,
    console: impl FnOnce(&Globals) -> Result<Console, Failure>,
    arguments: &Arguments,
) -> Result<Exit, Failure> {
    let output = globals.output();
    let dialect = Dialect::from(arguments.dialect);
    check(arguments, dialect)?;
    let mut policies = match &arguments.role {
        Some((account, role)) => world::policies(&console(globals)?, account, role, arguments)?,
        None => Policies { owner: arguments.owner.clone(), ..Policies::default() },
    };
    if let Err(exit) = policies.read(output, arguments, dialect)? {
        return Ok(exit);
    }
    let context = context(arguments, &policies);
    let explained = policies.explain(arguments, dialect, &context)?;
    let warnings: Vec<_> = policies.documents().flat_map(Document::warnings_json).collect();
    let value = json!({ "answer": "explanation", "value": {
        "is_allowed": explained.is_allowed(),
        "action": arguments.asked.action,
        "resource": arguments.resource,
        "principal": arguments.asked.principal,
        "trust": explained.trust,
        "permission": explained.permission,
        "warnings": warnings,
    } });
    output.answer(&value, || {
        let warnings = policies.documents().flat_map(Document::warnings_text);
        let tree = words::text(output, arguments, &explained);
        [tree].into_iter().chain(warnings).collect::<Vec<_>>().join("\n\n")
    })?;
    Ok(if explained.is_allowed() { Exit::Done } else { Exit::Refused })
}

impl Policies {
    /// Adds the documents that were named. `Err` when one breaks a rule, which is then told.
    fn read(
        &mut self,
        output: Output,
        arguments: &Arguments,
        dialect: Dialect,
    ) -> Result<Result<(), Exit>, Failure> {
        let Arguments { policy, session, control, trust, .. } = arguments;
        let all = control.iter().map(|file| (file, PolicyKind::Control));
        let all = all.chain(session.iter().map(|file| (file, PolicyKind::Session)));
        // The cloud's own policies, which are longer than others may be, can be asked about too.
        let all = all.chain(policy.iter().map(|file| (file, PolicyKind::System)));
        let all = all.chain(trust.iter().map(|file| (file, PolicyKind::Trust)));
        for (file, kind) in all {
            let document = match Document::read(output, file, dialect, kind)? {
                Ok(document) => document,
                Err(exit) => return Ok(Err(exit)),
            };
            match kind {
                PolicyKind::Control => {
                    let level = self.control.len().saturating_add(1);
                    self.control.push((format!("level {level}"), vec![document]));
                }
                PolicyKind::Session => self.session = Some(document),
                PolicyKind::Trust => self.trust = Some(document),
                PolicyKind::Permission | PolicyKind::System => self.identity.1.push(document),
            }
        }
        Ok(Ok(()))
    }

    fn documents(&self) -> impl Iterator<Item = &Document> {
        let control = self.control.iter().flat_map(|(_, documents)| documents);
        control.chain(&self.session).chain(&self.identity.1).chain(&self.trust)
    }

    fn explain(
        &self,
        arguments: &Arguments,
        dialect: Dialect,
        context: &Context,
    ) -> Result<Explained, Failure> {
        let Asked { action, principal } = &arguments.asked;
        let trust = match (&self.trust, principal) {
            (Some(document), Some(principal)) => {
                let (principal, owner) = principal::read(dialect, principal, self.owner.as_ref())?;
                Some(explain_trust(named(document), &owner, &principal, context))
            }
            (None, _) | (_, None) => None,
        };
        let permission = action.as_ref().map(|action| {
            let control = self.control.iter().map(level);
            explain(&Question {
                control: control.collect(),
                session: self.session.as_ref().map(named),
                identity: level(&self.identity),
                request: Request { action, resource: &arguments.resource, context },
            })
        });
        Ok(Explained { trust, permission })
    }
}

impl Explained {
    /// Whether both may be: coming in, and doing it.
    fn is_allowed(&self) -> bool {
        self.trust.as_ref().is_none_or(|trust| trust.verdict.is_allow())
            && self.permission.as_ref().is_none_or(|permission| permission.ruling.is_allow())
    }
}

fn level((name, documents): &(String, Vec<Document>)) -> Level<'_> {
    Level { name, policies: documents.iter().map(named).collect() }
}

fn named(document: &Document) -> Named<'_> {
    Named { name: &document.name, policy: &document.policy }
}

/// Refuses what the parser of the command line lets pass.
fn check(arguments: &Arguments, dialect: Dialect) -> Result<(), Failure> {
    let Arguments { asked, resource, policy, session, control, trust, role, .. } = arguments;
    refuse_second_stdin(policy.iter().chain(session).chain(control).chain(trust))?;
    let usage = |code, message: String, remedy: String| {
        Err(Failure::new(Kind::Usage, code, message, remedy))
    };
    if let Some(action) = &asked.action {
        if action.contains(['*', '?']) || ActionPattern::parse(action).is_none() {
            return usage(
                "ACTION_INVALID",
                format!("`{action}` is not an action"),
                "Give one action, such as `oss:GetObject`.".into(),
            );
        }
        if policy.is_empty() && role.is_none() {
            return usage(
                "POLICIES_NEEDED",
                "no policies were named that could allow the action".into(),
                "Name some with `--policy`, or a role of the world with `--role`.".into(),
            );
        }
    }
    if asked.principal.is_some() && trust.is_none() && role.is_none() {
        return usage(
            "TRUST_NEEDED",
            "no role was named that could be assumed".into(),
            "Name its trust policy with `--trust`, or a role of the world with `--role`.".into(),
        );
    }
    if ResourcePattern::parse(dialect, resource).is_none() {
        return usage(
            "RESOURCE_INVALID",
            format!("`{resource}` is not a resource"),
            format!("Give `*` or `{}`.", dialect.words().resource_form),
        );
    }
    Ok(())
}

/// The circumstances, with those that the world knows of a role itself.
fn context(arguments: &Arguments, policies: &Policies) -> Context {
    let mut context = Context::default();
    for (key, value) in &arguments.context {
        context.add(key, value);
    }
    if arguments.role.is_some() {
        world::add_context(&mut context, &policies.identity.0);
    }
    context
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        Some(_) | None => Err("it must be a key, `=` and a value".to_owned()),
    }
}

fn account_and_role(text: &str) -> Result<(AccountName, RoleName), String> {
    let (account, role) =
        text.rsplit_once(':').ok_or("it must be an account, `:` and the name of a role")?;
    let account = account.parse().map_err(|error| format!("{error}"))?;
    Ok((account, role.parse().map_err(|error| format!("{error}"))?))
}

/// What was decided in one word.
fn decision(ruling: Ruling) -> &'static str {
    match ruling {
        Ruling::Allow { .. } => "allowed",
        Ruling::ExplicitDeny { .. } | Ruling::ImplicitDeny { .. } => "denied",
    }
}

/// What a layer decides, as a verb.
fn verb(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allow { .. } => "allows",
        Verdict::ExplicitDeny { .. } => "denies",
        Verdict::ImplicitDeny => "does not allow",
    }
}
