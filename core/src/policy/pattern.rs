//! Patterns of actions and resources, as data: `*` stands for any run of characters, `?` for
//! exactly one.

use std::fmt;

use super::dialect::Dialect;

/// Whether upper and lower case of a letter (A to Z) count as the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Case {
    /// Each letter only as it is written.
    Exact,
    /// Upper and lower case are the same.
    Folded,
}

/// Actions by name, such as `ecs:Describe*`; compared without case.
///
/// Source: Resource Management, "Languages of access control policies".
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
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
/// missing after a final `*` are any. Compared with case, except the name of a RAM role: role names
/// are unique regardless of case, and the cloud's own policies write them in lower case.
///
/// Source: RAM, "Basic elements of policies"; that wildcards stay within parts is assumed, as in
/// AWS IAM.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResourcePattern {
    text: String,
    /// `None` is any resource.
    parts: Option<Vec<String>>,
}

impl ResourcePattern {
    /// Reads a resource pattern of that language; a text that cannot name a resource is `None`.
    #[must_use]
    pub fn parse(dialect: Dialect, text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self { text: text.to_owned(), parts: None });
        }
        let count = dialect.resource_parts();
        let mut parts: Vec<&str> = text.splitn(count, ':').collect();
        let first = parts.first()?;
        if !(*first == dialect.resource_prefix() || first.contains(['*', '?'])) {
            return None;
        }
        if parts.len() < count && text.ends_with('*') {
            parts.resize(count, "*");
        }
        let parts = parts.into_iter().map(str::to_owned).collect::<Vec<_>>();
        (parts.len() == count).then(|| Self { text: text.to_owned(), parts: Some(parts) })
    }

    /// The pattern as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// One pattern for each part of a resource name; none if any resource matches.
    #[must_use]
    pub fn parts(&self) -> Option<&[String]> {
        self.parts.as_deref()
    }
}

impl fmt::Debug for ResourcePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_names_no_action_is_refused() {
        for wrong in ["", "ecs", "ecs:", ":x", "ecs:a b", "ecs*", "a:b:c"] {
            assert_eq!(ActionPattern::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_text_that_names_no_resource_is_refused() {
        for wrong in ["", "x", "acs:oss", "acs:oss:a:b", "arn:aws:s3:::x"] {
            assert_eq!(ResourcePattern::parse(Dialect::Ram, wrong), None, "{wrong}");
        }
        for wrong in ["", "arn:aws:s3", "acs:oss:a:b:c:d"] {
            assert_eq!(ResourcePattern::parse(Dialect::Aws, wrong), None, "{wrong}");
        }
    }
}
