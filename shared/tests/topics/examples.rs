//! The examples of section 4.7, and what follows from its rules at their edges.

use crate::matches;
use luxwire_shared::mqtt::{TextError, TopicError, TopicName};

/// A filter, the topics that it matches, and topics that it does not match.
const EXAMPLES: &[(&str, &[&str], &[&str])] = &[
    // 4.7.1.2, with the parent itself.
    (
        "sport/tennis/player1/#",
        &["sport/tennis/player1", "sport/tennis/player1/ranking", "sport/tennis/player1/score/wimbledon"],
        &["sport/tennis/player2", "sport/tennis", "sport/tennis/player11", "sport/tennis/player"],
    ),
    ("sport/#", &["sport", "sport/", "sport/a/b"], &["sports", "Sport", "/sport"]),
    ("#", &["a", "/", "/a", "a/b/c", " "], &["$SYS", "$SYS/a", "$", "$/a"]),
    ("sport/tennis/#", &["sport/tennis", "sport/tennis/x"], &["sport"]),
    ("/#", &["/", "/a", "/a/b", "//", "/$SYS"], &["a", "a/", "$"]),
    ("a//#", &["a/", "a//", "a//b"], &["a", "a/b"]),
    // 4.7.1.3
    (
        "sport/tennis/+",
        &["sport/tennis/player1", "sport/tennis/player2", "sport/tennis/"],
        &["sport/tennis/player1/ranking", "sport/tennis"],
    ),
    ("sport/+", &["sport/", "sport/a"], &["sport", "sport/a/", "sport/a/b"]),
    ("+", &["finance", " ", "é"], &["/finance", "a/", "/", "$", "$SYS"]),
    ("+/+", &["/finance", "/", "a/b", "a/"], &["finance", "a/b/c", "$SYS/a", "$/"]),
    ("/+", &["/finance", "/", "/$SYS"], &["finance", "//", "/a/b"]),
    ("+/tennis/#", &["sport/tennis", "/tennis/a", "x/tennis/y/z"], &["sport", "sport/golf", "$x/tennis"]),
    ("sport/+/player1", &["sport/tennis/player1", "sport//player1"], &["sport/player1", "sport/a/b/player1"]),
    ("+/#", &["a", "a/", "/", "a/b/c"], &["$SYS", "$SYS/a"]),
    ("+/+/#", &["a/b", "/", "a/b/c"], &["a", "$a/b"]),
    // 4.7.2 [MQTT-4.7.2-1]
    ("+/monitor/Clients", &["a/monitor/Clients", "/monitor/Clients"], &["$SYS/monitor/Clients"]),
    ("$SYS/#", &["$SYS", "$SYS/", "$SYS/monitor/Clients"], &["$SYSTEM", "SYS/a", "$sys/a"]),
    ("$SYS/monitor/+", &["$SYS/monitor/Clients", "$SYS/monitor/"], &["$SYS/monitor", "$SYS/monitor/a/b"]),
    ("$SYS/+/#", &["$SYS/a", "$SYS/a/b", "$SYS/"], &["$SYS"]),
    ("$/+", &["$/", "$/a"], &["$", "$SYS/a"]),
    // A `$` further back is a character like any other.
    ("a/+", &["a/$SYS", "a/$"], &[]),
    ("a/#", &["a/$SYS/b", "a"], &["$a/b"]),
    // 4.7.3: no normalisation, case and spaces count. [MQTT-4.7.3-4]
    (
        "ACCOUNTS",
        &["ACCOUNTS"],
        &["Accounts", "accounts", "ACCOUNTS/", "/ACCOUNTS", " ACCOUNTS", "ACCOUNTS "],
    ),
    ("Accounts payable", &["Accounts payable"], &["Accounts  payable", "Accountspayable"]),
    ("a//b", &["a//b"], &["a/b", "a///b"]),
    ("a/", &["a/"], &["a", "a//"]),
    ("/", &["/"], &["//", "a"]),
    ("a/./b/../c", &["a/./b/../c"], &["a/c", "a/b/c"]),
    ("caf\u{e9}", &["caf\u{e9}"], &["cafe\u{301}", "cafe"]),
    ("cafe\u{301}", &["cafe\u{301}"], &["caf\u{e9}"]),
    ("\u{feff}a", &["\u{feff}a"], &["a"]), // [MQTT-1.5.4-3]
    ("\u{1f4a1}/+", &["\u{1f4a1}/on", "\u{1f4a1}/\u{e9}"], &["\u{1f4a2}/on"]),
    ("+/x", &["\u{e9}/x", "\u{1f4a1}/x"], &["\u{e9}/y"]),
    ("a%2Fb", &["a%2Fb"], &["a/b"]),
    ("a*", &["a*"], &["ab"]),
];

#[test]
fn the_examples_of_the_specification_and_their_neighbours() {
    for (filter, yes, no) in EXAMPLES {
        for topic in *yes {
            assert!(matches(filter, topic), "{filter:?} should match {topic:?}");
        }
        for topic in *no {
            assert!(!matches(filter, topic), "{filter:?} should not match {topic:?}");
        }
    }
}

/// As many levels as a name can have. The naive matcher would need a stack as deep.
#[test]
fn sixty_five_thousand_levels_are_matched_like_two() {
    let matches = |filter: &str, topic: &str| {
        let filter = luxwire_shared::mqtt::TopicFilter::try_from(filter).unwrap();
        filter.matches(&TopicName::try_from(topic).unwrap())
    };
    let slashes = "/".repeat(65_535); // [MQTT-4.7.3-3]
    let pluses = format!("{}+", "+/".repeat(32_767));
    let levels = "/".repeat(32_767);
    assert_eq!(TopicName::try_from(slashes.as_str()).unwrap().levels().count(), 65_536);
    assert!(matches(&slashes, &slashes));
    assert!(matches("#", &slashes));
    assert!(matches("/#", &slashes));
    assert!(matches(&format!("{}#", "/".repeat(65_534)), &slashes));
    assert!(!matches(&slashes, &slashes[1..]));
    assert!(!matches(&slashes[1..], &slashes));
    assert!(!matches("+/+", &slashes));
    assert!(matches(&pluses, &levels));
    assert!(!matches(&pluses, &levels[1..]));
    assert!(!matches(&pluses, &format!("{levels}/")));
    assert!(!matches(&pluses, &format!("${levels}")));
    let too_long = TopicName::try_from("/".repeat(65_536).as_str());
    assert_eq!(too_long, Err(TopicError::Text(TextError::TooLong)));
}

#[test]
fn a_name_is_reserved_by_its_first_character() {
    for (name, reserved) in
        [("$", true), ("$SYS/a", true), ("$a", true), ("a/$", false), ("/$SYS", false), (" $", false)]
    {
        assert_eq!(TopicName::try_from(name).unwrap().is_reserved(), reserved, "{name:?}");
    }
}

// [MQTT-4.7.3-2]
#[test]
fn no_name_and_no_filter_holds_the_null_character() {
    use luxwire_shared::mqtt::{FilterError, Subscribable, TopicFilter};
    assert_eq!(TopicName::try_from("a\0b"), Err(TopicError::Text(TextError::Null)));
    assert_eq!(TopicFilter::try_from("a\0/#"), Err(FilterError::Text(TextError::Null)));
    assert_eq!(Subscribable::try_from("$share/g\0/a"), Err(FilterError::Text(TextError::Null)));
}
