//! Any row there can be: every variant of every type in it, with awkward texts and instants.

use chrono::{DateTime, TimeDelta, Utc};
use crossvault_core::{
    alert::Alert,
    audit,
    authorization::{Cause, Causes},
    backup::{self, Backup},
    backup_policy::{BackupPolicy, Binding},
    ids::{
        AccountId, AuditId, BindingId, DataSource, EffectId, JobId, PointId, PolicyId, Region,
        RoleArn, SourceKind, Token, VaultId,
    },
    job::{Checkpoint, Failure, Outcome, Progress, Running, State, Trouble},
    quantity::Bytes,
    restore::{self, Overwrite, Restore},
    schedule::{
        Recurrence,
        retention::{Expiry, Period, Retention, Rules, SpecialRule},
        slot::{self, Count, Missed, Skip},
    },
    upkeep::{self, Erase, Erased, Prune},
    vault::{Epoch, Gate, PointState, RecoveryPoint, Vault},
};
use crossvault_handlers::{
    ports::{FailedFile, Message},
    records::{
        AccountBinding, AuditRow, BindingRow, Busy, BusyOf, Dependent, Due, Failures, FormerGrant,
        GateRow, GrantRef, Job, JobRef, JobWork, Latest, MissedSlots, NameRef, Outbox, PointRef,
        PointRow, PolicyBinding, PolicyRow, PolicyVersion, Record, Request, Send, SlotRow, Turn,
        Use, VaultRow, Waiting, Wake,
    },
};

mod grants;

/// How many variants of [`Record`] there are; [`Any::record`] makes each of them.
pub const VARIANTS: u64 = 30;

/// Draws values from a seed: the same seed, the same values.
pub struct Any(u64);

impl Any {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators".
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below the limit.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next().checked_rem(limit).unwrap()
    }

    fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        let n = self.below(all.len().try_into().unwrap());
        all[usize::try_from(n).unwrap()].clone()
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(2) == 0).then(|| make(self))
    }

    fn few<T>(&mut self, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(4)).map(|_| make(self)).collect()
    }

    /// The ends of the type more often than chance would have it.
    fn long(&mut self) -> u64 {
        let any = self.next();
        self.pick(&[0, 1, any >> 40, any, u64::MAX])
    }

    fn word(&mut self) -> u32 {
        let any = self.next();
        self.pick(&[0, 1, u32::try_from(any >> 33).unwrap(), u32::MAX])
    }

    fn short(&mut self) -> u16 {
        let any = self.next();
        self.pick(&[0, 1, u16::try_from(any >> 50).unwrap(), u16::MAX])
    }

    fn bytes(&mut self) -> Bytes {
        Bytes(self.long())
    }

    fn text(&mut self) -> String {
        let parts = ["", "a", "Montag früh", "\"", "\\", "\u{1}", "\n", "/", "!", "😀", "\u{2028}"];
        self.few(|any| any.pick(&parts)).concat()
    }

    fn time(&mut self) -> DateTime<Utc> {
        let base = self.pick(&[
            "2026-07-27T03:00:00Z",
            "1970-01-01T00:00:00Z",
            "0000-01-01T00:00:00Z",
            "2016-12-31T23:59:60.25Z",
            "9999-12-31T23:59:58.999999999Z",
        ]);
        let by = self.pick(&[0, 1, 1_000, 999_999_999]);
        let base: DateTime<Utc> = base.parse().unwrap();
        base.checked_add_signed(TimeDelta::nanoseconds(by)).unwrap()
    }

    fn account(&mut self) -> AccountId {
        self.pick(&["100000000000", "1000000000000012", "1000000000000013"]).parse().unwrap()
    }

    fn region(&mut self) -> Region {
        self.pick(&["cn-hangzhou", "eu-central-1"]).parse().unwrap()
    }

    fn source(&mut self) -> DataSource {
        DataSource {
            account: self.account(),
            region: self.region(),
            kind: self.pick(&SourceKind::ALL),
            id: self.pick(&["i-web.1", "A_b", &"x".repeat(128)]).parse().unwrap(),
        }
    }

    fn seed(&mut self) -> String {
        self.below(3).to_string()
    }

    fn vault_id(&mut self) -> VaultId {
        VaultId::derive(&[&self.seed()])
    }

    fn policy_id(&mut self) -> PolicyId {
        PolicyId::derive(&[&self.seed()])
    }

    fn binding_id(&mut self) -> BindingId {
        BindingId::derive(&[&self.seed()])
    }

    fn job_id(&mut self) -> JobId {
        JobId::derive(&[&self.seed()])
    }

    fn point_id(&mut self) -> PointId {
        PointId::derive(&[&self.seed()])
    }

    fn token(&mut self) -> Token {
        self.pick(&["t", "a-b_C", &"9".repeat(64)]).parse().unwrap()
    }

    fn role(&mut self) -> RoleArn {
        let name = self.pick(&["hbrcrossrole", "A.b-C_d"]).parse().unwrap();
        RoleArn { account: self.account(), name }
    }

    fn wake(&mut self) -> Wake {
        match self.below(2) {
            0 => Wake::Binding(self.binding_id()),
            _ => Wake::Job(self.job_id()),
        }
    }

    fn busy_of(&mut self) -> BusyOf {
        match self.below(2) {
            0 => BusyOf::Binding(self.binding_id()),
            _ => BusyOf::Source(self.source()),
        }
    }

    fn slot_outcome(&mut self) -> slot::Outcome {
        match self.below(3) {
            0 => slot::Outcome::Started(self.job_id()),
            1 => slot::Outcome::Skipped(Skip::PredecessorRuns(self.job_id())),
            _ => slot::Outcome::Skipped(Skip::Paused),
        }
    }

    fn missed(&mut self) -> Missed {
        let count = match self.below(2) {
            0 => Count::Exactly(self.long()),
            _ => Count::AtLeast(self.long()),
        };
        Missed { first: self.time(), last: self.time(), count }
    }

    fn schedule(&mut self) -> Recurrence {
        let zone =
            self.pick(&[chrono_tz::UTC, chrono_tz::Europe::Berlin, chrono_tz::Asia::Shanghai]);
        let text = self.pick(&["I|1700000000|P1D", "I|0|PT1H", "C|1700000000|0 0 2 * * ?"]);
        Recurrence::parse(text, zone).unwrap()
    }

    fn rules(&mut self) -> Rules {
        let keep_latest = self.below(2) == 0;
        match self.below(3) {
            0 => Rules::new(Retention::Forever, vec![], keep_latest),
            1 => Rules::new(Retention::Days(1), vec![], keep_latest),
            _ => {
                let weekly = SpecialRule { period: Period::Weekly, days: 31 };
                let yearly = SpecialRule { period: Period::Yearly, days: 800 };
                Rules::new(Retention::Days(7), vec![yearly, weekly], keep_latest)
            }
        }
        .unwrap()
    }

    fn policy(&mut self) -> BackupPolicy {
        BackupPolicy {
            id: self.policy_id(),
            name: self.text(),
            vault: self.vault_id(),
            schedule: self.schedule(),
            retention: self.rules(),
            version: self.word(),
            since: self.time(),
        }
    }

    fn binding(&mut self) -> Binding {
        Binding {
            id: self.binding_id(),
            policy: self.policy_id(),
            source: self.source(),
            bound: self.time(),
            paused: self.below(2) == 0,
            next: self.maybe(Self::time),
            version: self.word(),
        }
    }

    fn progress(&mut self) -> Progress {
        Progress {
            bytes: self.bytes(),
            files: self.long(),
            failed: self.long(),
            expected: self.maybe(Self::bytes),
        }
    }

    fn trouble(&mut self) -> Trouble {
        Trouble { code: self.text(), message: self.text(), remedy: self.text() }
    }

    fn cause(&mut self) -> Cause {
        match self.below(11) {
            0 => Cause::GrantRemoved { account: self.account() },
            1 => Cause::RegionNotAdded {
                account: self.account(),
                region: self.region(),
                added: self.few(Self::region),
            },
            2 => Cause::NotAdministrator { management: self.account() },
            3 => Cause::NotMember { account: self.account(), management: self.account() },
            4 => Cause::MemberServiceRoleDeleted { role: self.role() },
            5 => Cause::ManagementServiceRoleDeleted { role: self.role() },
            6 => Cause::RoleDeleted { role: self.role() },
            7 => Cause::TrustMissing { role: self.role(), trusted: self.role() },
            8 => Cause::EntryDenied { role: self.role() },
            9 => Cause::PermissionMissing {
                role: self.role(),
                operation: self.text(),
                actions: self.few(Self::text),
            },
            _ => Cause::SourceNotFound { source_id: self.source() },
        }
    }

    fn failure(&mut self) -> Failure {
        match self.below(3) {
            0 => {
                let mut causes = self.few(Self::cause);
                causes.push(self.cause());
                Failure::Unauthorized(Causes::of(causes).unwrap())
            }
            1 => Failure::Broken(self.trouble()),
            _ => Failure::Exhausted { times: self.word(), last: self.trouble() },
        }
    }

    fn state<S>(&mut self, sealed: impl Fn(&mut Self) -> S) -> State<S> {
        match self.below(7) {
            0 => State::Queued,
            1 => State::Running(Running {
                at: Checkpoint(self.maybe(Self::text)),
                progress: self.progress(),
                pauses: self.word(),
                stumbles: self.word(),
                stumbled: self.maybe(Self::word),
            }),
            2 => State::Canceling,
            3 => State::Ended(Outcome::Complete(sealed(self))),
            4 => State::Ended(Outcome::Partial(sealed(self))),
            5 => State::Ended(Outcome::Failed(self.failure())),
            _ => State::Ended(Outcome::Canceled),
        }
    }

    fn work(&mut self) -> JobWork {
        let upkept = |any: &mut Self| upkeep::Sealed { removed: any.long(), freed: any.bytes() };
        match self.below(4) {
            0 => {
                let backup = Backup {
                    source: self.source(),
                    vault: self.vault_id(),
                    policy: self.maybe(Self::policy_id),
                    binding: self.maybe(Self::binding_id),
                    due: self.maybe(Self::time),
                };
                let state = self.state(|any| backup::Sealed {
                    snapshot: any.text(),
                    epoch: Epoch(any.long()),
                    taken: any.time(),
                    files: any.long(),
                    bytes: any.bytes(),
                    added: any.bytes(),
                    failed: any.long(),
                });
                JobWork::Backup(backup, state)
            }
            1 => {
                let restore = Restore {
                    vault: self.vault_id(),
                    point: self.point_id(),
                    from: self.source(),
                    snapshot: self.text(),
                    bytes: self.bytes(),
                    to: self.source(),
                    into: self.text(),
                    only: self.maybe(Self::text),
                    overwrite: self.pick(&[Overwrite::Refuse, Overwrite::Replace]),
                };
                let state = self.state(|any| restore::Sealed {
                    files: any.long(),
                    bytes: any.bytes(),
                    failed: any.long(),
                    warnings: any.few(Self::text),
                });
                JobWork::Restore(restore, state)
            }
            2 => {
                let points = self.few(|any| Erased {
                    point: any.point_id(),
                    taken: any.time(),
                    snapshot: any.text(),
                });
                let erase = Erase { vault: self.vault_id(), source: self.source(), points };
                JobWork::Erase(erase, self.state(upkept))
            }
            _ => JobWork::Prune(Prune { vault: self.vault_id() }, self.state(upkept)),
        }
    }

    fn job(&mut self) -> Job {
        Job {
            id: self.job_id(),
            work: self.work(),
            account: self.account(),
            queued: self.time(),
            started: self.maybe(Self::time),
            ended: self.maybe(Self::time),
            fence: self.word(),
            lease_until: self.maybe(Self::time),
            wake: self.maybe(Self::time),
            turn: self.maybe(Self::short),
            waiting: self.maybe(Self::time),
            epoch: self.maybe(|any| Epoch(any.long())),
            revision: self.word(),
            progress: self.progress(),
            failure_pages: self.word(),
            checkpoint_pages: self.word(),
        }
    }

    fn point(&mut self) -> RecoveryPoint {
        RecoveryPoint {
            id: self.point_id(),
            job: self.job_id(),
            source: self.source(),
            vault: self.vault_id(),
            policy: self.maybe(Self::policy_id),
            binding: self.maybe(Self::binding_id),
            snapshot: self.text(),
            taken: self.time(),
            files: self.long(),
            bytes: self.bytes(),
            added: self.bytes(),
            failed: self.long(),
            expires: match self.below(2) {
                0 => Expiry::At(self.time()),
                _ => Expiry::Never,
            },
            state: match self.below(2) {
                0 => PointState::Available,
                _ => PointState::Expiring { job: self.job_id() },
            },
            in_use_by: self.few(Self::job_id),
        }
    }

    fn send(&mut self) -> Send {
        match self.below(5) {
            0 => Send::Message { message: Message::TakeStep(self.job_id()), group: self.account() },
            2 => Send::Message {
                message: Message::RecheckAll {
                    on: self.support(),
                    after: self.maybe(|any| (any.account(), any.region())),
                    hint: AuditId::derive(&[&self.seed()]),
                },
                group: self.account(),
            },
            3 => Send::Message {
                message: Message::Recheck {
                    account: self.account(),
                    region: self.region(),
                    hint: AuditId::derive(&[&self.seed()]),
                },
                group: self.account(),
            },
            1 => Send::Message {
                message: Message::FanOut {
                    policy: self.policy_id(),
                    after: self.maybe(Self::binding_id),
                },
                group: self.account(),
            },
            _ => Send::Alert(Box::new(Alert {
                kind: self.text(),
                at: self.time(),
                account: self.account(),
                source: self.maybe(Self::source),
                job: self.maybe(Self::job_id),
                code: self.text(),
                message: self.text(),
                remedy: self.text(),
                grant: self.maybe(|any| Box::new(any.about_grant())),
            })),
        }
    }

    fn audit(&mut self) -> audit::Record {
        audit::Record {
            id: AuditId::derive(&[&self.seed()]),
            at: self.time(),
            who: match self.below(2) {
                0 => audit::Actor::Caller { account: self.account(), request: self.token() },
                _ => audit::Actor::Handler { name: self.text() },
            },
            what: self.text(),
            subject: self.text(),
            account: self.account(),
            why: self.text(),
        }
    }

    /// Any row.
    pub fn any_record(&mut self) -> Record {
        let n = self.below(VARIANTS);
        self.record(n)
    }

    /// A row of the n-th type.
    pub fn record(&mut self, n: u64) -> Record {
        match n {
            0 => Due { shard: self.short(), at: self.time(), wake: self.wake() }.into(),
            1 => BindingRow(self.binding()).into(),
            2 => Busy { of: self.busy_of(), job: self.job_id() }.into(),
            3 => Latest { binding: self.binding_id(), taken: self.time() }.into(),
            4 => SlotRow {
                binding: self.binding_id(),
                due: self.time(),
                outcome: self.slot_outcome(),
            }
            .into(),
            5 => MissedSlots { binding: self.binding_id(), missed: self.missed() }.into(),
            6 => PolicyRow(self.policy()).into(),
            7 => PolicyVersion(self.policy()).into(),
            8 => PolicyBinding {
                policy: self.policy_id(),
                binding: self.binding_id(),
                source: self.source(),
            }
            .into(),
            9 => Record::Job(Box::new(self.job())),
            10 => Failures {
                job: self.job_id(),
                page: self.word(),
                files: self.few(|any| FailedFile {
                    path: any.text(),
                    code: any.text(),
                    message: any.text(),
                }),
            }
            .into(),
            11 => {
                JobRef { account: self.account(), queued: self.time(), job: self.job_id() }.into()
            }
            12 => Turn { account: self.account(), n: self.short(), job: self.job_id() }.into(),
            13 => {
                Waiting { account: self.account(), since: self.time(), job: self.job_id() }.into()
            }
            14 => self.grant().into(),
            15 => FormerGrant { grant: self.grant().0, removed: self.time() }.into(),
            16 => GrantRef { account: self.account(), region: self.region() }.into(),
            17 => VaultRow(Vault {
                id: self.vault_id(),
                name: self.text(),
                region: self.region(),
                owner: self.account(),
                created: self.time(),
            })
            .into(),
            18 => GateRow {
                vault: self.vault_id(),
                gate: Gate {
                    epoch: Epoch(self.long()),
                    erased: self.below(2) == 0,
                    prune: self.maybe(Self::job_id),
                },
            }
            .into(),
            19 => Use { vault: self.vault_id(), job: self.job_id() }.into(),
            20 => Record::Point(Box::new(PointRow(self.point()))),
            21 => PointRef {
                source: self.source(),
                taken: self.time(),
                point: self.point_id(),
                vault: self.vault_id(),
            }
            .into(),
            22 => Outbox {
                id: EffectId::derive(&[&self.seed()]),
                shard: self.short(),
                not_before: self.time(),
                send: self.send(),
                attempts: self.word(),
                error: self.maybe(Self::text),
            }
            .into(),
            23 => AuditRow { management: self.account(), record: self.audit() }.into(),
            24 => Request {
                caller: self.account(),
                token: self.token(),
                digest: self.text(),
                answer: self.text(),
                at: self.time(),
            }
            .into(),
            25 => AccountBinding { binding: self.binding_id(), source: self.source() }.into(),
            26 => {
                let on = self.support();
                Dependent { on, account: self.account(), region: self.region() }.into()
            }
            27 => self.review().into(),
            28 => self.review_round().into(),
            _ => match self.below(2) {
                0 => NameRef::Policy { name: self.text(), id: self.policy_id() },
                _ => NameRef::Vault { name: self.text(), id: self.vault_id() },
            }
            .into(),
        }
    }
}
