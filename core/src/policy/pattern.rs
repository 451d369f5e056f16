//! Patterns of actions and resources, as data: `*` stands for any run of characters, `?` for
//! exactly one.

use std::fmt;

use super::{dialect::Dialect, variable::pieces};

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
        let is_letter =
            |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'*' | b'?');
        let is_part = |part: &[u8]| !part.is_empty() && part.iter().all(is_letter);
        let bytes = text.as_bytes();
        let colon = bytes.iter().position(|b| *b == b':').unwrap_or(bytes.len());
        let valid = match bytes.split_at_checked(colon) {
            Some((service, [_, name @ ..])) => is_part(service) && is_part(name),
            Some((_, [])) | None => text == "*",
        };
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
    has_variables: bool,
}

impl ResourcePattern {
    /// Reads a resource pattern of that language; a text that cannot name a resource is `None`.
    /// `${` is text.
    #[must_use]
    pub fn parse(dialect: Dialect, text: &str) -> Option<Self> {
        let parts = text.splitn(dialect.resource_parts(), ':');
        Self::of_parts(dialect, text, parts.collect(), false)
    }

    /// Reads a resource pattern in which `${…}` is a policy variable. A colon within one separates
    /// no parts.
    #[must_use]
    pub fn parse_with_variables(dialect: Dialect, text: &str) -> Option<Self> {
        if !text.contains("${") {
            return Self::parse(dialect, text);
        }
        pieces(text)?;
        let mut in_variable = false;
        let parts = text.splitn(dialect.resource_parts(), |letter| {
            in_variable = letter == '{' || (in_variable && letter != '}');
            letter == ':' && !in_variable
        });
        Self::of_parts(dialect, text, parts.collect(), true)
    }

    fn of_parts(
        dialect: Dialect,
        text: &str,
        mut parts: Vec<&str>,
        has_variables: bool,
    ) -> Option<Self> {
        if text == "*" {
            return Some(Self { text: text.to_owned(), parts: None, has_variables });
        }
        let count = dialect.resource_parts();
        let first = parts.first()?;
        if !(*first == dialect.resource_prefix() || first.contains(['*', '?'])) {
            return None;
        }
        if parts.len() < count && text.ends_with('*') {
            parts.resize(count, "*");
        }
        let parts = parts.into_iter().map(str::to_owned).collect::<Vec<_>>();
        (parts.len() == count).then(|| Self {
            text: text.to_owned(),
            parts: Some(parts),
            has_variables,
        })
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

    /// Whether a part holds policy variables, cut out by [`pieces`]; else `${` is text.
    #[must_use]
    pub fn has_variables(&self) -> bool {
        self.has_variables
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

    #[test]
    fn a_colon_within_a_variable_separates_nothing() {
        let text = "arn:aws:iam::${aws:PrincipalAccount}:user/${aws:username, 'a:b'}";
        let pattern = ResourcePattern::parse_with_variables(Dialect::Aws, text).unwrap();
        assert!(pattern.has_variables());
        assert_eq!(
            pattern.parts().unwrap(),
            ["arn", "aws", "iam", "", "${aws:PrincipalAccount}", "user/${aws:username, 'a:b'}"]
        );
        assert_eq!(ResourcePattern::parse_with_variables(Dialect::Aws, "arn:aws:s3:::${b"), None);
        assert!(!ResourcePattern::parse(Dialect::Ram, "acs:oss:*:*:${b").unwrap().has_variables());
    }
}
