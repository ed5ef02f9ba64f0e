//! Which topics are recorded.

use luxwire_shared::mqtt::{Level, TopicFilter};

/// Without those that others cover: a broker may deliver a message once for each filter that it matches.
pub(super) fn without_covered(filters: Vec<TopicFilter>) -> Vec<TopicFilter> {
    let mut kept: Vec<TopicFilter> = Vec::new();
    for filter in filters {
        if kept.iter().any(|other| covers(other, &filter)) {
            continue;
        }
        kept.retain(|other| !covers(&filter, other));
        kept.push(filter);
    }
    kept
}

/// Whether every topic that `narrow` matches is matched by `wide`.
fn covers(wide: &TopicFilter, narrow: &TopicFilter) -> bool {
    let mut narrow_levels = narrow.levels();
    for (depth, level) in wide.levels().enumerate() {
        let other = narrow_levels.next();
        // A wildcard at the top matches no topic that begins with `$`.
        let is_reserved = depth == 0 && matches!(other, Some(Level::Text(text)) if text.starts_with('$'));
        match (level, other) {
            (Level::Hash, _) => return !is_reserved,
            (Level::Plus, Some(Level::Text(_) | Level::Plus)) if !is_reserved => {}
            (Level::Text(text), Some(Level::Text(other))) if text == other => {}
            _ => return false,
        }
    }
    narrow_levels.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: &[&str], expected: &[&str]) {
        let filters = given.iter().map(|filter| TopicFilter::try_from(*filter).unwrap()).collect();
        let kept = without_covered(filters);
        assert_eq!(kept.iter().map(TopicFilter::as_str).collect::<Vec<_>>(), expected, "{given:?}");
    }

    #[test]
    fn what_another_covers_is_left_out() {
        check(&["lights/#", "lights/+/intensity", "lights/#"], &["lights/#"]);
        check(&["lights/desk/intensity", "lights/+/intensity"], &["lights/+/intensity"]);
        check(&["lights", "lights/#"], &["lights/#"]);
        check(&["a/#", "b/#"], &["a/#", "b/#"]);
        check(&["+/x", "a/+"], &["+/x", "a/+"]);
        check(&["a/+", "a/#"], &["a/#"]);
        check(&["a/+", "a/b/c"], &["a/+", "a/b/c"]);
        check(&["#", "$SYS/#", "a"], &["#", "$SYS/#"]);
        check(&["+/a", "$x/a"], &["+/a", "$x/a"]);
    }
}
