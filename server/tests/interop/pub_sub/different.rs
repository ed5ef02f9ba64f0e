//! Where Luxwire means to differ from Mosquitto's programs. The reasons are told to people in `docs/pub-sub.md`.
//!
//! Both sides are tested, so that a difference which is none any more is noticed.

use super::{
    broker::Broker,
    programs::{Outcome, Whose},
};

struct Difference {
    line: &'static str,
    /// Their exit code; `None` where they never end.
    theirs: Option<i32>,
    ours: i32,
    /// Our standard error begins so.
    says: &'static str,
}

const fn row(line: &'static str, theirs: i32, ours: i32, says: &'static str) -> Difference {
    Difference { line, theirs: Some(theirs), ours, says }
}

const fn they_hang(line: &'static str, says: &'static str) -> Difference {
    Difference { line, theirs: None, ours: 1, says }
}

const DIFFERENCES: &[Difference] = &[
    // Help and version were asked for, and were given.
    row("pub --help", 1, 0, ""),
    row("sub --help", 1, 0, ""),
    row("pub --version", 1, 0, ""),
    // What is no number is not taken for 0.
    row("pub -p PORT -t p/a -m b -q x", 0, 1, "Error: Invalid QoS given: x\n"),
    row("pub -p abc -t p/a -m b", 1, 1, "Error: Invalid port given: abc\n"),
    row("sub -p PORT -t a -C x", 1, 1, "Error: Invalid message count \"x\".\n"),
    row("sub -p PORT -t a -W x", 1, 1, "Error: Invalid timeout \"x\".\n"),
    row(
        "pub -p PORT -t p/a -m b -D publish payload-format-indicator x",
        0,
        1,
        "Error: Property value (x) out of range",
    ),
    // What cannot be published or followed is a mistake, not a success and not a long wait.
    row("pub -p PORT -t '' -m b", 0, 1, "Error: Invalid publish topic ''"),
    row("pub -L mqtt://localhost:PORT/ -m b", 0, 1, "Error: Invalid publish topic ''"),
    they_hang("sub -p PORT -t ''", "Error: Invalid subscription topic ''"),
    they_hang("sub -p PORT -t $share/g", "Error: Invalid subscription topic '$share/g'"),
    they_hang(
        "sub -p PORT -t a --random-filter 101",
        "Error: --random-filter chance must be between 0.1-100.0\n",
    ),
    row("pub -p PORT -t p/a -m b -D publish response-topic a/#", 0, 1, "Error: Invalid response topic 'a/#'"),
    row(
        "pub -p PORT -t p/a -m b -D publish payload-format-indicator 2",
        0,
        1,
        "Error: Property value (2) out of range",
    ),
    row(
        "sub -p PORT -t r/1 -E -D subscribe subscription-identifier 0",
        0,
        1,
        "Error: Property value (0) out of range",
    ),
    row(
        "pub -p PORT -t p/a -m b -D publish content-type x -V 311",
        0,
        1,
        "Error: Properties (-D) need MQTT v5",
    ),
    // Said before anything is connected, with the reason.
    row("pub -p PORT -t p/a -m b -P x", 1, 1, "Error: A password needs a user name"),
    row("pub -p PORT -t p/a -m b -i ''", 1, 1, "Error: Invalid id.\n"),
    // What Luxwire does not have is refused rather than ignored.
    row("pub -p PORT -t p/a -m b -A 127.0.0.1", 0, 1, "Error: -A is not supported by luxwire.\n"),
    row("pub -t p/a -m b --unix /nonexistent", 1, 1, "Error: --unix is not supported by luxwire.\n"),
    row(
        "pub -p PORT -t p/a -m b --insecure",
        0,
        1,
        "Error: --insecure is not supported by luxwire.
",
    ),
    // Mosquitto's have no WebSockets.
    row("pub -L ws://localhost -m b", 1, 1, "Error: Both topic and message must be supplied.\n"),
];

#[test]
fn where_they_differ_it_is_meant() {
    for broker in [Broker::luxwire(), Broker::mosquitto()] {
        for Difference { line, theirs, ours, says } in DIFFERENCES {
            let mine = Whose::Ours.run(line, "", broker.address());
            assert_eq!(mine.code, Some(*ours), "{line}: {mine:?}");
            assert!(mine.err.starts_with(says), "{line}: {mine:?}");
            if let Some(code) = theirs {
                let mosquittos = Whose::Mosquittos.run(line, "", broker.address());
                assert_eq!(mosquittos.code, Some(*code), "{line}: {mosquittos:?}");
                assert_ne!((mosquittos.code, mosquittos.err), (mine.code, mine.err.clone()), "{line}");
            }
        }
    }
}

#[test]
fn a_topic_alias_is_never_in_the_way() {
    for broker in [Broker::luxwire(), Broker::mosquitto()] {
        let mut witness = broker.witness();
        for whose in [Whose::Mosquittos, Whose::Ours] {
            let line = "pub -p PORT -t p/a -m b -D publish topic-alias 5 --repeat 2";
            whose.run(line, "", broker.address());
            let end = Whose::Mosquittos.run("pub -p PORT -t p/end -n -q 1", "", broker.address());
            assert_eq!(end.code, Some(0));
            let topics = witness.messages(3).into_iter().map(|message| message.topic);
            let names: Vec<_> = topics.map(|topic| format!("{topic:?}")).collect();
            assert!(names[2].contains("p/end"), "{whose:?}: {names:?}");
        }
    }
}

/// Theirs waits for ever when it should end: it is left out here.
#[test]
fn kept_messages_are_cleared_before_the_end() {
    // More than are cleared at once.
    let lines: String = (0..250).map(|number| format!("{number}\n")).collect();
    for broker in [Broker::luxwire(), Broker::mosquitto()] {
        let address = broker.address();
        broker.seed();
        let line = "sub -p PORT -t r/# --remove-retained -T r/3 -N --retained-only";
        assert_eq!(Whose::Ours.run(line, "", address).code, Some(0));
        let left = Whose::Mosquittos.run("sub -p PORT -t r/# -W 1 -F %t", "", address);
        assert_eq!(left.out, "r/3\n");
        for line in lines.lines() {
            let kept = format!("pub -p PORT -t many/{line} -m {line} -r -q 1");
            assert_eq!(Whose::Ours.run(&kept, "", address).code, Some(0));
        }
        let outcome = Whose::Ours.run("sub -p PORT -t many/# --remove-retained -C 250", "", address);
        assert_eq!((outcome.code, outcome.out.lines().count()), (Some(0), 250));
        let left = Whose::Mosquittos.run("sub -p PORT -t many/# -W 1 -v", "", address);
        assert_eq!(left.out, "");
    }
}

#[test]
fn fields_are_whole_however_wide_they_are() {
    let broker = Broker::mosquitto();
    broker.seed();
    for (template, theirs, ours) in
        [("%10x", "      6f6e", "    6f6e65"), ("%2p|", "on|", "one|"), ("%5R|", "|", "     |")]
    {
        let line = format!("sub -p PORT -t r/1 -C 1 -F {template}");
        let shown = [Whose::Mosquittos, Whose::Ours].map(|whose| whose.run(&line, "", broker.address()).out);
        // Theirs shows half of the hexadecimal digits, cuts payloads, and does not fill up what is missing.
        assert_eq!(shown[1], format!("{ours}\n"), "{template}");
        assert_ne!(shown[0], shown[1], "{template}, expected of theirs: {theirs}");
    }
}

#[test]
fn passwords_in_addresses_may_be_encoded() {
    let broker = Broker::mosquitto_with_password();
    let line = "pub -L mqtt://ann:secr%65t@localhost:PORT/a -m b";
    let codes = [Whose::Mosquittos, Whose::Ours].map(|whose| whose.run(line, "", broker.address()).code);
    assert_eq!(codes, [Some(5), Some(0)]);
}

#[test]
fn messages_of_different_qualities_come_in_the_brokers_order() {
    let broker = Broker::mosquitto();
    let publish = |line: &str| {
        let Outcome { code, .. } = Whose::Mosquittos.run(line, "", broker.address());
        assert_eq!(code, Some(0));
    };
    publish("pub -p PORT -t r/1 -m one -r -q 2");
    publish("pub -p PORT -t r/2 -m two -r -q 1");
    let shown = [Whose::Mosquittos, Whose::Ours]
        .map(|whose| whose.run("sub -p PORT -t r/# -q 2 -C 2 -F %p", "", broker.address()).out);
    // Theirs shows a message at QoS 2 when its exchange is over, ours when it comes.
    assert_eq!(shown, ["two\none\n", "one\ntwo\n"]);
}
