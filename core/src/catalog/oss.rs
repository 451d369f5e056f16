//! An OSS bucket: objects with their metadata, access lists and tags.

use super::Verb;

/// Source: derived, domain facts, section 3.3, "OSS".
pub(super) fn actions(verb: Verb) -> &'static [&'static str] {
    match verb {
        Verb::Discover => &["oss:ListBuckets", "oss:GetBucketInfo", "oss:GetBucketLocation"],
        Verb::BackUp => &[
            "oss:ListObjects",
            "oss:HeadBucket",
            "oss:GetBucketInfo",
            "oss:GetBucketAcl",
            "oss:GetObject",
            "oss:GetObjectMeta",
            "oss:GetObjectACL",
            "oss:GetObjectTagging",
        ],
        Verb::Restore => &[
            "oss:ListObjects",
            "oss:HeadBucket",
            "oss:GetBucketInfo",
            "oss:GetObjectMeta",
            "oss:PutObject",
            "oss:PutObjectACL",
            "oss:PutObjectTagging",
            "oss:InitiateMultipartUpload",
            "oss:UploadPart",
            "oss:CompleteMultipartUpload",
            "oss:AbortMultipartUpload",
            "oss:ListMultipartUploads",
            "oss:ListParts",
        ],
        Verb::Erase => &[],
    }
}
