//! One publisher: what it sends, in what order, and how much of it may be under way.

use super::{link::Link, packets::Packets, stamp::Stamp};
use anyhow::Result;

/// How much may be under way; at least one message always may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// Deliveries that were sent for and have not arrived.
    pub(crate) deliveries: usize,
    /// Messages at QoS 1 or 2 that the broker has not acknowledged.
    pub(crate) unacknowledged: usize,
}

/// Messages of one publisher on one topic.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stream {
    pub(crate) publisher: usize,
    /// How many subscribers each message is expected at.
    pub(crate) receivers: usize,
    /// How many were sent.
    pub(crate) sent: u32,
}

/// A publisher's state.
#[derive(Debug)]
pub(crate) struct Publisher {
    pub(crate) link: usize,
    packets: Packets,
    acknowledged: bool,
    window: Window,
    /// Which packet is next.
    cursor: usize,
    /// All packets belong to one stream, so that any of them may be next.
    uniform: bool,
    id: u16,
    deliveries: usize,
    unacknowledged: usize,
    /// How many messages it has left to send.
    left: usize,
    /// It is on the list of those who may have something to send.
    pub(crate) listed: bool,
}

impl Publisher {
    /// Sends these packets in turn, again and again.
    pub(crate) fn new(link: usize, packets: Packets, acknowledged: bool, window: Window) -> Self {
        let first = packets.place(0).map(|place| place.stream);
        let uniform =
            (0..packets.len()).all(|number| packets.place(number).map(|place| place.stream) == first);
        Self {
            link,
            packets,
            acknowledged,
            window,
            cursor: 0,
            uniform,
            id: 0,
            deliveries: 0,
            unacknowledged: 0,
            left: usize::MAX,
            listed: false,
        }
    }

    /// Sends each packet once and no more.
    pub(crate) fn once(mut self) -> Self {
        self.left = self.packets.len();
        self
    }

    /// Sends as much as the window and `most` permit, in one write, or in two where the packets begin anew. Returns how
    /// many messages it sent.
    pub(crate) fn publish(
        &mut self,
        link: &mut Link,
        streams: &mut [Stream],
        now_ns: u64,
        most: usize,
    ) -> Result<usize> {
        let mut sent = 0;
        // A link that takes nothing is given nothing: what waits in this program is not under way.
        let most = most.min(self.left);
        while sent < most && !link.is_blocked() {
            let count = self.run(link, streams, now_ns, most - sent)?;
            sent += count;
            // A second row only where the first one ended with the last packet.
            if count == 0 || self.uniform || self.cursor != 0 || sent > self.packets.len() {
                break;
            }
        }
        self.left -= sent;
        Ok(sent)
    }

    /// Sends packets that lie in a row.
    fn run(&mut self, link: &mut Link, streams: &mut [Stream], now_ns: u64, most: usize) -> Result<usize> {
        if self.uniform {
            self.cursor = 0;
        }
        let Some(first) = self.packets.place(self.cursor) else { return Ok(0) };
        let (mut last, mut count) = (first, 0);
        while count < most
            && let Some(place) = self.packets.place(self.cursor)
            && let Some(stream) = streams.get_mut(place.stream)
            && self.has_room(stream.receivers)
        {
            let id = self.id % u16::MAX + 1;
            if self.acknowledged {
                self.id = id;
                self.unacknowledged += 1;
            }
            let stamp = Stamp { stream: place.stream as u32, sequence: stream.sent, sent_ns: now_ns };
            self.packets.patch(place, stamp, id);
            stream.sent += 1;
            self.deliveries += stream.receivers;
            self.cursor += 1;
            last = place;
            count += 1;
        }
        if count > 0 {
            link.send(self.packets.between(first, last))?;
        }
        if self.cursor == self.packets.len() {
            self.cursor = 0;
        }
        Ok(count)
    }

    fn has_room(&self, receivers: usize) -> bool {
        let deliveries = self.deliveries == 0 || self.deliveries + receivers <= self.window.deliveries;
        let messages = !self.acknowledged || self.unacknowledged < self.window.unacknowledged;
        deliveries && messages
    }

    /// So many deliveries are no longer under way.
    pub(crate) fn arrived(&mut self, deliveries: usize) {
        self.deliveries = self.deliveries.saturating_sub(deliveries);
    }

    /// The broker has taken a message over.
    pub(crate) fn acknowledge(&mut self) {
        self.unacknowledged = self.unacknowledged.saturating_sub(1);
    }

    /// Something is still expected.
    pub(crate) fn waits(&self) -> bool {
        self.deliveries > 0 || self.unacknowledged > 0
    }

    /// Has sent all that it had to, and it was taken over.
    pub(crate) fn has_finished(&self) -> bool {
        self.left == 0 && !self.waits()
    }

    /// Gives up deliveries that do not come, so that a broker that loses some does not stop the measurement.
    pub(crate) fn give_up(&mut self) {
        self.deliveries = 0;
    }
}
