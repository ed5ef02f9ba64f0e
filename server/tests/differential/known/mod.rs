//! The differences that are known: what Mosquitto does otherwise, and who is right.

mod case;

use crate::sequence::Case;
use case::{
    both_closed, closed, differ_in_deliveries, differ_in_messages, differ_in_retain, first, has,
    has_bridge_bit, has_control, has_share, is_message, kind, messages, opening, ours_instead, overlapping,
    own, refused, sent, surplus, without, wrong_flags,
};
use luxwire_shared::mqtt::Version;

pub(crate) struct Known {
    /// What Mosquitto does otherwise.
    pub(crate) what: &'static str,
    pub(crate) right: Right,
    /// Whether both brokers are in the same state after it, so that the sequence goes on.
    pub(crate) goes_on: bool,
    pub(crate) is: fn(&Case<'_>) -> bool,
}

/// Who is right, and why; Mosquitto alone in no row. Statements are those of MQTT 5.0 unless another version is named.
pub(crate) enum Right {
    Luxwire(&'static str),
    /// The standard leaves it open.
    Both(&'static str),
}

/// The first row that this is.
pub(crate) fn row(case: &Case<'_>) -> Option<usize> {
    KNOWN.iter().position(|row| (row.is)(case))
}

pub(crate) const KNOWN: &[Known] = &[
    Known {
        what: "answers PUBREL for an identifier that it does not know with 0x00, as if it knew it (5.0)",
        right: Right::Both(
            "3.7.2.1 has the code 0x92 for it, which Luxwire sends; it is no error after a session was lost",
        ),
        goes_on: true,
        is: |case| own(case) && sent(case, 6) && ours_instead(case, "PUBCOMP", "0x92", "0x00"),
    },
    Known {
        what: "answers PUBREC for an identifier that it does not know with PUBREL 0x00 (5.0)",
        right: Right::Both(
            "3.6.2.1 has the code 0x92 for it, which Luxwire sends; it is no error after a session was lost",
        ),
        goes_on: true,
        is: |case| own(case) && sent(case, 5) && ours_instead(case, "PUBREL", "0x92", "0x00"),
    },
    Known {
        what: "never says in PUBREC that nobody follows the topic, nor in PUBACK when only the publisher does, with No Local (5.0)",
        right: Right::Both("3.4.2.1 and 3.5.2.1: a server that knows it may use 0x10, and Luxwire does"),
        goes_on: true,
        is: |case| {
            own(case)
                && sent(case, 3)
                && (ours_instead(case, "PUBREC", "0x10", "0x00")
                    || ours_instead(case, "PUBACK", "0x10", "0x00"))
        },
    },
    Known {
        what: "keeps the options of a subscription that another one with the same filter replaces (5.0)",
        right: Right::Luxwire("[MQTT-3.8.4-3]"),
        goes_on: false,
        is: |case| {
            let lost = messages(case.ours).is_empty() || messages(case.theirs).is_empty();
            case.version == Version::V5
                && case.resubscribed
                && differ_in_deliveries(case)
                && (sent(case, 3) && lost || differ_in_retain(case) && !overlapping(case))
        },
    },
    Known {
        what: "closes when an acknowledgement names a message of another quality than its own",
        right: Right::Both(
            "no statement says what a receiver does then; Luxwire goes on waiting for the right one",
        ),
        goes_on: false,
        is: |case| own(case) && matches!(kind(case), 4 | 5 | 7) && closed(case.theirs) && !closed(case.ours),
    },
    Known {
        what: "closes without a CONNACK when CONNECT is wrong (5.0)",
        right: Right::Both("4.13.1: a server may send CONNACK with the reason first, and Luxwire does"),
        goes_on: true,
        is: |case| {
            opening(case)
                && case.theirs == ["closed"]
                && matches!(case.ours, [connack, end] if connack.starts_with("CONNACK 0x8") && end == "closed")
        },
    },
    Known {
        what: "does not tell a client that another one took its place (5.0)",
        right: Right::Luxwire("[MQTT-3.1.4-3]: DISCONNECT with 0x8E"),
        goes_on: true,
        is: |case| {
            !own(case) && without(case.ours, "DISCONNECT 0x8e").eq(case.theirs.iter()) && both_closed(case)
        },
    },
    Known {
        what: "closes for an error without DISCONNECT, or gives the other one of 0x81 and 0x82 for the reason (5.0)",
        right: Right::Both("4.13.1: DISCONNECT should be sent; malformed packet and protocol error overlap"),
        goes_on: true,
        is: |case| {
            own(case)
                && both_closed(case)
                && without(case.ours, "DISCONNECT 0x8").eq(without(case.theirs, "DISCONNECT 0x8"))
        },
    },
    Known {
        what: "says 0x81 instead of 0x94 when a topic alias is 0 (5.0)",
        right: Right::Luxwire(
            "[MQTT-3.3.2-8] forbids it, and 0x94 is the reason code for an alias (3.14.2.1)",
        ),
        goes_on: true,
        is: |case| {
            own(case)
                && has(&case.step.bytes, &[0x23, 0, 0])
                && ours_instead(case, "DISCONNECT", "0x94", "0x81")
        },
    },
    Known {
        what: "gives another one of 0x81, 0x82 and 0x94 where a PUBLISH has a wrong alias and another mistake (5.0)",
        right: Right::Both("both close, and each for a good reason"),
        goes_on: true,
        is: |case| {
            let rest = |heard| without(heard, "DISCONNECT 0x8").filter(|line| *line != "DISCONNECT 0x94");
            own(case)
                && sent(case, 3)
                && has(&case.step.bytes, &[0x23, 0])
                && both_closed(case)
                && rest(case.ours).eq(rest(case.theirs))
        },
    },
    Known {
        what: "answers UNSUBSCRIBE with 0x00 instead of 0x11 if nobody ever named a filter with that first level (5.0)",
        right: Right::Luxwire("3.11.3: 0x11 says that there was no such subscription"),
        goes_on: true,
        is: |case| {
            let equal =
                |heard: &[String]| heard.iter().map(|line| line.replace("0x11", "0x00")).collect::<Vec<_>>();
            own(case) && sent(case, 10) && equal(case.ours) == equal(case.theirs)
        },
    },
    Known {
        what: "takes a CONNECT whose fixed header has flags (3.1)",
        right: Right::Both("3.1: the flags are not used; 3.1.1 and 5.0 forbid them"),
        goes_on: false,
        is: |case| {
            opening(case) && case.version == Version::V3_1 && first(&case.step.bytes) != 0x10 && refused(case)
        },
    },
    Known {
        what: "takes the highest bit of the protocol level for the mark of a bridge (3.1 and 3.1.1)",
        right: Right::Luxwire("3.1.1: [MQTT-3.1.2-2]: a level that is not supported is refused with 0x01"),
        goes_on: false,
        is: |case| opening(case) && has_bridge_bit(&case.step.bytes) && refused(case),
    },
    Known {
        what: "refuses an empty client identifier (3.1)",
        right: Right::Both("3.1 wants 1 to 23 characters; Luxwire is lenient here as it is with longer ones"),
        goes_on: false,
        is: |case| {
            opening(case)
                && case.version == Version::V3_1
                && case.theirs.iter().any(|line| line.starts_with("CONNACK 0x85"))
        },
    },
    Known {
        what: "looks at the client identifier before the rest of CONNECT has been read (3.1.1)",
        right: Right::Both(
            "3.1.1: a CONNECT that is wrong in two ways; [MQTT-3.1.4-1] and [MQTT-3.1.3-9] both close",
        ),
        goes_on: true,
        is: |case| {
            opening(case)
                && case.ours == ["closed"]
                && case.theirs.first().is_some_and(|line| line.starts_with("CONNACK 0x85"))
        },
    },
    Known {
        what: "refuses control characters in strings",
        right: Right::Both("1.5.4: a receiver may treat them as malformed"),
        goes_on: false,
        is: |case| {
            case.theirs.iter().any(|line| line == "closed")
                && !closed(case.ours)
                && case.step.spoiled
                && has_control(&case.step.bytes)
        },
    },
    Known {
        what: "keeps nothing of a session whose client said CONNECT twice, nor publishes its will",
        right: Right::Luxwire(
            "[MQTT-3.1.0-2] is a protocol error that closes the connection; [MQTT-3.1.2-8] publishes the will, and [MQTT-4.1.0-1] keeps the session",
        ),
        goes_on: false,
        is: |case| {
            case.connected_twice
                && (case.theirs.first().is_some_and(|line| line == "CONNACK 0x00 session 0")
                    || ours_instead(case, "PUBACK", "0x00", "0x10")
                    || differ_in_messages(case))
        },
    },
    Known {
        what: "does not publish the will of a client whose place another one takes, or publishes it before that is closed",
        right: Right::Luxwire(
            "[MQTT-3.1.4-3] closes the connection, and [MQTT-3.1.2-8] publishes its will then",
        ),
        goes_on: false,
        is: |case| {
            let rest = |heard: &[String]| -> Vec<String> {
                heard
                    .iter()
                    .filter(|line| !is_message(line) && !line.starts_with("DISCONNECT 0x8e"))
                    .cloned()
                    .collect()
            };
            case.taken_over && rest(case.ours) == rest(case.theirs)
        },
    },
    Known {
        what: "does not publish a will that waits for its delay when its session ends first (5.0)",
        right: Right::Luxwire(
            "[MQTT-3.1.2-8] and 3.1.3.2.2: when the delay is over or the session ends, whichever is first; [MQTT-3.1.2-4]: Clean Start ends it",
        ),
        goes_on: false,
        is: |case| {
            let delayed = |line: &&String| {
                case.delayed_wills.iter().any(|topic| line.starts_with(&format!("PUBLISH {topic} ")))
            };
            let others = |heard: &[String]| -> Vec<String> {
                let others = heard.iter().filter(|line| !delayed(line) && !line.starts_with("PUBREL"));
                others.cloned().collect()
            };
            !case.delayed_wills.is_empty() && others(case.ours) == others(case.theirs)
        },
    },
    Known {
        what: "takes a CONNECT with a flag or a field that is wrong",
        right: Right::Luxwire("[MQTT-3.1.2-3] [MQTT-3.1.2-11] [MQTT-3.1.3-11] and 3.1.3.2.3"),
        goes_on: false,
        is: |case| opening(case) && case.step.spoiled && first(&case.step.bytes) == 0x10 && refused(case),
    },
    Known {
        what: "takes acknowledgements with reason codes that are none, or with bytes behind the last field",
        right: Right::Luxwire(
            "[MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.6.2-1] [MQTT-3.7.2-1]; before 5.0 nothing follows the identifier",
        ),
        goes_on: false,
        is: |case| (4..=7).contains(&kind(case)) && case.step.bytes.len() > 4 && refused(case),
    },
    Known {
        what: "does not look at the fixed header's flags of acknowledgements, and in 3.1 of other packets",
        right: Right::Luxwire("[MQTT-2.1.3-1]"),
        goes_on: false,
        is: |case| wrong_flags(&case.step.bytes) && refused(case),
    },
    Known {
        what: "ignores SUBACK, UNSUBACK and PINGRESP from a client",
        right: Right::Luxwire("2.1.2: these go from the server to the client; 4.13.1 closes"),
        goes_on: false,
        is: |case| matches!(kind(case), 9 | 11 | 13) && refused(case),
    },
    Known {
        what: "takes a PUBLISH of a client with a subscription identifier (5.0)",
        right: Right::Luxwire("[MQTT-3.3.4-6]"),
        goes_on: false,
        is: |case| {
            kind(case) == 3
                && case.step.version == Version::V5
                && case.step.bytes.contains(&0x0b)
                && refused(case)
        },
    },
    Known {
        what: "takes a payload format indicator that is neither 0 nor 1 (5.0)",
        right: Right::Luxwire("3.3.2.3.2 knows these two; 4.13.1: a protocol error closes"),
        goes_on: false,
        is: |case| {
            kind(case) == 3
                && case.step.version == Version::V5
                && case.step.spoiled
                && case.step.bytes.contains(&1)
                && refused(case)
        },
    },
    Known {
        what: "takes DUP at QoS 0",
        right: Right::Luxwire("[MQTT-3.3.1-2]"),
        goes_on: false,
        is: |case| first(&case.step.bytes) & 0xfe == 0x38 && refused(case),
    },
    Known {
        what: "answers SUBSCRIBE or UNSUBSCRIBE without filters with an acknowledgement of nothing (3.1 and 3.1.1)",
        right: Right::Luxwire("[MQTT-3.8.3-2] [MQTT-3.10.3-2]"),
        goes_on: false,
        is: |case| matches!(kind(case), 8 | 10) && case.step.bytes.len() == 4 && refused(case),
    },
    Known {
        what: "takes `$share/` without a group or a filter, or with a wildcard in the group",
        right: Right::Luxwire(
            "[MQTT-4.8.2-1] [MQTT-4.8.2-2]; 3.1.1 has no shared subscriptions, and Luxwire offers them there too",
        ),
        goes_on: false,
        is: |case| matches!(kind(case), 8 | 10) && has_share(case, false) && refused(case),
    },
    Known {
        what: "takes No Local with a shared subscription (5.0)",
        right: Right::Luxwire("[MQTT-3.8.3-4]"),
        goes_on: false,
        is: |case| kind(case) == 8 && has_share(case, true) && refused(case),
    },
    Known {
        what: "carries out the filters of a wrong SUBSCRIBE that stand before the error",
        right: Right::Luxwire("4.13: a malformed packet is not processed"),
        goes_on: false,
        is: |case| case.half_subscribed && differ_in_deliveries(case),
    },
    Known {
        what: "delivers a QoS 2 message when PUBREL comes, not when PUBLISH comes",
        right: Right::Both("4.3.3 shows both ways"),
        goes_on: false,
        is: |case| case.unreleased && differ_in_messages(case),
    },
    Known {
        what: "sends QoS 0 messages to a client that has acknowledged less than its Receive Maximum allows (5.0)",
        right: Right::Both(
            "4.9: a sender may go on with QoS 0 or wait; Luxwire waits, so that nothing overtakes",
        ),
        goes_on: false,
        is: |case| {
            let waits = |line: &&String| !(line.starts_with("PUBLISH") && line.contains(" qos 0 "));
            case.narrow[case.client] && case.ours.iter().eq(case.theirs.iter().filter(waits))
        },
    },
    Known {
        what: "sends kept values that the subscriber published itself in spite of No Local (5.0)",
        right: Right::Luxwire(
            "[MQTT-3.8.3-3]: messages must not be forwarded to the client that published them",
        ),
        goes_on: false,
        is: |case| own(case) && kind(case) == 8 && case.version == Version::V5 && surplus(case),
    },
    Known {
        what: "sends a message that matches several subscriptions of one client several times, or once at the quality of the first of them",
        right: Right::Luxwire(
            "3.3.4 allows one copy or several, but one copy has the highest quality [MQTT-3.3.4-2] and all identifiers [MQTT-3.3.4-4]",
        ),
        goes_on: false,
        is: overlapping,
    },
];
