//! What people are told without asking.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    authorization::Causes,
    explain::Explain,
    grant::{Grant, Method},
    ids::{AccountId, BindingId, DataSource, EffectId, JobId, Region},
    job::Trouble,
};

/// How many bindings one alert names; further ones are counted.
pub const NAMED_MAX: usize = 20;

/// News that somebody should act on. It is sent at least once; receivers drop repeats by its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// What happened, as a CloudEvents type such as `crossvault.job.failed`.
    pub kind: String,
    /// When it was decided.
    pub at: DateTime<Utc>,
    /// The account whose resource it concerns.
    pub account: AccountId,
    /// The source that it concerns, where there is one.
    pub source: Option<DataSource>,
    /// The job that it is about, where there is one.
    pub job: Option<JobId>,
    /// The code of the failure or cause.
    pub code: String,
    /// What is so.
    pub message: String,
    /// What to do.
    pub remedy: String,
    /// The grant that it is about, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Box<AboutGrant>>,
}

/// Which grant an alert is about, and what hangs on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AboutGrant {
    /// Its region.
    pub region: Region,
    /// How the account granted.
    pub method: Method,
    /// Why it is broken, the root first; empty when it stands again.
    pub causes: Vec<Trouble>,
    /// What can't be backed up while it is broken; nothing when it stands again.
    pub at_risk: AtRisk,
}

/// Bindings whose slots fail while a grant is broken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtRisk {
    /// At most [`NAMED_MAX`], those with the next slots first.
    pub bindings: Vec<BindingAtRisk>,
    /// How many there are besides.
    pub others: u64,
}

/// A binding whose slots fail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BindingAtRisk {
    /// The binding.
    pub binding: BindingId,
    /// Its policy's name.
    pub policy: String,
    /// Its source.
    pub source: DataSource,
    /// Its next slot; none when it is paused or has no further one.
    pub next: Option<DateTime<Utc>>,
}

impl Alert {
    /// The news that a grant is broken.
    #[must_use]
    pub fn grant_broken(
        grant: &Grant,
        causes: &Causes,
        at_risk: AtRisk,
        at: DateTime<Utc>,
    ) -> Self {
        let told = causes.iter().map(Trouble::of).collect();
        Self {
            kind: "crossvault.grant.broken".to_owned(),
            code: causes.code().to_owned(),
            message: format!(
                "account `{}` can't be backed up in region `{}`: {causes}",
                grant.account, grant.region
            ),
            remedy: remedies(causes),
            ..Self::of_grant(grant, told, at_risk, at)
        }
    }

    /// The news that a grant stands again.
    #[must_use]
    pub fn grant_mended(grant: &Grant, at: DateTime<Utc>) -> Self {
        Self {
            kind: "crossvault.grant.mended".to_owned(),
            code: "GRANT_MENDED".to_owned(),
            message: format!(
                "account `{}` can be backed up again in region `{}`",
                grant.account, grant.region
            ),
            remedy: "Nothing is to be done: its bindings go on with their next slots.".to_owned(),
            ..Self::of_grant(grant, Vec::new(), AtRisk::default(), at)
        }
    }

    fn of_grant(grant: &Grant, causes: Vec<Trouble>, at_risk: AtRisk, at: DateTime<Utc>) -> Self {
        let (region, method) = (grant.region.clone(), grant.method.clone());
        Self {
            kind: String::new(),
            at,
            account: grant.account.clone(),
            source: None,
            job: None,
            code: String::new(),
            message: String::new(),
            remedy: String::new(),
            grant: Some(Box::new(AboutGrant { region, method, causes, at_risk })),
        }
    }

    /// The alert as a CloudEvent of the backup management account; `id` is its event's id.
    ///
    /// Source: CloudEvents 1.0 and its JSON format.
    #[must_use]
    pub fn cloud_event(&self, id: &EffectId, management: &AccountId) -> Value {
        let subject = match (&self.job, &self.grant) {
            (Some(job), _) => job.to_string(),
            (None, Some(grant)) => format!("grant/{}/{}", self.account, grant.region),
            (None, None) => self.account.to_string(),
        };
        json!({
            "specversion": "1.0",
            "id": id,
            "source": format!("crossvault/{management}"),
            "type": self.kind,
            "time": self.at.to_rfc3339(),
            "subject": subject,
            "datacontenttype": "application/json",
            "data": self,
        })
    }
}

/// What mends them all, each thing said once.
fn remedies(causes: &Causes) -> String {
    let mut all: Vec<String> = Vec::new();
    for remedy in causes.iter().map(Explain::remedy) {
        if !all.contains(&remedy) {
            all.push(remedy);
        }
    }
    all.join(" ")
}

impl AtRisk {
    /// Names those with the next slots, and counts the others.
    #[must_use]
    pub fn of(mut all: Vec<BindingAtRisk>) -> Self {
        all.sort_by(|one, other| {
            let of = |one: &BindingAtRisk| (one.next.is_none(), one.next, one.source.clone());
            of(one).cmp(&of(other))
        });
        let others = all.len().saturating_sub(NAMED_MAX);
        all.truncate(NAMED_MAX);
        Self { bindings: all, others: u64::try_from(others).unwrap_or(u64::MAX) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorization::Cause;

    fn at(hour: u32) -> DateTime<Utc> {
        format!("2026-03-01T{hour:02}:00:00Z").parse().unwrap()
    }

    fn binding(n: u32, next: Option<u32>) -> BindingAtRisk {
        BindingAtRisk {
            binding: BindingId::derive(&[&n.to_string()]),
            policy: "daily".to_owned(),
            source: format!("1000000000000012/cn-hangzhou/nas/fs-{n:03}").parse().unwrap(),
            next: next.map(at),
        }
    }

    fn grant() -> Grant {
        Grant {
            account: "1000000000000012".parse().unwrap(),
            region: "cn-hangzhou".parse().unwrap(),
            method: Method::Directory,
            alias: String::new(),
            added: at(0),
            standing: None,
        }
    }

    #[test]
    fn the_bindings_with_the_next_slots_are_named_and_the_others_counted() {
        let mut all: Vec<_> = (0..30).map(|n| binding(n, Some(n % 24))).collect();
        all.push(binding(99, None));
        let at_risk = AtRisk::of(all);
        assert_eq!((at_risk.bindings.len(), at_risk.others), (20, 11));
        assert!(at_risk.bindings.is_sorted_by_key(|binding| binding.next));
        let few = AtRisk::of(vec![binding(1, None), binding(2, Some(3))]);
        assert_eq!((few.bindings[0].next, few.others), (Some(at(3)), 0));
    }

    #[test]
    fn an_alert_is_a_cloud_event() {
        let account = grant().account;
        let causes = Causes::one(Cause::GrantRemoved { account: account.clone() });
        let alert = Alert::grant_broken(&grant(), &causes, AtRisk::default(), at(1));
        let event = alert.cloud_event(&EffectId::derive(&["e"]), &account);
        for required in ["specversion", "id", "source", "type", "subject", "datacontenttype"] {
            assert!(event[required].as_str().is_some_and(|text| !text.is_empty()), "{required}");
        }
        assert_eq!(event["specversion"], "1.0");
        assert_eq!(event["type"], "crossvault.grant.broken");
        assert_eq!(event["time"], "2026-03-01T01:00:00+00:00");
        assert_eq!(event["data"]["grant"]["causes"][0]["code"], "GRANT_REMOVED");
        assert_eq!(serde_json::from_value::<Alert>(event["data"].clone()).unwrap(), alert);
        // One that was stored before alerts told of grants.
        let mut old = event["data"].clone();
        old.as_object_mut().unwrap().remove("grant");
        assert_eq!(serde_json::from_value::<Alert>(old).unwrap().grant, None);
    }
}
