//! The bounds of the picture, each with its reason. What comes over the network may be anything; what is kept of it and
//! what moves at once is bounded here.

/// The longest event that is read. A picture of a full house is some 100 kB; whatever sends more is no broker of ours.
pub(crate) const EVENT_LEN_MAX: usize = 4 << 20;

/// Clients that are kept one by one; the others are counted. Ten times what can be told apart on a large screen.
pub(crate) const CLIENTS_MAX: usize = 2_000;

/// Characters that are kept of an identifier, a filter or a topic. A topic may have 65,535 bytes; nobody reads them.
pub(crate) const TEXT_LEN_MAX: usize = 256;

/// Characters that are kept of a value. The broker sends no more.
pub(crate) const PAYLOAD_LEN_MAX: usize = 64;

/// Filters that are kept of one client; the others are counted.
pub(crate) const FOLLOWS_MAX: usize = 64;

/// Topics that are kept of one client, the latest; the others are counted.
pub(crate) const PUBLISHES_MAX: usize = 32;

/// Receivers of one message that are kept one by one; the others are counted.
pub(crate) const RECEIVERS_MAX: usize = 512;

/// Topics whose latest value is known, so that lamps can shine. More than clients, since each may have a few.
pub(crate) const VALUES_MAX: usize = 8_000;

/// Messages under way at once on all wires, as drawn: more than this costs frames, and nobody sees the difference.
pub(crate) const FLIGHTS_MAX: usize = 700;

/// Labels drawn at once. More than these cover each other.
pub(crate) const LABELS_MAX: usize = 14;
