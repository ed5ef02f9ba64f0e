//! What the rows of the table ask of a case: who heard what, and in what the brokers' answers differ.

use crate::{
    packets::{filters, header_len},
    sequence::{Act, Case},
};
use std::collections::BTreeSet;

/// Whether the client that acted heard it.
pub(super) fn own(case: &Case<'_>) -> bool {
    case.client == case.step.client
}

pub(super) fn opening(case: &Case<'_>) -> bool {
    own(case) && matches!(case.step.act, Act::Open { .. })
}

/// The first byte; a client that merely goes sends none, and 0 begins no packet.
pub(super) fn first(bytes: &[u8]) -> u8 {
    bytes.first().copied().unwrap_or_default()
}

/// The type of the packet.
pub(super) fn kind(case: &Case<'_>) -> u8 {
    first(&case.step.bytes) >> 4
}

pub(super) fn sent(case: &Case<'_>, wanted: u8) -> bool {
    case.step.act == Act::Send && kind(case) == wanted
}

pub(super) fn closed(heard: &[String]) -> bool {
    heard.iter().any(|line| line == "closed")
}

pub(super) fn both_closed(case: &Case<'_>) -> bool {
    closed(case.ours) && closed(case.theirs)
}

/// We refuse, and they do not.
pub(super) fn refused(case: &Case<'_>) -> bool {
    own(case) && closed(case.ours) && !closed(case.theirs)
}

pub(super) fn without<'a>(heard: &'a [String], beginning: &'a str) -> impl Iterator<Item = &'a String> {
    heard.iter().filter(move |line| !line.starts_with(beginning))
}

/// The only difference is one word in lines of one kind.
pub(super) fn ours_instead(case: &Case<'_>, beginning: &str, ours: &str, theirs: &str) -> bool {
    let translated = case
        .ours
        .iter()
        .map(|line| if line.starts_with(beginning) { line.replace(ours, theirs) } else { line.clone() });
    translated.eq(case.theirs.iter().cloned())
}

pub(super) fn is_message(line: &str) -> bool {
    line.starts_with("PUBLISH") || line.starts_with("PUBREL")
}

pub(super) fn differ_in_messages(case: &Case<'_>) -> bool {
    let rest = |heard: &[String]| -> Vec<String> {
        heard.iter().filter(|line| !is_message(line)).cloned().collect()
    };
    rest(case.ours) == rest(case.theirs)
}

/// The same, where PUBACK and PUBREC of 5.0 may say that there was nobody to deliver to.
pub(super) fn differ_in_deliveries(case: &Case<'_>) -> bool {
    let rest = |heard: &[String]| -> Vec<String> {
        heard.iter().filter(|line| !is_message(line)).map(|line| line.replace("0x10", "0x00")).collect()
    };
    rest(case.ours) == rest(case.theirs)
}

/// They send messages besides ours.
pub(super) fn surplus(case: &Case<'_>) -> bool {
    differ_in_messages(case) && case.ours.iter().all(|line| case.theirs.contains(line))
}

/// Whether a filter is a shared one, of a right or a wrong form.
pub(super) fn has_share(case: &Case<'_>, right: bool) -> bool {
    let is = |filter: &[u8]| {
        let mut parts = filter.splitn(3, |byte| *byte == b'/');
        let shared = parts.next() == Some(b"$share");
        let group = parts.next().is_some_and(|group| !group.is_empty() && !group.contains(&b'+'));
        shared && right == (group && parts.next().is_some_and(|filter| !filter.is_empty()))
    };
    // UNSUBSCRIBE has no options behind its filters, so that only the first one can be read this way.
    filters(case.step.version, &case.step.bytes).into_iter().any(is)
        || kind(case) == 10 && !right && has(&case.step.bytes, b"$share")
}

pub(super) fn has(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

pub(super) fn has_bridge_bit(bytes: &[u8]) -> bool {
    has(bytes, b"MQTT\x84") || has(bytes, b"MQIsdp\x83")
}

/// A control character; lengths and flags are among the bytes too, so that this is a little generous.
pub(super) fn has_control(bytes: &[u8]) -> bool {
    bytes.iter().skip(header_len(bytes)).any(|byte| matches!(byte, 0x01..0x20 | 0x7f))
}

pub(super) fn wrong_flags(bytes: &[u8]) -> bool {
    let (kind, flags) = (first(bytes) >> 4, first(bytes) & 0x0f);
    kind != 3 && flags != if matches!(kind, 6 | 8 | 10) { 2 } else { 0 }
}

/// Each of our messages is among theirs, at a quality that none of theirs exceeds and not more often.
pub(super) fn overlapping(case: &Case<'_>) -> bool {
    let (ours, theirs) = (messages(case.ours), messages(case.theirs));
    let agrees = |message: &Message| {
        let same = |other: &&Message| other.content == message.content;
        ours.iter().filter(same).count() <= theirs.iter().filter(same).count()
            && ours.iter().filter(same).map(|ours| ours.qos).max() >= Some(message.qos)
    };
    differ_in_messages(case)
        && theirs.iter().all(agrees)
        && ours.iter().all(|ours| {
            theirs.iter().any(|theirs| theirs.content == ours.content && theirs.retain == ours.retain)
        })
}

/// The same messages but for the RETAIN flag.
pub(super) fn differ_in_retain(case: &Case<'_>) -> bool {
    let content = |heard| messages(heard).into_iter().map(|message| message.content).collect::<BTreeSet<_>>();
    differ_in_messages(case) && content(case.ours) == content(case.theirs)
}

/// What a PUBLISH of the answers says.
pub(super) struct Message<'a> {
    /// Topic and payload.
    pub(super) content: &'a str,
    pub(super) qos: u8,
    pub(super) retain: bool,
}

pub(super) fn messages(heard: &[String]) -> Vec<Message<'_>> {
    fn message(line: &str) -> Option<Message<'_>> {
        let (content, rest) = line.strip_prefix("PUBLISH ")?.split_once(" qos ")?;
        Some(Message { content, qos: rest.bytes().next()?, retain: rest.get(1..)?.starts_with(" retain 1") })
    }
    heard.iter().filter_map(|line| message(line)).collect()
}
