use std::borrow::Cow;

use chrono::{DateTime, Datelike, Timelike, Utc};
use crossvault_core::ids::{DataSource, SourceKind};

use super::super::key::{Key, Month, NameOf, Partition, Sort, Support};

/// A row's key as text: compared byte by byte, places stand in the order of their keys.
///
/// Each variant has its word, in the order of the enum, so that a person can read the store and
/// a new variant finds room between two old ones. `!` stands between the parts, because it is
/// smaller than all that an id is made of. What is not last has a fixed width or holds no `!`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The partition's text.
    pub partition: String,
    /// The place's text within the partition.
    pub sort: String,
}

impl From<&Key> for Place {
    fn from(key: &Key) -> Self {
        Self { partition: partition_text(&key.partition), sort: sort_text(&key.sort) }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.partition, self.sort)
    }
}

/// Writes a partition as text.
#[must_use]
pub fn partition_text(partition: &Partition) -> String {
    // INVARIANT: ids hold no character as small as `!`, so a shorter one sorts first, as in `Ord`.
    match partition {
        Partition::Account(id) => format!("account!{id}"),
        Partition::Audit(id, month) => format!("audit!{id}!{}", month_text(*month)),
        Partition::Binding(id) => format!("binding!{id}"),
        Partition::Due(shard) => format!("due!{shard:05}"),
        Partition::Grants(region) => format!("grants!{region}"),
        Partition::Job(id) => format!("job!{id}"),
        Partition::Names => "names".to_owned(),
        Partition::Outbox(shard) => format!("outbox!{shard:05}"),
        Partition::Policy(id) => format!("policy!{id}"),
        Partition::Request(caller) => format!("request!{caller}"),
        Partition::Reviews => "reviews".to_owned(),
        Partition::Source(DataSource { account, region, kind, id }) => {
            format!("source!{account}!{region}!{}!{id}", kind_text(*kind))
        }
        Partition::Support(support) => format!("support!{}", support_text(support)),
        Partition::Vault(id) => format!("vault!{id}"),
    }
}

/// Writes a place within a partition as text.
#[must_use]
pub fn sort_text(sort: &Sort) -> String {
    match sort {
        Sort::Account(id) => format!("account!{id}"),
        Sort::At(at, id) => format!("at!{}!{id}", time_text(*at)),
        Sort::Binding(id) => format!("binding!{id}"),
        Sort::Busy => "busy".to_owned(),
        Sort::Dependent(account, region) => {
            format!("dependent!{}!{region}", without_separator(account))
        }
        Sort::Failures(page) => format!("failures!{page:010}"),
        Sort::Former(id) => format!("former!{id}"),
        Sort::Gate => "gate".to_owned(),
        Sort::Grant(region) => format!("grant!{region}"),
        Sort::Head => "head".to_owned(),
        Sort::Job(queued, id) => format!("job!{}!{id}", time_text(*queued)),
        Sort::Latest => "latest".to_owned(),
        Sort::Missed(first) => format!("missed!{}", time_text(*first)),
        Sort::Name(of, name) => format!("name!{}!{name}", name_of_text(*of)),
        Sort::Point(source, taken, id) => {
            format!("point!{}!{}!{id}", without_separator(source), time_text(*taken))
        }
        Sort::Review(account) => format!("review!{account}"),
        Sort::Slot(due) => format!("slot!{}", time_text(*due)),
        Sort::Token(token) => format!("token!{token}"),
        Sort::Turn(n) => format!("turn!{n:05}"),
        Sort::Use(job) => format!("use!{job}"),
        Sort::Version(version) => format!("version!{version:010}"),
        Sort::Waiting(since, job) => format!("waiting!{}!{job}", time_text(*since)),
    }
}

/// Writes an instant with a fixed width, in UTC, to the nanosecond.
///
/// What lies outside the years 0 to 9999 becomes the first or the last of them.
#[must_use]
pub fn time_text(at: DateTime<Utc>) -> String {
    if at.year() < 0 {
        return "0000-01-01T00:00:00.000000000Z".to_owned();
    }
    if at.year() > 9999 {
        return "9999-12-31T23:59:60.999999999Z".to_owned();
    }
    // A leap second is told as nanoseconds beyond the 59th second; the text says 60.
    let (second, nanosecond) = match at.nanosecond().checked_sub(1_000_000_000) {
        Some(over) => (at.second().saturating_add(1), over),
        None => (at.second(), at.nanosecond()),
    };
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{second:02}.{nanosecond:09}Z",
        at.year(),
        at.month(),
        at.day(),
        at.hour(),
        at.minute()
    )
}

fn month_text(month: Month) -> String {
    format!("{:04}-{:02}", month.year.min(9999), month.month.min(99))
}

/// A letter in the order of the enum; the names of the types have another order.
fn kind_text(kind: SourceKind) -> char {
    match kind {
        SourceKind::EcsInstance => 'a',
        SourceKind::EcsFiles => 'b',
        SourceKind::Nas => 'c',
        SourceKind::Oss => 'd',
        SourceKind::Tablestore => 'e',
        SourceKind::EcsDatabase => 'f',
        SourceKind::SapHana => 'g',
    }
}

fn support_text(support: &Support) -> String {
    match support {
        Support::Directory => "directory".to_owned(),
        Support::Node(id) => format!("node!{id}"),
        Support::ServiceRole => "service-role".to_owned(),
    }
}

fn name_of_text(of: NameOf) -> &'static str {
    match of {
        NameOf::Policy => "policy",
        NameOf::Vault => "vault",
    }
}

/// Writes a text so that every character is greater than `!` and the order stays: `"` and all
/// below it become `"` and two hexadecimal digits.
fn without_separator(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte > b'"') {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len().saturating_add(8));
    for char in text.chars() {
        if char > '"' {
            safe.push(char);
        } else {
            let code = u32::from(char);
            safe.push('"');
            safe.extend(
                [code >> 4, code & 0xf].map(|n| std::char::from_digit(n, 16).unwrap_or('0')),
            );
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use crossvault_core::ids::ShortText;
    use proptest::{collection::vec, prelude::*, sample::select, strategy::Union};

    use super::*;

    #[track_caller]
    fn check(at: &str, expected: &str) {
        assert_eq!(time_text(at.parse().unwrap()), expected);
    }

    #[test]
    fn an_instant_has_a_fixed_width() {
        check("2026-07-27T03:04:05Z", "2026-07-27T03:04:05.000000000Z");
        check("0000-01-01T00:00:00.000000001Z", "0000-01-01T00:00:00.000000001Z");
        check("2016-12-31T23:59:60.5Z", "2016-12-31T23:59:60.500000000Z");
        check("-0001-12-31T23:59:59Z", "0000-01-01T00:00:00.000000000Z");
        check("+10000-01-01T00:00:00Z", "9999-12-31T23:59:60.999999999Z");
        assert_eq!(time_text(DateTime::<Utc>::MAX_UTC).len(), 30);
    }

    #[test]
    fn a_source_may_hold_what_separates() {
        let at = DateTime::<Utc>::UNIX_EPOCH;
        assert_eq!(
            sort_text(&Sort::Point("a!\"b".into(), at, "s".into())),
            "point!a\"21\"22b!1970-01-01T00:00:00.000000000Z!s"
        );
    }

    /// Few letters around the separator, so that texts are prefixes of each other.
    fn any_text() -> impl Strategy<Value = ShortText> {
        vec(select(vec!['\0', ' ', '!', '"', '#', '-', '/', '0', 'a', '\u{7f}', 'é', '𐍈']), 0..4)
            .prop_map(|chars| chars.into_iter().collect())
    }

    /// Instants that differ in one place, and the ends of what has a text of its own.
    fn any_time() -> impl Strategy<Value = DateTime<Utc>> {
        let after = |text: &str, by: TimeDelta| {
            text.parse::<DateTime<Utc>>().unwrap().checked_add_signed(by).unwrap()
        };
        let second = "2026-07-31T23:59:59Z";
        prop_oneof![
            (-3_i64..3).prop_map(move |n| after(second, TimeDelta::nanoseconds(n))),
            (-3_i64..3).prop_map(move |n| after(second, TimeDelta::days(n))),
            (0_i64..4).prop_map(move |n| after("2026-07-31T23:59:60Z", TimeDelta::milliseconds(n))),
            Just("0000-01-01T00:00:00Z".parse().unwrap()),
            Just("9999-12-31T23:59:59.999999999Z".parse().unwrap()),
        ]
    }

    fn derived(prefix: &'static str) -> impl Strategy<Value = String> {
        select(vec!["0", "8", "f"]).prop_map(move |last| format!("{prefix}{last:0>20}"))
    }

    fn any_partition() -> impl Strategy<Value = Partition> {
        let account = || select(vec!["100000000000", "1000000000001", "2000000000000000"]);
        let region = || select(vec!["cn", "cn-hangzhou", "cn-hangzhou2"]);
        let number = || select(vec![0_u16, 9, 10, 255, 9999, u16::MAX]);
        Union::new(vec![
            account().prop_map(|id| Partition::Account(id.parse().unwrap())).boxed(),
            (account(), 2024_u16..2027, 1_u8..=12)
                .prop_map(|(id, year, month)| {
                    Partition::Audit(id.parse().unwrap(), Month { year, month })
                })
                .boxed(),
            derived("bd-").prop_map(|id| Partition::Binding(id.parse().unwrap())).boxed(),
            number().prop_map(Partition::Due).boxed(),
            region().prop_map(|region| Partition::Grants(region.parse().unwrap())).boxed(),
            derived("job-").prop_map(|id| Partition::Job(id.parse().unwrap())).boxed(),
            Just(Partition::Names).boxed(),
            number().prop_map(Partition::Outbox).boxed(),
            derived("po-").prop_map(|id| Partition::Policy(id.parse().unwrap())).boxed(),
            account().prop_map(|id| Partition::Request(id.parse().unwrap())).boxed(),
            Just(Partition::Reviews).boxed(),
            (account(), region(), select(&SourceKind::ALL), select(vec!["a", "a.b", "a-b", "Z"]))
                .prop_map(|(account, region, kind, id)| {
                    Partition::Source(DataSource {
                        account: account.parse().unwrap(),
                        region: region.parse().unwrap(),
                        kind,
                        id: id.parse().unwrap(),
                    })
                })
                .boxed(),
            prop_oneof![
                Just(Support::Directory),
                any_text().prop_map(Support::Node),
                Just(Support::ServiceRole),
            ]
            .prop_map(Partition::Support)
            .boxed(),
            derived("v-").prop_map(|id| Partition::Vault(id.parse().unwrap())).boxed(),
        ])
    }

    fn any_sort() -> impl Strategy<Value = Sort> {
        let number = || select(vec![0_u32, 1, 9, 10, 99_999, u32::MAX]);
        Union::new(vec![
            any_text().prop_map(Sort::Account).boxed(),
            (any_time(), any_text()).prop_map(|(at, id)| Sort::At(at, id)).boxed(),
            any_text().prop_map(Sort::Binding).boxed(),
            Just(Sort::Busy).boxed(),
            (any_text(), any_text())
                .prop_map(|(account, region)| Sort::Dependent(account, region))
                .boxed(),
            number().prop_map(Sort::Failures).boxed(),
            any_text().prop_map(Sort::Former).boxed(),
            Just(Sort::Gate).boxed(),
            any_text().prop_map(Sort::Grant).boxed(),
            Just(Sort::Head).boxed(),
            (any_time(), any_text()).prop_map(|(at, id)| Sort::Job(at, id)).boxed(),
            Just(Sort::Latest).boxed(),
            any_time().prop_map(Sort::Missed).boxed(),
            (select(vec![NameOf::Policy, NameOf::Vault]), any_text())
                .prop_map(|(of, name)| Sort::Name(of, name))
                .boxed(),
            (any_text(), any_time(), any_text())
                .prop_map(|(source, at, id)| Sort::Point(source, at, id))
                .boxed(),
            any_text().prop_map(Sort::Review).boxed(),
            any_time().prop_map(Sort::Slot).boxed(),
            any_text().prop_map(Sort::Token).boxed(),
            (0_u16..20).prop_map(Sort::Turn).boxed(),
            any_text().prop_map(Sort::Use).boxed(),
            number().prop_map(Sort::Version).boxed(),
            (any_time(), any_text()).prop_map(|(at, id)| Sort::Waiting(at, id)).boxed(),
        ])
    }

    /// Two of one variant, three times out of four: the words alone would prove little.
    fn any_two_sorts() -> impl Strategy<Value = (Sort, Sort)> {
        prop_oneof![
            1 => (any_sort(), any_sort()),
            3 => vec(any_sort(), 24).prop_map(|sorts| {
                let first = sorts[0].clone();
                let same = |other: &&Sort| {
                    std::mem::discriminant(*other) == std::mem::discriminant(&first)
                };
                let second = sorts[1..].iter().find(same).unwrap_or(&sorts[1]).clone();
                (first, second)
            }),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        /// Stores read a partition in the order of the texts; handlers rely on that of the keys.
        #[test]
        fn text_order_equals_key_order((a, b) in any_two_sorts()) {
            prop_assert_eq!(sort_text(&a).cmp(&sort_text(&b)), a.cmp(&b));
        }

        /// The same for partitions: two of them never share a text.
        #[test]
        fn text_order_equals_partition_order(a in any_partition(), b in any_partition()) {
            prop_assert_eq!(partition_text(&a).cmp(&partition_text(&b)), a.cmp(&b));
        }
    }
}
