//! Policy variables: `${key}` in a text stands for what the request says of the key.
//!
//! Source: AWS IAM, "IAM policy elements: Variables and tags". RAM has none.

use std::borrow::Cow;

/// A stretch of a text that has policy variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// As it is written; where patterns may stand, its `*` and `?` are wildcards.
    Text(&'a str),
    /// `${*}`, `${?}` or `${$}`: this character and never a wildcard.
    Literal(char),
    /// `${key}` or `${key, 'default'}`: the one value that the request has of the key, never a
    /// pattern. Without one, and without a default, what the text stands in matches nothing.
    Variable {
        /// The key in lower case.
        key: Cow<'a, str>,
        /// What stands in for an absent key.
        default: Option<&'a str>,
    },
}

/// Cuts a text at its policy variables; `None` if one has no end or no name.
#[must_use]
pub fn pieces(text: &str) -> Option<Vec<Piece<'_>>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        let (inner, after) = inside(after)?;
        pieces.push(piece(inner)?);
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Some(pieces)
}

/// Splits what follows `${` at its `}`; one within the quotes of a default does not count.
fn inside(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let end = text.find(|letter| {
        quoted ^= letter == '\'';
        letter == '}' && !quoted
    })?;
    let (inner, after) = text.split_at_checked(end)?;
    Some((inner, after.strip_prefix('}')?))
}

fn piece(inner: &str) -> Option<Piece<'_>> {
    let literal = match inner {
        "*" => Some('*'),
        "?" => Some('?'),
        "$" => Some('$'),
        _ => None,
    };
    if let Some(literal) = literal {
        return Some(Piece::Literal(literal));
    }
    let (key, default) = match inner.split_once(',') {
        Some((key, default)) => {
            let default = default.trim().strip_prefix('\'')?.strip_suffix('\'')?;
            (key.trim(), Some(default))
        }
        None => (inner.trim(), None),
    };
    let named = !key.is_empty() && !key.contains(['$', '{', '*', '?', '\'']);
    let is_lower = !key.chars().any(char::is_uppercase);
    let key = if is_lower { Cow::Borrowed(key) } else { Cow::Owned(key.to_lowercase()) };
    named.then_some(Piece::Variable { key, default })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_at_its_variables() {
        let key = |key: &'static str, default| Piece::Variable { key: key.into(), default };
        assert_eq!(pieces("plain*"), Some(vec![Piece::Text("plain*")]));
        assert_eq!(pieces(""), Some(vec![]));
        assert_eq!(
            pieces("home/${aws:UserName}/*"),
            Some(vec![Piece::Text("home/"), key("aws:username", None), Piece::Text("/*")])
        );
        assert_eq!(
            pieces("${aws:PrincipalTag/team, 'a}b'}${*}${$}"),
            Some(vec![
                key("aws:principaltag/team", Some("a}b")),
                Piece::Literal('*'),
                Piece::Literal('$')
            ])
        );
        assert_eq!(pieces("$x}{"), Some(vec![Piece::Text("$x}{")]));
    }

    #[test]
    fn a_variable_without_end_or_name_is_none() {
        for wrong in ["${", "a${b", "${}", "${ }", "${a, b}", "${a, 'b}", "${a${b}}", "${a*}"] {
            assert_eq!(pieces(wrong), None, "{wrong}");
        }
    }
}
