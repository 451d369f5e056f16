//! Patterns: `*` stands for any run of characters, `?` for exactly one.

use std::fmt;

/// Whether upper and lower case of a letter (A to Z) count as the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Each letter only as it is written.
    Exact,
    /// Upper and lower case are the same.
    Folded,
}

/// Whether the pattern matches the whole text: `*` any run, also an empty one; `?` one character.
///
/// Only the last `*` is ever tried again, so the time is at most pattern times text, whatever is
/// written.
#[must_use]
pub fn glob_matches(pattern: &str, text: &str, case: Case) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    // What follows the last star, and the text from where that star ends.
    let mut star = None;
    loop {
        let (mut pattern_next, mut text_next) = (pattern.clone(), text.clone());
        match (pattern_next.next(), text_next.next()) {
            (Some('*'), _) => {
                star = Some((pattern_next.clone(), text.clone()));
                pattern = pattern_next;
                continue;
            }
            (None, None) => return true,
            (Some(wanted), Some(found)) if wanted == '?' || same(wanted, found, case) => {
                (pattern, text) = (pattern_next, text_next);
                continue;
            }
            // A longer run for the star would leave even less text.
            (Some(_), None) => return false,
            (Some(_) | None, Some(_)) => {}
        }
        let Some((after, from)) = star.as_mut() else { return false };
        if from.next().is_none() {
            return false;
        }
        (pattern, text) = (after.clone(), from.clone());
    }
}

fn same(a: char, b: char, case: Case) -> bool {
    match case {
        Case::Exact => a == b,
        Case::Folded => a.eq_ignore_ascii_case(&b),
    }
}

/// Actions by name, such as `ecs:Describe*`; compared without case.
///
/// Source: Resource Management, "Languages of access control policies".
#[derive(Clone, PartialEq, Eq)]
pub struct ActionPattern(String);

impl ActionPattern {
    /// Reads `*` or `<service>:<name>`, both with wildcards; anything else is `None`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let part = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.*?".contains(&b))
        };
        let valid = text == "*"
            || text.split_once(':').is_some_and(|(service, name)| part(service) && part(name));
        valid.then(|| Self(text.to_owned()))
    }

    /// Whether the action is one of those named.
    #[must_use]
    pub fn matches(&self, action: &str) -> bool {
        glob_matches(&self.0, action, Case::Folded)
    }

    /// The pattern as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ActionPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Resources by name: `*`, or `acs:<service>:<region>:<account>:<relative id>`, each part a pattern.
///
/// A wildcard stays within its part; the last part takes the rest, colons included. Parts that are
/// missing after a final `*` are any.
///
/// Source: RAM, "Basic elements of policies"; that wildcards stay within parts is assumed, as in
/// AWS IAM.
#[derive(Clone, PartialEq, Eq)]
pub struct ResourcePattern {
    text: String,
    /// `None` is any resource.
    parts: Option<[String; 5]>,
}

impl ResourcePattern {
    /// Reads a resource pattern; a text that cannot name a resource is `None`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self { text: text.to_owned(), parts: None });
        }
        let mut parts = split(text);
        if !glob_matches(parts.first()?, "acs", Case::Exact) {
            return None;
        }
        if parts.len() < 5 && text.ends_with('*') {
            parts.resize(5, "*");
        }
        let parts: [&str; 5] = parts.try_into().ok()?;
        Some(Self { text: text.to_owned(), parts: Some(parts.map(str::to_owned)) })
    }

    /// Whether the resource is one of those named.
    ///
    /// Compared with case, except the name of a RAM role: role names are unique regardless of case
    /// and the cloud's own policies write them in lower case.
    #[must_use]
    pub fn matches(&self, resource: &str) -> bool {
        let Some(patterns) = &self.parts else { return true };
        let parts = split(resource);
        let is_role = matches!(parts.as_slice(), [_, "ram", _, _, id] if id.starts_with("role/"));
        let case = if is_role { Case::Folded } else { Case::Exact };
        parts.len() == patterns.len()
            && patterns.iter().zip(parts).all(|(pattern, part)| glob_matches(pattern, part, case))
    }

    /// The pattern as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for ResourcePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn split(resource: &str) -> Vec<&str> {
    resource.splitn(5, ':').collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn naive(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], text) => text.is_empty(),
            (['*', rest @ ..], _) => (0..=text.len()).any(|n| naive(rest, &text[n..])),
            ([wanted, rest @ ..], [found, after @ ..]) => {
                (*wanted == '?' || wanted == found) && naive(rest, after)
            }
            (_, []) => false,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5000))]

        /// The quick matcher says what the obvious one says.
        #[test]
        fn the_matcher_equals_the_naive_one(pattern in "[ab*?é]{0,8}", text in "[ab*é]{0,10}") {
            let chars = |s: &str| s.chars().collect::<Vec<_>>();
            prop_assert_eq!(
                glob_matches(&pattern, &text, Case::Exact),
                naive(&chars(&pattern), &chars(&text))
            );
        }

        /// A text matches the pattern that it was blurred into, so the law above is not only
        /// about texts that do not match.
        #[test]
        fn a_blurred_text_still_matches(parts in prop::collection::vec(("[ab]{0,4}", 0..3u8), 0..6)) {
            let text: String = parts.iter().map(|(part, _)| part.as_str()).collect();
            let pattern: String = parts
                .iter()
                .map(|(part, blur)| match blur {
                    0 => part.clone(),
                    1 => "*".to_owned(),
                    _ => "?".repeat(part.len()),
                })
                .collect();
            prop_assert!(glob_matches(&pattern, &text, Case::Exact));
        }
    }

    #[test]
    fn a_hostile_pattern_ends() {
        let text = "a".repeat(4096);
        assert!(!glob_matches(&format!("{}b", "*a".repeat(2000)), &text, Case::Exact));
        assert!(!glob_matches(&format!("*{}b*", "a".repeat(1024)), &text, Case::Exact));
        assert!(!glob_matches(&format!("*{}b*", "?a".repeat(512)), &text, Case::Exact));
    }

    #[track_caller]
    fn check_action(pattern: &str, action: &str, expected: bool) {
        assert_eq!(ActionPattern::parse(pattern).unwrap().matches(action), expected);
    }

    #[test]
    fn actions_are_matched_without_case() {
        check_action("ecs:Describe*", "ECS:describeInstances", true);
        check_action("*", "ecs:DescribeInstances", true);
        check_action("*:Describe*", "ecs:DescribeInstances", true);
        check_action("ecs:*", "ecs-x:DescribeInstances", false);
        check_action("ecs:Describe?", "ecs:Describe", false);
    }

    #[test]
    fn a_text_that_names_no_action_is_refused() {
        for wrong in ["", "ecs", "ecs:", ":x", "ecs:a b", "ecs*", "a:b:c"] {
            assert_eq!(ActionPattern::parse(wrong), None, "{wrong}");
        }
    }

    #[track_caller]
    fn check_resource(pattern: &str, resource: &str, expected: bool) {
        assert_eq!(ResourcePattern::parse(pattern).unwrap().matches(resource), expected);
    }

    #[test]
    fn resources_are_matched_with_case_part_by_part() {
        check_resource("acs:oss:*:*:b/*", "acs:oss:cn-hangzhou:1000000000000012:b/dir/x", true);
        check_resource("acs:oss:*:*:b/*", "acs:oss:cn-hangzhou:1000000000000012:B/x", false);
        check_resource("acs:oss:*:*:*", "acs:oss:::b:x", true);
        check_resource("acs:oss:*", "acs:oss:cn:1:b", true);
        check_resource("acs:oss:*", "acs:ots:cn:1:b", false);
        check_resource("*", "anything", true);
        // A star may not swallow a colon that separates parts.
        check_resource("acs:ecs:*:*:x", "acs:ecs:cn:1:instance/i-1:x", false);
        check_resource("acs:ecs:*:*:*:x", "acs:ecs:cn:1:instance/i-1:x", true);
    }

    impl ResourcePattern {
        fn try_parse(text: &str) -> bool {
            Self::parse(text).is_some()
        }
    }

    #[test]
    fn a_text_that_names_no_resource_is_refused() {
        for wrong in ["", "x", "acs:oss", "acs:oss:a:b", "arn:aws:s3:::x"] {
            assert!(!ResourcePattern::try_parse(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_role_is_matched_without_case_and_nothing_else_is() {
        let pattern = "acs:ram:*:*:role/aliyunecsaccessinghbrrole";
        check_resource(pattern, "acs:ram::1000000000000012:role/AliyunECSAccessingHBRRole", true);
        check_resource("acs:ram:*:*:user/bob", "acs:ram::1000000000000012:user/Bob", false);
        check_resource("acs:ecs:*:*:role/bob", "acs:ecs::1000000000000012:role/Bob", false);
    }
}
