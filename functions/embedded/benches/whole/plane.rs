//! Crossvault as it runs: accounts, grant, policy checks, jobs, steps and outbox, with its state
//! in SQLite.

use std::{fs, path::Path};

use crossvault_core::{
    grant::Method,
    ids::{AccountId, DataSource, Region},
    policy::{ServiceRole, trust_policy_for},
    restore::Overwrite,
};
use crossvault_embedded::{Embedded, Runtime, Settings};
use crossvault_handlers::{
    api::{Answer, Command, handle},
    ports::{Clock, Identity},
};
use crossvault_simulator::world::{self, Deed};

use super::Outcome;

const MANAGEMENT: &str = "1000000000000001";
const TENANT: &str = "1000000000000002";
const SOURCE: &str = "1000000000000002/cn-hangzhou/ecs-files/web-1";
const TARGET: &str = "1000000000000002/cn-hangzhou/ecs-files/web-2";

/// Makes the accounts, the grant by role, the sources and the vault.
///
/// # Errors
/// When anything of it is refused.
pub fn set_up(tree: &Path, home: &Path) -> Outcome {
    engine()?.block_on(async {
        let management: AccountId = MANAGEMENT.parse()?;
        let tenant: AccountId = TENANT.parse()?;
        let region: Region = "cn-hangzhou".parse()?;
        let settings = Settings { management: management.clone(), region: region.clone() };
        let platform = Embedded::create(home, settings, "vaults").await?;
        let deed = async |by: &AccountId, deed| {
            let command = world::Command { by: by.clone(), deed };
            platform.world().change(platform.store(), platform.now(), command).await
        };
        deed(&tenant, Deed::CreateAccount { name: "tenant".into() }).await?;
        let role = ServiceRole::HbrCrossAccountBackup;
        let account = management.clone();
        deed(&management, Deed::CreateServiceRole { account, role }).await?;
        let trust = trust_policy_for(&management);
        let name = "hbrcrossrole".parse()?;
        deed(&tenant, Deed::CreateRole { name, trust, max_session_s: None }).await?;
        let (role, policy) = ("hbrcrossrole".parse()?, "AliyunHBRRolePolicy".to_owned());
        deed(&tenant, Deed::AttachPolicy { role, policy }).await?;
        let out = home.with_extension("out");
        fs::create_dir_all(&out)?;
        for (source, folder) in [(SOURCE, tree), (TARGET, &out)] {
            let source: DataSource = source.parse()?;
            let location = folder.display().to_string();
            let name = source.id.to_string();
            deed(&tenant, Deed::PutSource { source, name, location, running: true }).await?;
        }
        let method = Method::Role { name: "hbrcrossrole".parse()? };
        let (account, alias) = (tenant, String::new());
        let add =
            Command::AddAccount { account, region: region.clone(), method, alias, consent: true };
        ask(&platform, add).await?;
        ask(&platform, Command::CreateVault { name: "central".into(), region }).await?;
        Ok(())
    })
}

/// Backs the tree up.
///
/// # Errors
/// When the job does not end complete.
pub fn back_up(home: &Path) -> Outcome {
    let command =
        Command::BackUp { source: SOURCE.parse()?, policy: None, vault: Some("central".into()) };
    engine()?.block_on(async {
        let platform = Embedded::open(home).await?;
        run(&platform, command).await
    })
}

/// Restores the newest point.
///
/// # Errors
/// When the job does not end complete.
pub fn restore(home: &Path) -> Outcome {
    engine()?.block_on(async {
        let platform = Embedded::open(home).await?;
        let list = Command::ListPoints { source: None, account: None, vault: None };
        let Answer::Points(points) = ask(&platform, list).await? else {
            return Err("no points were listed".into());
        };
        let point = points.first().ok_or("there is no point")?.id.clone();
        let command = Command::Restore {
            point,
            to: TARGET.parse()?,
            into: String::new(),
            only: None,
            overwrite: Overwrite::Refuse,
        };
        run(&platform, command).await
    })
}

async fn run(platform: &Embedded, command: Command) -> Outcome {
    let Answer::JobStarted(job) = ask(platform, command).await? else {
        return Err("no job was started".into());
    };
    let runtime = Runtime::start(platform.clone()).await?;
    let job = runtime.wait(&job, |_| {}).await?;
    runtime.stop().await;
    match job.work.status() {
        "COMPLETE" => Ok(()),
        status => Err(format!("the job ended {status}: {:?}", job.work.failure()).into()),
    }
}

async fn ask(platform: &Embedded, command: Command) -> Outcome<Answer> {
    let token = format!("bench-{}", platform.now().timestamp_nanos_opt().unwrap_or(0)).parse()?;
    Ok(handle(platform, &platform.management(), &token, command).await?)
}

fn engine() -> Outcome<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}
