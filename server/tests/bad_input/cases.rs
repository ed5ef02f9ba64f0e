//! Lists of inputs, each sent on a connection of its own, over and over.

use crate::{
    bytes::connect,
    exchange::{Transport, Wanted, check, exchange},
    house::{House, REPETITIONS},
};
use luxwire_shared::mqtt::{ReasonCode, Version};

/// An input and its answer.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    version: Version,
    bytes: Vec<u8>,
    wanted: Wanted,
}

impl Case {
    /// Bytes that come first.
    pub(crate) fn first(version: Version, bytes: impl Into<Vec<u8>>, wanted: Wanted) -> Self {
        Self { version, bytes: bytes.into(), wanted }
    }

    /// Bytes behind a CONNECT that is accepted; the answer is DISCONNECT with this reason, and before 5.0 nothing.
    pub(crate) fn then(version: Version, bytes: impl AsRef<[u8]>, reason: ReasonCode) -> Self {
        let bytes = [&connect(version, "hostile"), bytes.as_ref()].concat();
        Self::first(version, bytes, Wanted::Disconnect(reason))
    }
}

/// Sends each of them [`REPETITIONS`] times, every eighth time over WebSocket, which takes longer: what only a transport
/// loses, it loses with all of them.
#[track_caller]
pub(crate) fn each_is_answered(cases: &[Case]) {
    let mut house = House::new();
    each_is_answered_in(&mut house, cases);
    house.ends_unharmed();
}

/// The same in a house that has been prepared for it.
#[track_caller]
pub(crate) fn each_is_answered_in(house: &mut House, cases: &[Case]) {
    house.endures(cases.len() * REPETITIONS, |server, number| {
        let Case { version, bytes, wanted } = &cases[number % cases.len()];
        let transport = if number / cases.len() % 8 == 7 { Transport::WebSocket } else { Transport::Tcp };
        let said = exchange(server, transport, *version, bytes);
        check(&said, *wanted, *version, (transport, &bytes[..bytes.len().min(64)]));
    });
}
