//! `$SYS`: what the broker says of itself, in the topics in which people's dashboards look for it.
//!
//! Names and meanings are those of Mosquitto; `docs/sys.md` lists them, with what is different. The values are retained
//! and published when they change, at an interval, at QoS 0: whoever was away asks for the latest anyway. No wildcard at
//! the top of a filter sees them, clients cannot publish there, and they are nothing to keep on disk.
//!
//! Packets are counted here, bytes by whoever has them: see [`Traffic`].

use crate::{ClientId, Message, Passing, Statistics, broker::Broker, turn::Turn};
use alloc::{
    format,
    rc::Rc,
    string::{String, ToString as _},
    vec::Vec,
};
use core::{ops::AddAssign, time::Duration};
use luxwire_shared::{
    mqtt::{QoS, TopicAndPayload, TopicName},
    time::Instant,
};

/// What went over the wires since it was last told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes that came from clients.
    pub bytes_received: u64,
    /// Bytes that went to clients.
    pub bytes_sent: u64,
    /// Messages that were to be delivered and found the output full.
    pub messages_dropped: u64,
    /// The bytes of their payloads.
    pub payload_bytes_dropped: u64,
}

/// What is counted from the start on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) bytes_received: u64,
    pub(crate) bytes_sent: u64,
    pub(crate) packets_received: u64,
    pub(crate) packets_sent: u64,
    pub(crate) publishes_received: u64,
    pub(crate) publishes_sent: u64,
    pub(crate) payload_bytes_received: u64,
    pub(crate) payload_bytes_sent: u64,
    pub(crate) publishes_dropped: u64,
    pub(crate) connects: u64,
    pub(crate) links: u64,
    pub(crate) sessions_expired: u64,
}

/// What is counted in one turn; the rest is seen where it comes in.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sent {
    pub(crate) packets: u64,
    pub(crate) publishes: u64,
    pub(crate) payload_bytes: u64,
    pub(crate) dropped: u64,
}

/// The state of the tree.
#[derive(Debug, Default)]
pub(crate) struct Sys {
    interval: Option<Duration>,
    /// When it is published next; `None` if never.
    pub(crate) due_at: Option<Instant>,
    started_at: Option<Instant>,
    published_at: Instant,
    pub(crate) counters: Counters,
    connected: usize,
    connected_max: usize,
    loads: [Load; LOADS.len()],
}

/// Something whose rate is averaged, and how much of it there was.
type Counted = (&'static str, fn(&Counters) -> u64);

const LOADS: [Counted; 9] = [
    ("connections", |counters| counters.connects),
    ("sockets", |counters| counters.links),
    ("bytes/received", |counters| counters.bytes_received),
    ("bytes/sent", |counters| counters.bytes_sent),
    ("messages/received", |counters| counters.packets_received),
    ("messages/sent", |counters| counters.packets_sent),
    ("publish/received", |counters| counters.publishes_received),
    ("publish/sent", |counters| counters.publishes_sent),
    ("publish/dropped", |counters| counters.publishes_dropped),
];

/// How many there are in a minute, averaged over the last minutes, later ones counting more.
#[derive(Clone, Copy, Debug, Default)]
struct Load {
    counted: u64,
    averages: [f64; MINUTES.len()],
}

const MINUTES: [u32; 3] = [1, 5, 15];

impl Sys {
    pub(crate) fn new(interval: Option<Duration>) -> Self {
        Self { interval, due_at: interval.map(|_| Instant::START), ..Self::default() }
    }

    pub(crate) fn client_connected(&mut self) {
        self.connected += 1;
        self.connected_max = self.connected_max.max(self.connected);
    }

    pub(crate) fn client_disconnected(&mut self) {
        self.connected -= 1;
    }

    fn values(&self, statistics: &Statistics, uptime: Duration) -> Vec<(String, String)> {
        let counters = &self.counters;
        let away = statistics.sessions - statistics.sessions_connected;
        let stored =
            statistics.retained_messages + statistics.queued_messages + statistics.in_flight_messages;
        let stored_bytes = statistics.retained_bytes + statistics.queued_bytes + statistics.in_flight_bytes;
        let numbers: [(&str, u64); 22] = [
            ("clients/total", statistics.sessions as u64),
            ("clients/connected", statistics.sessions_connected as u64),
            ("clients/active", statistics.sessions_connected as u64),
            ("clients/disconnected", away as u64),
            ("clients/inactive", away as u64),
            ("clients/maximum", self.connected_max as u64),
            ("clients/expired", counters.sessions_expired),
            ("messages/received", counters.packets_received),
            ("messages/sent", counters.packets_sent),
            ("messages/stored", stored as u64),
            ("store/messages/count", stored as u64),
            ("store/messages/bytes", stored_bytes as u64),
            ("retained messages/count", statistics.retained_messages as u64),
            ("subscriptions/count", statistics.subscriptions as u64),
            ("shared_subscriptions/count", statistics.shared_subscriptions as u64),
            ("publish/messages/received", counters.publishes_received),
            ("publish/messages/sent", counters.publishes_sent),
            ("publish/messages/dropped", counters.publishes_dropped),
            ("publish/bytes/received", counters.payload_bytes_received),
            ("publish/bytes/sent", counters.payload_bytes_sent),
            ("bytes/received", counters.bytes_received),
            ("bytes/sent", counters.bytes_sent),
        ];
        let mut values = Vec::with_capacity(numbers.len() + LOADS.len() * MINUTES.len() + 2);
        values.push(("version".to_string(), VERSION.to_string()));
        values.push(("uptime".to_string(), format!("{} seconds", uptime.as_secs())));
        values.extend(numbers.map(|(name, number)| (name.to_string(), number.to_string())));
        for (load, (name, _)) in self.loads.iter().zip(LOADS) {
            for (average, minutes) in load.averages.iter().zip(MINUTES) {
                values.push((format!("load/{name}/{minutes}min"), format!("{average:.2}")));
            }
        }
        values
    }
}

const VERSION: &str = concat!("luxwire version ", env!("CARGO_PKG_VERSION"));

impl Load {
    fn update(&mut self, counted: u64, elapsed: Duration) {
        let elapsed_min = elapsed.as_secs_f64() / 60.0;
        // What the edge dropped is taken back, so that a count may be less than it was.
        #[expect(clippy::cast_precision_loss, reason = "it is an average")]
        let per_minute = counted.saturating_sub(self.counted) as f64 / elapsed_min;
        self.counted = counted;
        for (average, minutes) in self.averages.iter_mut().zip(MINUTES) {
            let rest = decay(elapsed_min / f64::from(minutes));
            *average = per_minute + rest * (*average - per_minute);
        }
    }
}

/// `e` to the power of `-x` for an `x` of 0 or more: without the standard library there is none. It takes the power of a
/// thousandth, of which the first terms of the series say enough, and raises that again.
fn decay(x: f64) -> f64 {
    let y = x / 1024.0;
    let grown = 1.0 + y * (1.0 + y / 2.0 * (1.0 + y / 3.0 * (1.0 + y / 4.0)));
    (0..10).fold(1.0 / grown, |power, _| power * power)
}

impl AddAssign<Sent> for Counters {
    fn add_assign(&mut self, sent: Sent) {
        self.packets_sent += sent.packets;
        self.publishes_sent += sent.publishes;
        self.payload_bytes_sent += sent.payload_bytes;
        self.publishes_dropped += sent.dropped;
    }
}

impl AddAssign<Traffic> for Counters {
    /// What was dropped on the way out had been counted as sent.
    fn add_assign(&mut self, traffic: Traffic) {
        self.bytes_received += traffic.bytes_received;
        self.bytes_sent += traffic.bytes_sent;
        self.publishes_dropped += traffic.messages_dropped;
        self.packets_sent = self.packets_sent.saturating_sub(traffic.messages_dropped);
        self.publishes_sent = self.publishes_sent.saturating_sub(traffic.messages_dropped);
        self.payload_bytes_sent = self.payload_bytes_sent.saturating_sub(traffic.payload_bytes_dropped);
    }
}

impl Broker {
    /// Publishes what has changed, if it is time.
    pub(crate) fn sys_due(&mut self, turn: &mut Turn<'_>) {
        let now = turn.now.instant;
        let Some(interval) = self.sys.interval.filter(|_| self.sys.due_at.is_some_and(|at| at <= now)) else {
            return;
        };
        self.sys.due_at = Some(now + interval);
        let started_at = *self.sys.started_at.get_or_insert(now);
        let elapsed = now - self.sys.published_at;
        if started_at < now && elapsed > Duration::ZERO {
            let Sys { loads, counters, .. } = &mut self.sys;
            loads.iter_mut().zip(LOADS).for_each(|(load, (_, count))| load.update(count(counters), elapsed));
        }
        self.sys.published_at = now;
        for (name, value) in self.sys.values(&self.statistics(), now - started_at) {
            let topic =
                TopicName::try_from(format!("$SYS/broker/{name}").as_str()).expect("one of our names");
            if self.retained.get(&topic).is_some_and(|known| known.payload() == value.as_bytes()) {
                continue;
            }
            let message = Message {
                content: TopicAndPayload::new(topic.borrowed(), value.as_bytes()),
                qos: QoS::AtMostOnce,
                retain: true,
                properties: None,
                published: turn.now,
                publisher: ClientId::default(),
            };
            let message = Rc::new(message);
            // The limits are for what clients store: there is room.
            let _ = self.retained.set(&message);
            self.route(turn, &Passing::kept(&message), None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decay_is_the_exponential_function() {
        for (x, expected) in [
            (0.0, 1.0),
            (1.0 / 90.0, 0.988_950_389_3),
            (1.0 / 6.0, 0.846_481_724_9),
            (1.0, 0.367_879_441_2),
            (60.0, 0.0),
            (1e6, 0.0),
        ] {
            assert!((decay(x) - expected).abs() < 1e-9, "{x}: {}", decay(x));
        }
    }
}
