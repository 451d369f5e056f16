//! Condition keys that are known, by language, and the type of their values.
//!
//! Source: RAM, "Basic elements of policies", and Resource Management, "Overview of the Control
//! Policy feature"; AWS IAM, "AWS global condition context keys".

use super::{dialect::Dialect, operator::Test};

/// The type of a key's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyType {
    /// A text, which may look like anything.
    Any,
    Text,
    Number,
    Date,
    /// A date that may also be compared as a number of seconds.
    Seconds,
    Bool,
    Address,
}

impl KeyType {
    /// Whether an operator of that test can compare such values. Texts of all types can be
    /// compared as texts.
    pub(super) fn fits(self, test: Test) -> bool {
        match test {
            Test::Text(_) | Test::Like | Test::Arn | Test::Binary | Test::Null => true,
            Test::Number(_) => matches!(self, Self::Any | Self::Number | Self::Seconds),
            Test::Date(_) => matches!(self, Self::Any | Self::Date | Self::Seconds),
            Test::Bool => matches!(self, Self::Any | Self::Bool),
            Test::Address => matches!(self, Self::Any | Self::Address),
        }
    }
}

/// In lower case; one that ends in `/` goes on with the name of a tag.
type Keys = &'static [(KeyType, &'static [&'static str])];

const RAM: Keys = &[
    (KeyType::Date, &["acs:currenttime"]),
    (KeyType::Bool, &["acs:securetransport", "acs:mfapresent"]),
    (KeyType::Address, &["acs:sourceip"]),
    (
        KeyType::Text,
        &[
            "acs:principalarn",
            "acs:principalrdid",
            "acs:principalrdpath",
            "acs:service",
            "acs:sourcevpc",
            "acs:useragent",
            "ecs:commandrunas",
            "ecs:imagesource",
            "oss:delimiter",
            "oss:prefix",
            "ram:servicename",
            "resourcesharing:target",
            "saml:recipient",
            "sts:externalid",
        ],
    ),
    (
        KeyType::Any,
        &[
            "acs:requesttag/",
            "acs:resourcetag/",
            "ecs:tag/",
            "kms:tag/",
            "oss:buckettag/",
            "oss:existingobjecttag/",
            "oss:requestobjecttag/",
            "rds:diskencryptionrequired",
            "rds:resourcetag/",
            "vpc:tag/",
        ],
    ),
];

const AWS: Keys = &[
    (KeyType::Date, &["aws:currenttime", "aws:tokenissuetime"]),
    (KeyType::Seconds, &["aws:epochtime"]),
    (KeyType::Number, &["aws:multifactorauthage"]),
    (
        KeyType::Bool,
        &[
            "aws:assumedroot",
            "aws:multifactorauthpresent",
            "aws:principalisawsservice",
            "aws:securetransport",
            "aws:viaawsservice",
        ],
    ),
    (KeyType::Address, &["aws:ec2instancesourceprivateipv4", "aws:sourceip", "aws:vpcsourceip"]),
    (
        KeyType::Text,
        &[
            "aws:calledvia",
            "aws:calledviafirst",
            "aws:calledvialast",
            "aws:chatbotsourcearn",
            "aws:ec2instancesourcevpc",
            "aws:federatedprovider",
            "aws:principalaccount",
            "aws:principalarn",
            "aws:principalorgid",
            "aws:principalorgpaths",
            "aws:principalservicename",
            "aws:principalservicenameslist",
            "aws:principaltype",
            "aws:referer",
            "aws:requestedregion",
            "aws:resourceaccount",
            "aws:resourceorgid",
            "aws:resourceorgpaths",
            "aws:sourceaccount",
            "aws:sourcearn",
            "aws:sourceidentity",
            "aws:sourceorgid",
            "aws:sourceorgpaths",
            "aws:sourcevpc",
            "aws:sourcevpcarn",
            "aws:sourcevpce",
            "aws:tagkeys",
            "aws:useragent",
            "aws:userid",
            "aws:username",
            "aws:vpceaccount",
            "aws:vpceorgid",
            "aws:vpceorgpaths",
        ],
    ),
    (KeyType::Any, &["aws:principaltag/", "aws:requesttag/", "aws:resourcetag/"]),
];

/// The type of a key in lower case; `None` if no request is known to have it. In AWS the services'
/// own keys are too many to list, so each counts as known.
pub(super) fn known(dialect: Dialect, key: &str) -> Option<KeyType> {
    let keys = match dialect {
        Dialect::Ram => RAM,
        Dialect::Aws => AWS,
    };
    let is_it = |name: &&str| {
        key.strip_prefix(*name).is_some_and(|rest| rest.is_empty() != name.ends_with('/'))
    };
    if let Some((found, _)) = keys.iter().find(|(_, names)| names.iter().any(is_it)) {
        return Some(*found);
    }
    let is_of_service = match dialect {
        Dialect::Ram => false,
        Dialect::Aws => key.split_once(':').is_some_and(|(service, name)| {
            !["aws", "acs", ""].contains(&service) && !name.is_empty()
        }),
    };
    is_of_service.then_some(KeyType::Any)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_by_language_and_type() {
        use Dialect::{Aws, Ram};
        for (dialect, key, expected) in [
            (Ram, "acs:sourceip", Some(KeyType::Address)),
            (Ram, "acs:sourceips", None),
            (Ram, "acs:resourcetag/env", Some(KeyType::Any)),
            (Ram, "acs:resourcetag/", None),
            (Ram, "aws:sourceip", None),
            (Ram, "ecs:age", None),
            (Aws, "aws:sourceip", Some(KeyType::Address)),
            (Aws, "aws:sourceipaddress", None),
            (Aws, "acs:sourceip", None),
            (Aws, "s3:prefix", Some(KeyType::Any)),
            (Aws, "prefix", None),
        ] {
            assert_eq!(known(dialect, key), expected, "{dialect:?} {key}");
        }
    }

    #[test]
    fn keys_are_listed_in_lower_case() {
        for (_, names) in RAM.iter().chain(AWS) {
            assert!(names.iter().all(|name| *name == name.to_lowercase()));
        }
    }
}
