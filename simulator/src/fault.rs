//! What can go wrong: at a call, at a delivery, with a clock.

use crate::{
    call::{Method, Request, SessionId},
    chooser::Options,
};

/// What happens to one call of a port. Its number is its option.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Fault {
    /// It takes effect and answers.
    #[default]
    None = 0,
    /// It takes 3 seconds.
    Slow,
    /// It takes 2 minutes: longer than a lease.
    VerySlow,
    /// The cloud asks to slow down: no effect.
    Throttled,
    /// No answer, and no effect.
    TimedOut,
    /// No answer, but the effect.
    TimedOutAfter,
    /// Another change came first: no effect.
    Conflict,
    /// The answer is as the world was before its last change.
    Stale,
    /// Refused, though the policies allow it: a change that has not spread.
    Denied,
    /// The credentials have expired between check and use.
    Expired,
    /// A quota of the cloud is used up.
    Quota,
    /// No space is left.
    Full,
    /// What is read from the vault is damaged.
    Damaged,
    /// The function dies before the call.
    CrashBefore,
    /// The function dies after the effect and before the answer.
    CrashAfter,
    /// The function stands still before the call, until its successor has long run; then it goes on.
    FreezeBefore,
    /// The same after the effect.
    FreezeAfter,
    /// The RAM role that the account grants with is deleted just before.
    RoleDeleted,
    /// Its trust policy no longer names the management account.
    TrustChanged,
    /// Its permissions are taken away.
    PermissionRemoved,
    /// The management account's service-linked role is deleted.
    ServiceRoleDeleted,
    /// The member's service-linked role is deleted.
    MemberServiceRoleDeleted,
    /// The account leaves the directory.
    MemberLeft,
    /// The management account is no delegated administrator any more.
    AdministratorDeregistered,
    /// A control policy denies all.
    ControlPolicyDenies,
    /// The source is deleted.
    SourceDeleted,
}

impl Fault {
    /// All but none, in the order of their numbers.
    pub const ALL: [Self; 25] = [
        Self::Slow,
        Self::VerySlow,
        Self::Throttled,
        Self::TimedOut,
        Self::TimedOutAfter,
        Self::Conflict,
        Self::Stale,
        Self::Denied,
        Self::Expired,
        Self::Quota,
        Self::Full,
        Self::Damaged,
        Self::CrashBefore,
        Self::CrashAfter,
        Self::FreezeBefore,
        Self::FreezeAfter,
        Self::RoleDeleted,
        Self::TrustChanged,
        Self::PermissionRemoved,
        Self::ServiceRoleDeleted,
        Self::MemberServiceRoleDeleted,
        Self::MemberLeft,
        Self::AdministratorDeregistered,
        Self::ControlPolicyDenies,
        Self::SourceDeleted,
    ];

    /// The fault of that number.
    #[must_use]
    pub fn of(option: u8) -> Self {
        Self::ALL.into_iter().find(|fault| *fault as u8 == option).unwrap_or_default()
    }

    /// Its name in files and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Slow => "slow",
            Self::VerySlow => "very-slow",
            Self::Throttled => "throttled",
            Self::TimedOut => "timed-out",
            Self::TimedOutAfter => "timed-out-after",
            Self::Conflict => "conflict",
            Self::Stale => "stale",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::Quota => "quota",
            Self::Full => "full",
            Self::Damaged => "damaged",
            Self::CrashBefore => "crash-before",
            Self::CrashAfter => "crash-after",
            Self::FreezeBefore => "freeze-before",
            Self::FreezeAfter => "freeze-after",
            Self::RoleDeleted => "role-deleted",
            Self::TrustChanged => "trust-changed",
            Self::PermissionRemoved => "permission-removed",
            Self::ServiceRoleDeleted => "service-role-deleted",
            Self::MemberServiceRoleDeleted => "member-service-role-deleted",
            Self::MemberLeft => "member-left",
            Self::AdministratorDeregistered => "administrator-deregistered",
            Self::ControlPolicyDenies => "control-policy-denies",
            Self::SourceDeleted => "source-deleted",
        }
    }

    /// Whether jobs must succeed in spite of it. After others a job may end, with the true cause;
    /// what must hold whatever happens must hold after these too.
    #[must_use]
    pub fn is_recoverable(self) -> bool {
        match self {
            Self::None
            | Self::Slow
            | Self::VerySlow
            | Self::Throttled
            | Self::TimedOut
            | Self::TimedOutAfter
            | Self::Conflict
            | Self::CrashBefore
            | Self::CrashAfter
            | Self::FreezeBefore
            | Self::FreezeAfter => true,
            Self::Stale
            | Self::Denied
            | Self::Expired
            | Self::Quota
            | Self::Full
            | Self::Damaged
            | Self::RoleDeleted
            | Self::TrustChanged
            | Self::PermissionRemoved
            | Self::ServiceRoleDeleted
            | Self::MemberServiceRoleDeleted
            | Self::MemberLeft
            | Self::AdministratorDeregistered
            | Self::ControlPolicyDenies
            | Self::SourceDeleted => false,
        }
    }

    /// Why a call can't meet it; none when it can.
    #[must_use]
    pub fn impossible_at(self, request: &Request) -> Option<&'static str> {
        match self {
            Self::None
            | Self::Slow
            | Self::VerySlow
            | Self::Throttled
            | Self::TimedOut
            | Self::CrashBefore
            | Self::FreezeBefore => None,
            Self::TimedOutAfter | Self::CrashAfter | Self::FreezeAfter => {
                let no_effect = "it leaves no effect: the same as before it";
                (!request.method().has_effect()).then_some(no_effect)
            }
            Self::Conflict => {
                let is_commit = request.method() == Method::Commit;
                (!is_commit).then_some("only a commit has conditions")
            }
            Self::Stale => {
                let is_late = request.method().may_be_stale();
                (!is_late).then_some("only roles, policies and the directory are read late")
            }
            Self::Denied | Self::Expired => match request.by() {
                None => Some("it carries no credentials"),
                Some(SessionId::OWN) => Some("the management account's own credentials do not end"),
                Some(_) => None,
            },
            Self::Quota => {
                let is_assume = request.method() == Method::Assume;
                (!is_assume).then_some("only sessions have a quota here")
            }
            Self::Full => (!request.moves_data()).then_some("it needs no space"),
            Self::Damaged => (!request.reads_vault()).then_some("it reads no data from the vault"),
            Self::RoleDeleted
            | Self::TrustChanged
            | Self::PermissionRemoved
            | Self::ServiceRoleDeleted
            | Self::MemberServiceRoleDeleted
            | Self::MemberLeft
            | Self::AdministratorDeregistered
            | Self::ControlPolicyDenies => {
                let seen = "it names no resource account: seen at the next call that does";
                request.account().is_none().then_some(seen)
            }
            Self::SourceDeleted => {
                let seen = "it names no source: seen at the next call that does";
                request.source().is_none().then_some(seen)
            }
        }
    }

    /// What a call can meet.
    #[must_use]
    pub fn options_at(request: &Request) -> Options {
        let possible = Self::ALL.into_iter().filter(|fault| fault.impossible_at(request).is_none());
        Options::of(possible.map(|fault| fault as u8))
    }

    /// Whether it is a change of the world, which stays until the world is healed.
    #[must_use]
    pub fn is_breakage(self) -> bool {
        self >= Self::RoleDeleted
    }
}

/// What happens to a delivery of a message or an event. Its number is its option.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Mishap {
    /// It comes once.
    #[default]
    None = 0,
    /// It comes twice at once.
    Twice,
    /// It comes 2 minutes late, after what was sent later.
    Late,
    /// It never comes.
    Lost,
    /// It comes again after it was seen to: its receipt was lost.
    Again,
}

impl Mishap {
    /// All but none, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Twice, Self::Late, Self::Lost, Self::Again];

    /// The mishap of that number.
    #[must_use]
    pub fn of(option: u8) -> Self {
        Self::ALL.into_iter().find(|mishap| *mishap as u8 == option).unwrap_or_default()
    }

    /// Its name in files and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Twice => "twice",
            Self::Late => "late",
            Self::Lost => "lost",
            Self::Again => "again",
        }
    }

    /// All of them can happen.
    #[must_use]
    pub fn options() -> Options {
        Options::of(Self::ALL.map(|mishap| mishap as u8))
    }
}

/// How wrong the clock of one invocation is. Its number is its option.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Skew {
    /// Right.
    #[default]
    None = 0,
    /// 2 seconds behind.
    Behind,
    /// 2 seconds ahead.
    Ahead,
    /// 5 minutes behind.
    FarBehind,
    /// 5 minutes ahead.
    FarAhead,
}

impl Skew {
    /// All but none, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Behind, Self::Ahead, Self::FarBehind, Self::FarAhead];

    /// The skew of that number.
    #[must_use]
    pub fn of(option: u8) -> Self {
        Self::ALL.into_iter().find(|skew| *skew as u8 == option).unwrap_or_default()
    }

    /// Its name in files and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Behind => "behind",
            Self::Ahead => "ahead",
            Self::FarBehind => "far-behind",
            Self::FarAhead => "far-ahead",
        }
    }

    /// In seconds.
    #[must_use]
    pub fn seconds(self) -> i64 {
        match self {
            Self::None => 0,
            Self::Behind => -2,
            Self::Ahead => 2,
            Self::FarBehind => -300,
            Self::FarAhead => 300,
        }
    }

    /// All of them can happen.
    #[must_use]
    pub fn options() -> Options {
        Options::of(Self::ALL.map(|skew| skew as u8))
    }
}
