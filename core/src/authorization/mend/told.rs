//! A mend in words: who does what, and the documents to paste.

use super::Mend;

impl Mend {
    /// Who does it.
    #[must_use]
    pub fn who(&self) -> String {
        match self {
            Self::AddAccount { .. } | Self::CreateServiceRole { .. } | Self::SetClock => {
                "the backup management account".to_owned()
            }
            Self::RegisterAdministrator { .. }
            | Self::AddMember { .. }
            | Self::Except { .. }
            | Self::AllowAt { .. } => "the directory's management account".to_owned(),
            Self::CreateRole { role, .. }
            | Self::Trust { role, .. }
            | Self::Permit { role, .. }
            | Self::LiftDeny { role, .. }
            | Self::LookAtRole { role } => format!("account {}", role.account),
            Self::OrdinaryRole { account } | Self::RaiseQuota { account, .. } => {
                format!("account {account}")
            }
            Self::FindSource { source } => format!("account {}", source.account),
            Self::Report => "whoever sees this".to_owned(),
        }
    }

    /// What is done; the documents of [`documents`](Self::documents) belong to it.
    #[must_use]
    pub fn deed(&self) -> String {
        match self {
            Self::AddAccount { account, region } => {
                format!("add account `{account}` in region `{region}`")
            }
            Self::RegisterAdministrator { management } => {
                format!("make `{management}` a delegated administrator of Cloud Backup")
            }
            Self::AddMember { account } => format!("invite `{account}` into the directory"),
            Self::CreateServiceRole { role } => {
                format!("add the account again, which creates `{role}`")
            }
            Self::CreateRole { role, .. } => format!(
                "create `{role}` with the first document as its trust policy, and attach the others"
            ),
            Self::Trust { role, .. } => format!("replace the trust policy of `{role}`"),
            Self::Permit { role, documents } => {
                let policy = if documents.len() == 1 { "this policy" } else { "these policies" };
                format!("attach {policy} to `{role}`, beside those it has")
            }
            Self::LiftDeny { role, policy, document: None } => {
                format!("detach `{policy}` from `{role}`")
            }
            Self::LiftDeny { policy, document: Some(_), .. } => {
                format!("take out of policy `{policy}` what denies")
            }
            Self::Except { node, policy, .. } => {
                format!("except the role from control policy `{policy}`, attached to `{node}`")
            }
            Self::AllowAt { node, .. } => {
                format!("attach a control policy to `{node}` that allows what is needed")
            }
            Self::OrdinaryRole { account } => format!(
                "make an ordinary RAM role in account `{account}`, through which it is added instead"
            ),
            Self::SetClock => "set the clock of the machine that runs Crossvault".to_owned(),
            Self::RaiseQuota { quota, .. } => {
                format!("ask the cloud to raise the quota on {quota}, or free some of it")
            }
            Self::FindSource { source } => {
                format!("create `{source}` again; or let the management account unbind it")
            }
            Self::LookAtRole { role } => {
                format!("check that `{role}` exists and whom its trust policy trusts")
            }
            Self::Report => "report a mistake of Crossvault".to_owned(),
        }
    }

    /// The documents to paste, as JSON texts.
    #[must_use]
    pub fn documents(&self) -> Vec<&str> {
        match self {
            Self::CreateRole { trust, permissions, .. } => {
                std::iter::once(trust).chain(permissions).map(String::as_str).collect()
            }
            Self::Permit { documents, .. } | Self::AllowAt { documents, .. } => {
                documents.iter().map(String::as_str).collect()
            }
            Self::Trust { document, .. }
            | Self::Except { document, .. }
            | Self::LiftDeny { document: Some(document), .. } => vec![document],
            Self::AddAccount { .. }
            | Self::RegisterAdministrator { .. }
            | Self::AddMember { .. }
            | Self::CreateServiceRole { .. }
            | Self::LiftDeny { document: None, .. }
            | Self::OrdinaryRole { .. }
            | Self::SetClock
            | Self::RaiseQuota { .. }
            | Self::FindSource { .. }
            | Self::LookAtRole { .. }
            | Self::Report => Vec::new(),
        }
    }
}
