//! The names that a scenario gives accounts, and sources by them.

use std::collections::BTreeMap;

use crossvault_core::ids::{AccountId, DataSource};

use super::{HOME, MANAGEMENT, Scenario};
use crate::{
    script::{Act, Action},
    world::Deed,
};

/// Accounts by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    by_name: BTreeMap<String, AccountId>,
    by_id: BTreeMap<AccountId, String>,
}

impl Names {
    /// The names of a scenario's accounts: those under which they are opened.
    #[must_use]
    pub fn of(scenario: &Scenario) -> Self {
        let mut names = Self::default();
        names.add(MANAGEMENT, &scenario.management);
        for act in scenario.before.iter().chain(scenario.acts.iter()) {
            if let Some((name, account)) = opened(act) {
                names.add(name, account);
            }
        }
        names
    }

    /// Adds one; false if its name or its id has one already.
    pub(super) fn add(&mut self, name: &str, account: &AccountId) -> bool {
        let is_new = !self.by_name.contains_key(name)
            && !self.by_id.contains_key(account)
            && name.parse::<AccountId>().is_err()
            && !name.contains('/');
        if is_new {
            self.by_name.insert(name.to_owned(), account.clone());
            self.by_id.insert(account.clone(), name.to_owned());
        }
        is_new
    }

    /// The account of that name; an id names itself.
    #[must_use]
    pub fn account(&self, name: &str) -> Option<AccountId> {
        self.by_name.get(name).cloned().or_else(|| name.parse().ok())
    }

    /// All names.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// An account's name, else its id.
    #[must_use]
    pub fn name<'n>(&'n self, account: &'n AccountId) -> &'n str {
        self.by_id.get(account).map_or_else(|| account.as_str(), String::as_str)
    }

    /// The source of that name: `payroll/nas/fs-1`, or `payroll/cn-shanghai/nas/fs-1` elsewhere
    /// than in the home region.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<DataSource> {
        let (account, rest) = name.split_once('/')?;
        let account = self.account(account)?;
        let home = if rest.matches('/').count() == 1 { format!("{HOME}/") } else { String::new() };
        format!("{account}/{home}{rest}").parse().ok()
    }

    /// A source's name.
    #[must_use]
    pub fn source_name(&self, source: &DataSource) -> String {
        let DataSource { account, region, kind, id } = source;
        let account = self.name(account);
        if region.as_str() == HOME {
            format!("{account}/{kind}/{id}")
        } else {
            format!("{account}/{region}/{kind}/{id}")
        }
    }

    /// The text with names in the place of the ids of accounts.
    #[must_use]
    pub fn named(&self, text: &str) -> String {
        let home = format!("/{HOME}/");
        self.by_id
            .iter()
            .fold(text.to_owned(), |text, (id, name)| text.replace(id.as_str(), name))
            .replace(&home, "/")
    }
}

fn opened(act: &Act) -> Option<(&str, &AccountId)> {
    match &act.action {
        Action::Does(command) => match &command.deed {
            Deed::CreateAccount { name } => Some((name, &command.by)),
            _ => None,
        },
        _ => None,
    }
}
