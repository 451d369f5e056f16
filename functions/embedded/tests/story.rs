//! The platform's own story, without the API: a source is backed up and restored for real.

use std::{fs, path::Path};

use chrono::Utc;
use crossvault_core::{
    audit::Actor,
    backup::Backup,
    grant::{Grant, Method},
    ids::{AccountId, DataSource, JobId, VaultId},
    job::State,
    policy::{ServiceRole, trust_policy_for},
    restore::{self, Overwrite},
    vault::{Gate, Vault},
};
use crossvault_embedded::{
    Embedded, Runtime, Settings,
    files::compare::{CompareOptions, compare},
};
use crossvault_handlers::{
    enqueue::enqueue,
    points,
    ports::{Clock, Identity, Store, Transaction, Vaults},
    records::{GateRow, GrantRef, GrantRow, Job, JobWork, VaultRow},
};
use crossvault_simulator::world::{Command, Deed};

const MANAGEMENT: &str = "1000000000000001";
const TENANT: &str = "1000000000000002";

struct Stage {
    platform: Embedded,
    runtime: Runtime,
    vault: VaultId,
    source: DataSource,
    target: DataSource,
}

async fn world(platform: &Embedded, by: &AccountId, deed: Deed) {
    let command = Command { by: by.clone(), deed };
    platform.world().change(platform.store(), platform.now(), command).await.unwrap();
}

async fn stage(home: &Path, data: &Path) -> Stage {
    let management: AccountId = MANAGEMENT.parse().unwrap();
    let tenant: AccountId = TENANT.parse().unwrap();
    let settings =
        Settings { management: management.clone(), region: "cn-hangzhou".parse().unwrap() };
    let platform = Embedded::create(home, settings, "vaults").await.unwrap();
    world(&platform, &tenant, Deed::CreateAccount { name: "payroll".into() }).await;
    let service = ServiceRole::HbrCrossAccountBackup;
    let deed = Deed::CreateServiceRole { account: management.clone(), role: service };
    world(&platform, &management, deed).await;
    let role = "hbrcrossrole".parse().unwrap();
    let trust = trust_policy_for(&management);
    world(&platform, &tenant, Deed::CreateRole { name: role, trust, max_session_s: None }).await;
    let role = "hbrcrossrole".parse().unwrap();
    let policy = "AliyunHBRRolePolicy".to_owned();
    world(&platform, &tenant, Deed::AttachPolicy { role, policy }).await;

    let source_of = |id: &str| -> DataSource {
        format!("{TENANT}/cn-hangzhou/ecs-files/{id}").parse().unwrap()
    };
    let (source, target) = (source_of("web-1"), source_of("web-2"));
    for one in [&source, &target] {
        let folder = data.join(one.id.as_str());
        fs::create_dir_all(&folder).unwrap();
        let deed = Deed::PutSource {
            source: one.clone(),
            name: one.id.to_string(),
            location: folder.display().to_string(),
            running: true,
        };
        world(&platform, &tenant, deed).await;
    }

    let id = VaultId::derive(&["test"]);
    let region: crossvault_core::ids::Region = "cn-hangzhou".parse().unwrap();
    let vault = Vault {
        id: id.clone(),
        name: "central".into(),
        region: region.clone(),
        owner: management.clone(),
        created: Utc::now(),
    };
    let own = platform.own().await.unwrap();
    platform.create(&own, vault.clone()).await.unwrap();
    let grant = Grant {
        account: tenant.clone(),
        region: region.clone(),
        method: Method::Role { name: "hbrcrossrole".parse().unwrap() },
        alias: String::new(),
        added: Utc::now(),
    };
    let mut transaction = Transaction::default();
    transaction.create(VaultRow(vault).into());
    transaction.create(GateRow { vault: id.clone(), gate: Gate::default() }.into());
    transaction.create(GrantRow(grant).into());
    transaction.create(GrantRef { account: tenant, region }.into());
    platform.commit(transaction).await.unwrap();
    let runtime = Runtime::start(platform.clone()).await.unwrap();
    Stage { platform, runtime, vault: id, source, target }
}

impl Stage {
    async fn run(&self, token: &str, work: JobWork) -> Job {
        let job = JobId::derive(&[token]);
        let account = self.source.account.clone();
        let new = Job::new(job.clone(), work, account, Utc::now());
        let mut transaction = Transaction::default();
        let who = Actor::Handler { name: "test".into() };
        enqueue(&mut transaction, &self.platform.management(), new, who, String::new());
        self.platform.commit(transaction).await.unwrap();
        *self.runtime.wait(&job, |_| {}).await.unwrap()
    }

    async fn back_up(&self, token: &str) -> Job {
        let backup = Backup {
            source: self.source.clone(),
            vault: self.vault.clone(),
            policy: None,
            binding: None,
            due: None,
        };
        self.run(token, JobWork::Backup(backup, State::Queued)).await
    }
}

#[tokio::test(flavor = "current_thread")]
async fn what_is_backed_up_comes_back_and_a_deleted_role_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let stage = stage(&dir.path().join("home"), &dir.path().join("data")).await;
    let (from, to) = (dir.path().join("data/web-1"), dir.path().join("data/web-2"));
    fs::create_dir_all(from.join("a/b")).unwrap();
    fs::write(from.join("a/b/c.txt"), "hello").unwrap();
    fs::write(from.join("big"), vec![7; 3_000_000]).unwrap();
    std::os::unix::fs::symlink("a/b/c.txt", from.join("link")).unwrap();

    let first = stage.back_up("first").await;
    assert_eq!(first.work.status(), "COMPLETE", "{:?}", first.work.failure());

    let point = crossvault_core::ids::PointId::of_job(&first.id);
    let (point, _) = points::find(&stage.platform, &point).await.unwrap().unwrap();
    let wish = restore::plan(&point.0, &stage.target, "", None, Overwrite::Refuse).unwrap();
    let restored = stage.run("restore", JobWork::Restore(wish.clone(), State::Queued)).await;
    assert_eq!(restored.work.status(), "COMPLETE", "{:?}", restored.work.failure());
    let differences = compare(&from, &to, CompareOptions::default()).unwrap();
    assert!(differences.is_empty(), "{differences:?}");

    let tenant = stage.source.account.clone();
    let role = || "hbrcrossrole".parse().unwrap();
    let policy = "AliyunHBRRolePolicy".to_owned();
    world(&stage.platform, &tenant, Deed::DetachPolicy { role: role(), policy }).await;
    let without_permission = stage.back_up("second").await;
    let failure = without_permission.work.failure().unwrap();
    assert_eq!(failure.root_code(), "PERMISSION_MISSING", "{failure}");
    world(&stage.platform, &tenant, Deed::DeleteRole { name: role() }).await;
    let without_role = stage.back_up("third").await;
    let failure = without_role.work.failure().unwrap();
    assert_eq!(failure.root_code(), "ROLE_DELETED", "{failure}");
    stage.runtime.stop().await;
}
