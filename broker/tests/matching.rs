//! Three implementations of one rule, one suite: the matcher that goes level by level (`TopicFilter::matches`), the trie
//! of subscriptions, and the walk over retained messages.

mod driver;

use driver::{World, packets::*};
use luxwire_shared::mqtt::{TopicFilter, TopicName};
use proptest::{collection, prelude::*, sample};
use std::collections::BTreeSet;

/// Levels that are easily confused: empty, one the beginning of another, sorting before and after the separator, not
/// ASCII, reserved.
const LEVELS: &[&str] = &["", "a", "b", "aa", "a b", "!", "0", "é", "$a", "\u{1}", "\u{10FFFF}"];

fn names() -> impl Strategy<Value = String> {
    collection::vec(sample::select(LEVELS), 1..6)
        .prop_map(|levels| levels.join("/"))
        .prop_filter("a name has a character", |name| !name.is_empty())
}

fn filters() -> impl Strategy<Value = String> {
    let level = prop_oneof![3 => sample::select(LEVELS), 2 => Just("+")];
    (collection::vec(level, 0..6), any::<bool>())
        .prop_map(|(mut levels, hash)| {
            levels.extend(hash.then_some("#"));
            levels.join("/")
        })
        .prop_filter("a filter has a character", |filter| !filter.is_empty())
}

fn expected(filter: &str, names: &BTreeSet<String>) -> BTreeSet<String> {
    let filter = TopicFilter::try_from(filter).expect("a filter");
    let matches = |name: &&String| filter.matches(&TopicName::try_from(name.as_str()).expect("a name"));
    names.iter().filter(matches).cloned().collect()
}

fn topics(taken: Vec<(String, String)>) -> BTreeSet<String> {
    let len = taken.len();
    let topics: BTreeSet<_> = taken.into_iter().map(|(topic, _)| topic).collect();
    assert_eq!(topics.len(), len, "one copy of each");
    topics
}

proptest! {
    #[test]
    fn the_trie_matches_what_the_filters_match(
        filters in collection::btree_set(filters(), 1..12),
        names in collection::btree_set(names(), 1..30),
        gone in collection::vec(any::<bool>(), 12),
    ) {
        let mut world = World::new();
        let publisher = world.connect(v5("publisher"));
        // Each client has one filter; one has them all.
        let clients: Vec<_> = (0..filters.len()).map(|number| world.connect(v5(&format!("c{number}")))).collect();
        let all = world.connect(v5("all"));
        for (client, filter) in clients.iter().zip(&filters) {
            world.subscribe(*client, filter, Q0);
            world.subscribe(all, filter, Q0);
        }
        for round in 0..3 {
            for name in &names {
                world.publish(publisher, name, "1", Q0);
            }
            let mut union = BTreeSet::new();
            for ((client, filter), gone) in clients.iter().zip(&filters).zip(&gone) {
                let expected = if round == 1 && *gone { BTreeSet::new() } else { expected(filter, &names) };
                let taken = topics(world.take_all(*client));
                prop_assert_eq!(&taken, &expected, "{}", filter);
                union.extend(expected);
            }
            prop_assert_eq!(topics(world.take_all(all)), union);
            // In the second round some have unsubscribed, and in the third they are back.
            for ((client, filter), _) in clients.iter().zip(&filters).zip(&gone).filter(|(_, gone)| **gone) {
                for client in [*client, all] {
                    if round == 0 {
                        world.send(client, unsubscribe(&[filter]));
                        world.expect_unsuback(client);
                    } else {
                        world.subscribe(client, filter, Q0);
                    }
                }
            }
        }
    }

    #[test]
    fn the_walk_over_retained_messages_finds_what_the_filters_match(
        filters in collection::vec(filters(), 1..12),
        names in collection::btree_set(names(), 1..60),
        cleared in collection::vec(any::<bool>(), 60),
    ) {
        let mut world = World::new();
        let client = world.connect(v5("client"));
        for name in &names {
            world.publish_retained(client, name, "1", Q0);
        }
        let (gone, kept): (Vec<_>, Vec<_>) = names.into_iter().zip(cleared).partition(|(_, cleared)| *cleared);
        for (name, _) in gone {
            world.publish_retained(client, &name, "", Q0);
        }
        let names: BTreeSet<_> = kept.into_iter().map(|(name, _)| name).collect();
        for filter in &filters {
            let expected = expected(filter, &names);
            world.subscribe(client, filter, Q0);
            prop_assert_eq!(&topics(world.take_all(client)), &expected, "{}", filter);
            let filter = TopicFilter::try_from(filter.as_str()).expect("a filter");
            let listed: Vec<_> = world.broker.retained(&filter).map(|message| message.topic().as_str().to_owned()).collect();
            prop_assert!(listed.is_sorted_by_key(|name| name.replace('/', "\0")), "{:?}", listed);
            prop_assert_eq!(&listed.into_iter().collect::<BTreeSet<_>>(), &expected);
        }
    }
}

/// More topics than the broker remembers the ways of, some too long for that and some that lead to too many filters, each
/// published several times.
#[test]
fn every_topic_finds_its_way_however_many_there_are() {
    let mut world = World::new();
    let publisher = world.connect(v5("publisher"));
    let client = world.connect(v5("client"));
    for hundred in 0..200 {
        world.subscribe(client, &format!("t/{hundred}/+"), Q0);
    }
    let long = "l".repeat(300);
    world.subscribe(client, &format!("{long}/+"), Q0);
    let deep = ["a"; 6];
    for plus in 0..64_u32 {
        let level = |at: usize| if plus >> at & 1 == 1 { "+" } else { deep[at] };
        world.subscribe(client, &(0..6).map(level).collect::<Vec<_>>().join("/"), Q0);
    }
    let mut names: Vec<_> = (0..20_000).map(|number| format!("t/{}/{number}", number / 100)).collect();
    names.extend([format!("{long}/1"), deep.join("/"), format!("{long}/2")]);
    for payload in ["1", "2", "3"] {
        for name in &names {
            world.publish(publisher, name, payload, Q0);
            assert_eq!(world.take_all(client), [(name.clone(), payload.to_owned())]);
        }
        world.publish(publisher, "t/nobody", payload, Q0);
        world.expect_nothing(client);
    }
}
