//! Delta debugging: the fewest of many that still do it.

/// Leaves out ever smaller parts of the items, keeping what is left whenever it still fails.
///
/// In the end no single item can be left out, unless `still_fails` depends on more than the items.
///
/// Source: Zeller, Hildebrandt, "Simplifying and isolating failure-inducing input".
pub(super) fn ddmin<T: Clone>(items: Vec<T>, mut still_fails: impl FnMut(&[T]) -> bool) -> Vec<T> {
    let mut items = items;
    if items.is_empty() || still_fails(&[]) {
        return Vec::new();
    }
    let mut parts = 2_usize;
    while items.len() > 1 {
        let length = items.len().div_ceil(parts);
        let mut start = 0;
        let mut is_reduced = false;
        while start < items.len() {
            let end = start.saturating_add(length).min(items.len());
            let mut rest = items.clone();
            rest.drain(start..end);
            if !rest.is_empty() && still_fails(&rest) {
                items = rest;
                is_reduced = true;
            } else {
                start = end;
            }
        }
        if is_reduced {
            parts = parts.saturating_sub(1).max(2);
        } else if length == 1 {
            break;
        } else {
            parts = parts.saturating_mul(2).min(items.len());
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_needed_is_left() {
        for needed in [vec![], vec![3], vec![0, 99], vec![7, 8, 50, 51]] {
            let left = ddmin((0..100).collect(), |some: &[i32]| {
                needed.iter().all(|one| some.contains(one))
            });
            assert_eq!(left, needed);
        }
    }

    #[test]
    fn what_fails_only_as_a_whole_stays_whole() {
        let all: Vec<i32> = (0..9).collect();
        assert_eq!(ddmin(all.clone(), |some| some.len() == 9), all);
    }
}
