//! One sequence: some steps of three clients, at both brokers at once, until the brokers differ.

use crate::{
    known::{self, KNOWN},
    packets::{self, Aliases},
    peer::{CLIENTS, Heard, NAMES, Peer},
    random::Random,
};
use luxwire_shared::mqtt::Version;
use std::{collections::BTreeSet, fmt::Write as _};

const STEPS: usize = 40;

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Opens a connection; the first packet may be anything.
    Open {
        polite: bool,
    },
    Send,
    /// Goes with a DISCONNECT, or what was to be one.
    Leave,
    /// Lets the connection go without a word.
    Drop,
}

pub(crate) struct Step {
    pub(crate) client: usize,
    pub(crate) act: Act,
    pub(crate) version: Version,
    pub(crate) bytes: Vec<u8>,
    /// Where the network cuts them.
    pub(crate) cuts: Vec<usize>,
    /// Whether something was made wrong in it.
    pub(crate) spoiled: bool,
}

/// Where the brokers differ: what one client heard after a step.
pub(crate) struct Case<'a> {
    pub(crate) step: &'a Step,
    /// Who heard it.
    pub(crate) client: usize,
    /// The version that this client speaks.
    pub(crate) version: Version,
    pub(crate) ours: &'a [String],
    pub(crate) theirs: &'a [String],
    /// Whether a QoS 2 message may be waiting for its PUBREL.
    pub(crate) unreleased: bool,
    /// Whether a client has said CONNECT twice.
    pub(crate) connected_twice: bool,
    /// Whether a client has been thrown out for a SUBSCRIBE.
    pub(crate) half_subscribed: bool,
    /// Whether a client has taken the place of another.
    pub(crate) taken_over: bool,
    /// Whether a subscription has been replaced by another one with the same filter.
    pub(crate) resubscribed: bool,
    /// Clients that take few messages at once and acknowledge none.
    pub(crate) narrow: [bool; CLIENTS],
    /// The topics of wills that were to wait.
    pub(crate) delayed_wills: &'a BTreeSet<String>,
}

pub(crate) struct Played {
    pub(crate) steps: usize,
    /// Rows of the table.
    pub(crate) met: Vec<usize>,
    pub(crate) ending: Ending,
}

pub(crate) enum Ending {
    Whole,
    /// A difference that the table knows, after which the brokers are in different states.
    Known,
    /// Another one, with all that led to it.
    Unknown(String),
}

pub(crate) fn play(random: &mut Random, ours: &mut Peer, theirs: &mut Peer) -> Played {
    let mut story = String::new();
    let mut met = Vec::new();
    let versions = [(); CLIENTS].map(|()| match random.below(5) {
        0 => Version::V3_1,
        1 | 2 => Version::V3_1_1,
        _ => Version::V5,
    });
    let mut played = 0;
    let (mut unreleased, mut connected_twice, mut half_subscribed) = (false, false, false);
    let (mut taken_over, mut resubscribed) = (false, false);
    let mut filters: [BTreeSet<Vec<u8>>; CLIENTS] = Default::default();
    let mut aliases: [Aliases; CLIENTS] = Default::default();
    let mut delayed_wills = BTreeSet::new();
    let mut narrow = [false; CLIENTS];
    let ending = loop {
        if played == STEPS {
            break Ending::Whole;
        }
        played += 1;
        let connected = ours.connected();
        let mut step = next(random, connected, versions, &mut aliases);
        step.cuts = packets::cuts(random, &step.bytes);
        if step.act == Act::Send {
            unreleased |= packets::unreleased(&step.bytes);
            connected_twice |= step.bytes[0] >> 4 == 1;
        }
        if step.bytes.first().is_some_and(|first| first >> 4 == 8) {
            let named = packets::filters(step.version, &step.bytes);
            resubscribed |= named.iter().any(|filter| !filters[step.client].insert(filter.to_vec()));
        }
        if let Act::Open { polite } = step.act {
            delayed_wills.extend(packets::delayed_will(&step.bytes));
            narrow[step.client] = !polite && packets::receive_maximum(&step.bytes).is_some();
        }
        let (we, they) = (take(&step, ours), take(&step, theirs));
        half_subscribed |= step.bytes.first().is_some_and(|first| matches!(first >> 4, 8 | 10))
            && !ours.connected()[step.client];
        let is_gone = |client: usize| connected[client] && !ours.connected()[client];
        taken_over |= (0..CLIENTS).any(|client| client != step.client && is_gone(client));
        tell(&mut story, &step, &we, &they);
        let mut rows: Vec<usize> = Vec::new();
        let mut unknown = false;
        // What the others hear otherwise may follow from what the one that acted does.
        let others = (0..CLIENTS).filter(|client| *client != step.client);
        for client in std::iter::once(step.client).chain(others) {
            if we[client] == they[client] || rows.iter().any(|row| !KNOWN[*row].goes_on) {
                continue;
            }
            let (ours, theirs, version) = (&we[client], &they[client], versions[client]);
            let case = Case {
                step: &step,
                client,
                version,
                ours,
                theirs,
                unreleased,
                connected_twice,
                half_subscribed,
                taken_over,
                resubscribed,
                narrow,
                delayed_wills: &delayed_wills,
            };
            match known::row(&case) {
                Some(row) => rows.push(row),
                None => unknown = true,
            }
        }
        if unknown {
            break Ending::Unknown(story);
        }
        let goes_on = rows.iter().all(|row| KNOWN[*row].goes_on);
        met.extend(rows);
        if !goes_on || ours.connected() != theirs.connected() {
            break Ending::Known;
        }
    };
    ours.tidy();
    theirs.tidy();
    Played { steps: played, met, ending }
}

fn take(step: &Step, peer: &mut Peer) -> [Heard; CLIENTS] {
    match step.act {
        Act::Open { polite } => peer.open(step.client, step.version, polite, &step.bytes, &step.cuts),
        Act::Send => peer.send(step.client, &step.bytes, &step.cuts),
        Act::Leave | Act::Drop => peer.leave(step.client, &step.bytes, &step.cuts),
    }
}

/// What happens next.
fn next(
    random: &mut Random,
    connected: [bool; CLIENTS],
    versions: [Version; CLIENTS],
    aliases: &mut [Aliases; CLIENTS],
) -> Step {
    let client = random.below(CLIENTS);
    let version = versions[client];
    let step = |act, version, bytes| Step { client, act, version, bytes, cuts: Vec::new(), spoiled: false };
    let aliases = &mut aliases[client];
    if !connected[client] {
        aliases.clear();
        return opening(random, client, versions);
    }
    match random.below(40) {
        0..2 => step(Act::Drop, version, Vec::new()),
        2..4 => step(Act::Leave, version, packets::disconnect(random, version)),
        4 => step(Act::Send, version, packets::not_for_servers(random)),
        5 if random.once_in(3) => {
            let again = packets::connect(random, version, NAMES[client]);
            step(Act::Send, version, again)
        }
        5..10 => {
            let packet = packets::any(random, version, aliases);
            let spoiled = packets::spoiled(random, &packet);
            Step { spoiled: true, ..step(Act::Send, version, packets::released(random, spoiled)) }
        }
        _ => {
            let packet = packets::any(random, version, aliases);
            step(Act::Send, version, packets::released(random, packet))
        }
    }
}

fn opening(random: &mut Random, client: usize, versions: [Version; CLIENTS]) -> Step {
    let wanted = versions[client];
    let other = random.below(CLIENTS);
    let name = match random.below(20) {
        0 => "",
        // A session that goes on in another version is nothing that the standard knows.
        1 if versions[other] == wanted => NAMES[other],
        _ => NAMES[client],
    };
    let mut bytes = packets::connect(random, wanted, name);
    let way = random.below(12);
    match way {
        0 => bytes = packets::any(random, wanted, &mut Aliases::new()),
        1..3 => bytes = packets::spoiled(random, &bytes),
        _ => {}
    }
    let act = Act::Open { polite: !random.once_in(4) };
    let version = version_of(&bytes).unwrap_or(wanted);
    Step { client, act, version, bytes, cuts: Vec::new(), spoiled: way < 3 }
}

/// What the protocol level of a CONNECT says, however the packet came by it: the brokers' answers are in that version.
fn version_of(bytes: &[u8]) -> Option<Version> {
    let body = bytes.get(packets::header_len(bytes)..)?;
    let name_len = usize::from(u16::from_be_bytes([*body.first()?, *body.get(1)?]));
    match body.get(2 + name_len)? {
        3 => Some(Version::V3_1),
        4 => Some(Version::V3_1_1),
        5 => Some(Version::V5),
        _ => None,
    }
}

fn tell(story: &mut String, step: &Step, ours: &[Heard; CLIENTS], theirs: &[Heard; CLIENTS]) {
    let name = NAMES[step.client];
    let _ = writeln!(story, "{name} {:?}, {:?}: {}", step.act, step.version, notation(&step.bytes));
    for client in 0..CLIENTS {
        let (we, they) = (&ours[client], &theirs[client]);
        if we == they {
            for line in we {
                let _ = writeln!(story, "    to {}: {line}", NAMES[client]);
            }
        } else {
            let _ =
                writeln!(story, "    to {}: Luxwire   {we:?}\n          Mosquitto {they:?}", NAMES[client]);
        }
    }
}

/// Hexadecimal, and letters where there are some.
fn notation(bytes: &[u8]) -> String {
    let one = |byte: &u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'#' | b'+' | b'/' | b'$' => format!("'{}'", char::from(*byte)),
        _ => format!("{byte:02x}"),
    };
    bytes.iter().map(one).collect::<Vec<_>>().join(" ").replace("' '", "")
}
