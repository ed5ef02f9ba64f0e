//! Topic names against filters: the examples of section 4.7, and a second matcher that follows its text word by word.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod examples;
mod naive;

use luxwire_shared::mqtt::{TopicFilter, TopicName};

/// Whether `filter` matches `topic`, as the two implementations agree.
#[track_caller]
fn matches(filter: &str, topic: &str) -> bool {
    let found = TopicFilter::try_from(filter).unwrap().matches(&TopicName::try_from(topic).unwrap());
    assert_eq!(found, naive::matches(filter, topic), "{filter:?} and {topic:?}");
    found
}
