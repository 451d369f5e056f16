use std::future::Future;

use crossvault_core::{
    directory::{Administrators, ControlLevel, Member, Membership},
    ids::AccountId,
};

use super::{Identity, Page, PortError};

/// The resource directory of the backup management account. Answers may be seconds old.
pub trait Directory: Identity {
    /// Whether an account is a member of the caller's directory.
    ///
    /// # Errors
    /// [`PortError::Denied`] when the caller may not read the directory.
    fn membership(
        &self,
        by: &Self::Credentials,
        account: AccountId,
    ) -> impl Future<Output = Result<Membership, PortError>> + Send;

    /// Members whose id or name holds the text, in the order of their ids.
    ///
    /// # Errors
    /// [`PortError::Denied`] when the caller may not read the directory.
    fn members(
        &self,
        by: &Self::Credentials,
        search: String,
        page: Page,
    ) -> impl Future<Output = Result<Vec<Member>, PortError>> + Send;

    /// Who may manage the members; none when the caller's account is in no directory.
    ///
    /// # Errors
    /// [`PortError::Denied`] when the caller may not read the list.
    fn administrators(
        &self,
        by: &Self::Credentials,
    ) -> impl Future<Output = Result<Option<Administrators>, PortError>> + Send;

    /// The control policies that bear on an account's identities, one level a node, Root first;
    /// empty when the feature is off, the account is no member, or it is the management account.
    ///
    /// # Errors
    /// [`PortError::Denied`] when the caller may not read them.
    fn control_policies(
        &self,
        by: &Self::Credentials,
        account: AccountId,
    ) -> impl Future<Output = Result<Vec<ControlLevel>, PortError>> + Send;

    /// The nodes that a control policy is attached to, by its id.
    ///
    /// # Errors
    /// [`PortError::NotFound`] when there is no such policy, [`PortError::Denied`] when the caller
    /// may not read it.
    fn control_targets(
        &self,
        by: &Self::Credentials,
        policy: String,
    ) -> impl Future<Output = Result<Vec<String>, PortError>> + Send;
}
