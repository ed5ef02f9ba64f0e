//! A matcher as slow and as plain as section 4.7, and the random pairs on which both matchers must agree.

use luxwire_shared::mqtt::{FilterError, Level, Subscribable, TopicError, TopicFilter, TopicName};
use proptest::{collection::vec, prelude::*};

/// Section 4.7, sentence by sentence.
pub(crate) fn matches(filter: &str, topic: &str) -> bool {
    // [MQTT-4.7.2-1]: "must not match topic filters starting with a wildcard with topic names beginning with $".
    if filter.starts_with(['#', '+']) && topic.starts_with('$') {
        return false;
    }
    levels_match(&filter.split('/').collect::<Vec<_>>(), &topic.split('/').collect::<Vec<_>>())
}

fn levels_match(filter: &[&str], topic: &[&str]) -> bool {
    match (filter, topic) {
        // "represents the parent and any number of child levels".
        (["#"], _) => true,
        ([], []) => true,
        ([], _) | (_, []) => false,
        // "matches only one topic level".
        (["+", filter @ ..], [_, topic @ ..]) => levels_match(filter, topic),
        ([wanted, filter @ ..], [level, topic @ ..]) => wanted == level && levels_match(filter, topic),
    }
}

/// Whether section 4.7.1 allows `text` as a filter: every wildcard alone in its level, `#` in the last one.
fn is_filter(text: &str) -> bool {
    let levels: Vec<_> = text.split('/').collect();
    !text.is_empty()
        && levels.iter().all(|level| *level == "+" || *level == "#" || !level.contains(['+', '#']))
        && levels[..levels.len() - 1].iter().all(|level| *level != "#")
        && levels[0] != "$share"
}

/// Few letters, so that matches are frequent.
fn name() -> impl Strategy<Value = String> {
    let level = prop_oneof![Just(""), Just("a"), Just("b"), Just("$"), Just("$SYS"), Just("é")];
    vec(level, 1..6).prop_map(|levels| levels.join("/"))
}

fn filter() -> impl Strategy<Value = String> {
    let level = prop_oneof![2 => Just("+"), 1 => Just(""), 2 => Just("a"), 1 => Just("b"), 1 => Just("$SYS"), 1 => Just("é")];
    (vec(level, 0..5), prop_oneof![Just("#"), Just("+"), Just("a"), Just("")]).prop_map(
        |(mut levels, last)| {
            levels.push(last);
            levels.join("/")
        },
    )
}

/// A filter that was made from the name, so that it matches unless a `$` or the one changed level is in the way.
fn related() -> impl Strategy<Value = (String, String)> {
    (name(), vec(0..3_u8, 6), any::<bool>(), 0..7_usize).prop_map(|(name, choices, cut, at)| {
        let mut filter: Vec<_> = name
            .split('/')
            .zip(choices)
            .map(|(level, choice)| if choice == 0 { "+" } else { level })
            .collect();
        if at < filter.len() {
            filter.truncate(at);
        }
        if cut || filter.is_empty() {
            filter.push("#");
        }
        (filter.join("/"), name)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn both_matchers_agree_on_any_pair(filter in filter(), name in name()) {
        prop_assume!(!filter.is_empty() && !name.is_empty());
        super::matches(&filter, &name);
    }

    #[test]
    fn both_matchers_agree_on_related_pairs((filter, name) in related()) {
        prop_assume!(!filter.is_empty() && !name.is_empty());
        super::matches(&filter, &name);
    }

    /// A name without wildcards is a filter for itself and for nothing else. [MQTT-4.7.3-4]
    #[test]
    fn a_filter_without_wildcards_matches_its_own_name_only(name in name(), other in name()) {
        prop_assume!(!name.is_empty() && !other.is_empty());
        prop_assert!(super::matches(&name, &name));
        prop_assert_eq!(super::matches(&name, &other), name == other);
    }

    #[test]
    fn what_section_4_7_allows_is_a_filter_and_nothing_else(text in "[a+#/$é]{0,8}") {
        let filter = TopicFilter::try_from(text.as_str());
        prop_assert_eq!(filter.is_ok(), is_filter(&text), "{:?}", filter);
        if let Ok(filter) = filter {
            prop_assert_eq!(filter.as_str(), text.as_str());
            prop_assert_eq!(filter.has_wildcard(), text.contains(['+', '#']));
            let levels: Vec<_> = filter.levels().map(|level| match level {
                Level::Plus => "+",
                Level::Hash => "#",
                Level::Text(text) => text,
            }).collect();
            prop_assert_eq!(levels.join("/"), text);
        } else if !text.is_empty() {
            prop_assert_eq!(filter, Err(FilterError::Wildcard));
        }
    }

    #[test]
    fn what_has_a_character_and_no_wildcard_is_a_name_and_nothing_else(text in "[a+#/$é]{0,4}") {
        let expected = match text.as_str() {
            "" => Err(TopicError::Empty),
            text if text.contains(['+', '#']) => Err(TopicError::Wildcard),
            text => Ok(text),
        };
        let name = TopicName::try_from(text.as_str());
        prop_assert_eq!(name.as_ref().map(TopicName::as_str).map_err(|error| *error), expected);
    }

    /// `$share/GROUP/FILTER` is taken apart at the second separator and comes back as it was. [MQTT-4.8.2-1]
    #[test]
    fn a_share_is_a_group_and_a_filter(group in "[a+#$]{0,3}", rest in "(/[a+#/$]{0,6})?") {
        let text = format!("$share/{group}{rest}");
        let subscribable = Subscribable::try_from(text.as_str());
        let valid = !group.is_empty()
            && !group.contains(['+', '#'])
            && rest.strip_prefix('/').is_some_and(is_filter);
        prop_assert_eq!(subscribable.is_ok(), valid, "{:?}", subscribable);
        prop_assert!(TopicFilter::try_from(text.as_str()).is_err());
        if let Ok(subscribable) = subscribable {
            prop_assert_eq!(subscribable.to_string(), text);
            prop_assert_eq!(subscribable.share.as_ref().map(|share| share.as_str()), Some(group.as_str()));
            prop_assert_eq!(subscribable.filter.as_str(), &rest[1..]);
        }
    }
}
