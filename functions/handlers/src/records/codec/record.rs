use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{CodecError, Place};
use crate::records::Record;

/// How long the JSON of one row may be.
///
/// Source: DynamoDB, "Constraints": an item takes at most 400 KB (409,600 bytes), with the names
/// and values of its keys; those have the rest.
pub const BODY_BYTES_MAX: usize = 400_000;

/// The format in which rows are written.
const FORMAT: u32 = 1;

/// Takes a whole document, with `type` and `row`, from one format to the next; what it can't make
/// sense of it leaves alone, and reading it then fails.
type Step = fn(Value) -> Value;

/// The first step leads from format 1 to 2.
const STEPS: &[Step] = &[];

/// What stands in the store: `{"v":1,"type":"Job","row":{…}}`.
#[derive(Serialize)]
struct Document<'a> {
    v: u32,
    #[serde(flatten)]
    record: &'a Record,
}

#[derive(Deserialize)]
struct Format {
    v: u32,
}

/// Writes a row as versioned JSON.
///
/// # Errors
/// [`CodecError::TooLarge`] beyond [`BODY_BYTES_MAX`].
pub fn encode(record: &Record) -> Result<String, CodecError> {
    let document = Document { v: FORMAT, record };
    let body = serde_json::to_string(&document)
        .map_err(|error| CodecError::damaged(record.name(), &error))?;
    if body.len() > BODY_BYTES_MAX {
        return Err(CodecError::TooLarge {
            what: format!("row `{}` of type {}", Place::from(&record.key()), record.name()),
            bytes: body.len(),
            bytes_max: BODY_BYTES_MAX,
        });
    }
    Ok(body)
}

/// Reads a row as it was written, now or by an older Crossvault.
///
/// # Errors
/// [`CodecError::Newer`] for a later format, [`CodecError::Damaged`] for what is no row.
pub fn decode(body: &str) -> Result<Record, CodecError> {
    read("a stored row", body, STEPS, FORMAT)
}

/// Reads a row that was found at a place.
///
/// # Errors
/// As [`decode`]; [`CodecError::Damaged`] when the row belongs to another place.
pub fn decode_at(place: &Place, body: &str) -> Result<Record, CodecError> {
    let what = format!("row `{place}`");
    let record = read(&what, body, STEPS, FORMAT)?;
    let own = Place::from(&record.key());
    if own == *place {
        Ok(record)
    } else {
        Err(CodecError::damaged(what, &format!("a row of `{own}` lies there")))
    }
}

fn read(what: &str, body: &str, steps: &[Step], known: u32) -> Result<Record, CodecError> {
    let damaged = |error: serde_json::Error| CodecError::damaged(what, &error);
    let Format { v: found } = serde_json::from_str(body).map_err(damaged)?;
    if found == known {
        // `v` is passed over: the tag names the type, and the content follows it.
        return serde_json::from_str(body).map_err(damaged);
    }
    if found > known {
        return Err(CodecError::Newer { what: what.to_owned(), found, known });
    }
    let steps = usize::try_from(found)
        .ok()
        .and_then(|found| steps.get(found.checked_sub(1)?..))
        .ok_or_else(|| CodecError::damaged(what, &format!("there is no format {found}")))?;
    let document = serde_json::from_str(body).map_err(damaged)?;
    let document = steps.iter().fold(document, |document, step| step(document));
    serde_json::from_value(document).map_err(damaged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ports::FailedFile,
        records::{Failures, NameRef, codec::failures_in_a_page},
    };

    fn name(name: &str) -> Record {
        let id = "v-00000000000000000000".parse().unwrap();
        NameRef::Vault { name: name.to_owned(), id }.into()
    }

    const WRITTEN: &str =
        r#"{"v":1,"type":"Name","row":{"Vault":{"name":"gold","id":"v-00000000000000000000"}}}"#;

    #[test]
    fn a_row_reads_back_as_it_was_written() {
        assert_eq!(encode(&name("gold")).as_deref(), Ok(WRITTEN));
        assert_eq!(decode(WRITTEN), Ok(name("gold")));
        assert_eq!(decode_at(&Place::from(&name("gold").key()), WRITTEN), Ok(name("gold")));
    }

    #[test]
    fn a_row_at_another_place_is_damage() {
        let error = decode_at(&Place::from(&name("silver").key()), WRITTEN).unwrap_err();
        assert!(matches!(error, CodecError::Damaged { .. }), "{error}");
    }

    #[test]
    fn a_newer_format_is_refused_by_name() {
        let newer = r#"{"v":2,"kind":"something else","content":[]}"#;
        let error = decode(newer).unwrap_err();
        assert_eq!(error, CodecError::Newer { what: "a stored row".into(), found: 2, known: 1 });
    }

    #[test]
    fn what_is_no_row_is_damage() {
        for body in ["", "{", "[]", "{}", r#"{"v":1}"#, r#"{"v":0,"type":"Name"}"#, "{\"v\":-1}"] {
            assert!(matches!(decode(body), Err(CodecError::Damaged { .. })), "{body}");
        }
    }

    #[test]
    fn an_older_format_is_migrated_step_by_step() {
        fn renamed(mut document: Value) -> Value {
            let row = document["row"].take();
            document["row"] = serde_json::json!({ "Vault": row });
            document
        }
        fn shouted(mut document: Value) -> Value {
            let name = document["row"]["Vault"]["name"].as_str().unwrap().to_uppercase();
            document["row"]["Vault"]["name"] = name.into();
            document
        }
        let first = r#"{"v":1,"type":"Name","row":{"name":"gold","id":"v-00000000000000000000"}}"#;
        let second = WRITTEN.replace("\"v\":1", "\"v\":2");
        let steps: [Step; 2] = [renamed, shouted];
        assert_eq!(read("a row", first, &steps, 3), Ok(name("GOLD")));
        assert_eq!(read("a row", &second, &steps, 3), Ok(name("GOLD")));
    }

    #[test]
    fn each_older_format_has_its_step() {
        assert_eq!(u32::try_from(STEPS.len()), Ok(FORMAT - 1));
    }

    /// A page of 100 files fits with usual paths; with the longest it does not, and is cut.
    #[test]
    fn a_page_of_failed_files_fits() {
        let file = |path: String| FailedFile {
            path,
            code: "CHANGED_WHILE_READ".to_owned(),
            message: "the file changed while it was read, twice".to_owned(),
        };
        let page = |files: Vec<FailedFile>| -> Record {
            Failures { job: "job-00000000000000000000".parse().unwrap(), page: 0, files }.into()
        };
        // The longest path of Linux, of plain letters and of those that JSON writes sixfold.
        for letter in ["a", "\u{1}"] {
            let files = vec![file(letter.repeat(4095)); 100];
            let error = encode(&page(files.clone())).unwrap_err();
            assert!(matches!(error, CodecError::TooLarge { .. }), "{error}");
            let count = failures_in_a_page(&files);
            assert!(count > 0);
            assert!(encode(&page(files[..count].to_vec())).is_ok());
        }
        let files = vec![file("a".repeat(3000)); 150];
        assert_eq!(failures_in_a_page(&files), 100);
        assert!(encode(&page(files[..100].to_vec())).is_ok());
    }
}
