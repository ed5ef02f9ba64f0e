//! What goes to the driver: bytes, gathered until it fetches them, and orders to open and close.

use crate::{
    client::Action,
    mqtt::{EncodeError, Packet, PublishRef, Version},
    time::Instant,
};
use alloc::collections::VecDeque;
use bytes::BytesMut;

#[derive(Debug)]
pub(super) struct Wire {
    version: Version,
    /// The largest packet that the server takes.
    pub(super) packet_size_max: usize,
    pub(super) last_write: Instant,
    actions: VecDeque<Action>,
    /// Follows `actions`.
    written: BytesMut,
}

impl Wire {
    pub(super) fn new(version: Version, now: Instant) -> Self {
        Self {
            version,
            packet_size_max: usize::MAX,
            last_write: now,
            actions: VecDeque::new(),
            written: BytesMut::new(),
        }
    }

    /// Orders another transport. Nothing is written that was not for the one before, which was closed or is gone.
    pub(super) fn open(&mut self) {
        self.packet_size_max = usize::MAX;
        self.actions.push_back(Action::Open);
    }

    /// Orders the transport closed after everything that was written.
    pub(super) fn close(&mut self) {
        let written = self.take_written();
        self.actions.extend(written);
        self.actions.push_back(Action::Close);
    }

    /// Forgets what was not fetched: its transport is gone.
    pub(super) fn discard(&mut self) {
        self.actions.clear();
        self.written.clear();
    }

    /// Whether the server takes a packet of this length.
    pub(super) fn fits(&self, len: Result<usize, EncodeError>) -> bool {
        len.is_ok_and(|len| len <= self.packet_size_max)
    }

    /// Writes a packet; one that is too large for the server, or for MQTT, is left out. [MQTT-3.2.2-15]
    pub(super) fn write(&mut self, packet: &Packet, now: Instant) -> Result<(), EncodeError> {
        if !self.fits(packet.encoded_len(self.version)) {
            return Err(EncodeError::TooLarge);
        }
        self.last_write = now;
        packet.encode(self.version, &mut self.written)
    }

    /// Writes a message under the same conditions.
    pub(super) fn publish(&mut self, parts: PublishRef<'_>, now: Instant) -> Result<(), EncodeError> {
        if !self.fits(parts.encoded_len(self.version)) {
            return Err(EncodeError::TooLarge);
        }
        self.last_write = now;
        parts.encode(self.version, &mut self.written)
    }

    pub(super) fn poll(&mut self) -> Option<Action> {
        self.actions.pop_front().or_else(|| self.take_written())
    }

    pub(super) fn unfetched_len(&self) -> usize {
        self.written.len()
    }

    pub(super) const fn version(&self) -> Version {
        self.version
    }

    fn take_written(&mut self) -> Option<Action> {
        (!self.written.is_empty()).then(|| Action::Write(self.written.split().freeze()))
    }
}
