//! One call of `handle`: the time at which it happens and the effects that it has. It decides nothing.

use crate::{CloseReason, Effect, Effects, LinkId, Now, Report, sys::Sent};
use luxwire_shared::mqtt::{AcknowledgeKind, Packet, PacketId};

/// Passed down to everything that a single input sets in motion.
pub(crate) struct Turn<'a> {
    pub(crate) now: Now,
    pub(crate) effects: &'a mut dyn Effects,
    pub(crate) sent: Sent,
}

impl Turn<'_> {
    pub(crate) fn send(&mut self, link: LinkId, packet: Packet) {
        self.sent.packets += 1;
        self.effects.send(link, packet);
    }

    /// Says that all went well with a message.
    #[inline]
    pub(crate) fn acknowledge(&mut self, link: LinkId, kind: AcknowledgeKind, id: PacketId) {
        self.sent.packets += 1;
        self.effects.acknowledge(link, kind, id);
    }

    pub(crate) fn close(&mut self, link: LinkId, reason: CloseReason) {
        self.effects.push(Effect::Close { link, reason });
    }

    pub(crate) fn report(&mut self, report: Report) {
        self.effects.push(Effect::Report(report));
    }
}
