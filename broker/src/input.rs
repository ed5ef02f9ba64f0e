//! Everything that can happen to the broker.

use crate::Traffic;
use alloc::rc::Rc;
use luxwire_shared::{
    mqtt::{DecodeError, Packet, Text, Version},
    time::{Instant, Timestamp},
};

/// One network connection, as the edge numbers it. A number is never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u64);

/// A client identifier, shared by its session and by all that its client published. It is copied for every message, and
/// to count that costs less than it does for a text that threads might share.
pub type ClientId = Rc<str>;

/// The time at which an input happens: deadlines go by the one clock, what people read by the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Never goes back.
    pub instant: Instant,
    /// What a wall clock shows.
    pub timestamp: Timestamp,
}

/// What the edge knows of whoever is behind a connection before anything was said on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Visitor {
    /// Nothing, and it need not say who it is.
    #[default]
    Anybody,
    /// Nothing, and it must sign in.
    Stranger,
    /// Which user it is. What CONNECT says of name and password means nothing.
    User(Text),
}

/// What the edge found of a name and a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The password is this user's.
    Right,
    /// It is not, or there is no such user.
    Wrong,
    /// Names mean nothing here: it is as if none had been given.
    NoMatter,
    /// Too many others wait for theirs.
    Busy,
}

/// What the edge tells the broker. All causes of all effects are here.
#[derive(Clone, Debug)]
pub enum Input {
    /// A connection was accepted; CONNECT is awaited.
    Open {
        /// Its number.
        link: LinkId,
        /// Who may be behind it.
        visitor: Visitor,
        /// Fresh randomness, from which an identifier is made for a client that brings none. [MQTT-3.1.3-6]
        nonce: u128,
    },
    /// The answer to [`crate::Effect::CheckPassword`].
    PasswordChecked {
        /// Whose.
        link: LinkId,
        /// What was found.
        verdict: Verdict,
    },
    /// A packet arrived whole and well formed.
    Packet {
        /// From where.
        link: LinkId,
        /// What.
        packet: Packet,
    },
    /// Bytes arrived that are no packet. The edge reads no more from this link.
    Malformed {
        /// From where.
        link: LinkId,
        /// The version that a CONNECT named before it went wrong; `None` if it did not come that far. Meaningless
        /// after CONNECT.
        version: Option<Version>,
        /// The rule that they break.
        error: DecodeError,
    },
    /// The connection is gone, whoever ended it. Nothing of this link comes after it.
    Closed {
        /// Which.
        link: LinkId,
        /// Who ended it. To its session all endings without DISCONNECT are alike.
        cause: Cause,
    },
    /// What was sent to this link has left the edge's buffer: the answer to [`Effect::AwaitDrain`].
    Drained {
        /// Which.
        link: LinkId,
    },
    /// What went over the wires since this was last said; for `$SYS`.
    Traffic(Traffic),
    /// `Broker::next_deadline` has come.
    Tick,
    /// The program stops: 5.0 clients are told so and every link is closed. Section 3.14.
    Stop,
}

/// How a connection ended, seen from the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The broker asked for it.
    Asked,
    /// The client closed it.
    ByPeer,
    /// The network failed, or the WebSocket rules were broken.
    Failed,
    /// It took nothing for too long while bytes were waiting for it.
    Stalled,
}
