//! Laws of how rows are written down.

use std::collections::BTreeSet;

use crossvault_handlers::records::codec::{
    BODY_BYTES_MAX, Place, decode, decode_at, encode, partition_text, sort_text,
};
use proptest::prelude::*;

use crate::records::{Any, VARIANTS};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// A store gives back what was put into it, whatever the platform.
    #[test]
    fn what_was_encoded_decodes_to_the_same(seed: u64) {
        let record = Any::new(seed).any_record();
        let body = encode(&record).unwrap();
        prop_assert!(body.len() <= BODY_BYTES_MAX);
        prop_assert_eq!(decode(&body), Ok(record.clone()));
        prop_assert_eq!(decode_at(&Place::from(&record.key()), &body), Ok(record));
    }

    /// Ranges are read in the order of the texts; handlers rely on that of the keys.
    #[test]
    fn places_of_rows_stand_in_the_order_of_their_keys(seed: u64) {
        let mut any = Any::new(seed);
        let n = any.below(VARIANTS);
        let (a, b) = (any.record(n).key(), any.record(n).key());
        let order = |text: (String, String), other: (String, String)| text.0.cmp(&other.0)
            .then(text.1.cmp(&other.1));
        let text = |key: &crossvault_handlers::records::Key| {
            (partition_text(&key.partition), sort_text(&key.sort))
        };
        prop_assert_eq!(order(text(&a), text(&b)), a.cmp(&b));
    }
}

/// The law above proves something only for rows that were made.
#[test]
fn every_type_of_row_is_made() {
    let mut any = Any::new(1);
    let names: BTreeSet<&str> = (0..VARIANTS).map(|n| any.record(n).name()).collect();
    assert_eq!(u64::try_from(names.len()), Ok(VARIANTS));
    // The enum's own list of names, as its deserializer tells it.
    let error = decode(r#"{"v":1,"type":"?","row":{}}"#).unwrap_err().to_string();
    let (_, listed) = error.split_once("expected one of ").unwrap();
    let listed: BTreeSet<&str> = listed.split('`').skip(1).step_by(2).collect();
    assert_eq!(names, listed);
}

/// How much larger than usual a row may grow before the store refuses it.
#[test]
fn usual_rows_stay_far_below_the_limit() {
    let mut any = Any::new(2);
    let longest = (0..5_000).map(|_| encode(&any.any_record()).unwrap().len()).max();
    assert!(longest < Some(BODY_BYTES_MAX / 50), "{longest:?}");
}
