//! Who publishes to whom.

use super::{
    super::{
        load::{Link, Load, Packets, Window},
        relay::client_id,
    },
    flow::Flow,
};
use anyhow::Result;
use mqttbytes::QoS;
use std::{iter, ops::Range};

/// An arrangement of publishers and subscribers.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// Publishers with a subscriber each.
    Pairs { count: usize, in_flight: usize },
    /// One publisher, all others subscribe to it.
    FanOut { subscribers: usize, in_flight: usize },
    /// The same to as many at QoS 0 as at the quality of the rest.
    HalfAtMostOnce { subscribers: usize, in_flight: usize },
    /// The same beside others who read a little now and then, and some who never read.
    Reluctant { subscribers: usize, in_flight: usize, slow: usize, frozen: usize },
    /// Many publish, one subscribes.
    FanIn { publishers: usize, in_flight: usize },
    /// A thousand topics of ten publishers, and as many wildcards.
    Wildcards,
    /// Many publish, and as many share what comes: each message goes to one of them.
    Shared { members: usize, in_flight: usize },
    /// Pairs whose publishers go round through topics of their own, each received by a prefix.
    Topics { pairs: usize, topics: usize, in_flight: usize },
}

impl Shape {
    /// The relay knows who belongs together, but no topics.
    pub(super) fn suits_relay(&self, qos: QoS) -> bool {
        match self {
            Self::Pairs { .. } | Self::FanOut { .. } | Self::Topics { .. } => true,
            // It cannot tell whose acknowledgement one of many publishers waits for.
            Self::FanIn { .. } => qos == QoS::AtMostOnce,
            // It gives everybody the same, and would need a memory of who had the last turn.
            Self::HalfAtMostOnce { .. } | Self::Shared { .. } => false,
            // Who fed a queue that nobody empties would be no limit but an accident.
            Self::Wildcards | Self::Reluctant { .. } => false,
        }
    }

    /// Connects everybody; subscribers first, so that nothing is published to nobody.
    pub(super) fn build(
        &self,
        load: &mut Load,
        flow: &Flow,
        open: &dyn Fn(&str) -> Result<Link>,
    ) -> Result<()> {
        match *self {
            Self::Pairs { count, in_flight } => {
                for pair in 0..count {
                    let topic = format!("bench/pair/{pair}");
                    subscribers(load, flow, open, pair, 1, &topic)?;
                    publisher(load, flow, open, pair, pair, 1, in_flight, &topic)?;
                }
                Ok(())
            }
            Self::FanOut { subscribers: count, in_flight } => {
                let topic = "bench/fanout";
                subscribers(load, flow, open, 0, count, topic)?;
                publisher(load, flow, open, 0, 0, count, in_flight, topic)
            }
            Self::HalfAtMostOnce { subscribers: count, in_flight } => {
                let topic = "bench/half";
                for number in 0..count {
                    let mut link = open(&client_id(0, 's', number))?;
                    let qos = if number.is_multiple_of(2) { QoS::AtMostOnce } else { flow.qos };
                    link.subscribe(&[topic.to_owned()], qos)?;
                    load.receive_by(link, iter::once(0..1).collect())?;
                }
                publisher(load, flow, open, 0, 0, count, in_flight, topic)
            }
            Self::Shared { members, in_flight } => {
                let mut links = Vec::new();
                for number in 0..members {
                    let mut link = open(&client_id(0, 's', number))?;
                    link.subscribe(&["$share/workers/bench/work/+".to_owned()], flow.qos)?;
                    links.push(link);
                }
                load.receive_together(links, 0..members as u32)?;
                for number in 0..members {
                    let topic = format!("bench/work/{number}");
                    publisher(load, flow, open, 0, number, 1, in_flight, &topic)?;
                }
                Ok(())
            }
            Self::Reluctant { subscribers: count, in_flight, slow, frozen } => {
                let topic = "bench/reluctant";
                subscribers(load, flow, open, 0, count, topic)?;
                for number in 0..slow + frozen {
                    let mut link = open(&client_id(0, 's', count + number))?;
                    link.subscribe(&[topic.to_owned()], flow.qos)?;
                    if number < slow { load.dawdle_by(link)? } else { load.freeze_by(link)? }
                }
                publisher(load, flow, open, 0, 0, count, in_flight, topic)
            }
            Self::FanIn { publishers, in_flight } => {
                let mut link = open(&client_id(0, 's', 0))?;
                link.subscribe(&["bench/fanin/+".to_owned()], flow.qos)?;
                load.receive_by(link, iter::once(0..publishers as u32).collect())?;
                for number in 0..publishers {
                    let topic = format!("bench/fanin/{number}");
                    publisher(load, flow, open, 0, number, 1, in_flight, &topic)?;
                }
                Ok(())
            }
            Self::Wildcards => wildcards(load, flow, open),
            Self::Topics { pairs, topics, in_flight } => {
                (0..pairs).try_for_each(|pair| round_of_topics(load, flow, open, pair, topics, in_flight))
            }
        }
    }
}

/// Subscribers of one topic: stream `group`.
fn subscribers(
    load: &mut Load,
    flow: &Flow,
    open: &dyn Fn(&str) -> Result<Link>,
    group: usize,
    count: usize,
    topic: &str,
) -> Result<()> {
    for number in 0..count {
        let mut link = open(&client_id(group, 's', number))?;
        link.subscribe(&[topic.to_owned()], flow.qos)?;
        let stream = group as u32;
        load.receive_by(link, iter::once(stream..stream + 1).collect())?;
    }
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "they have no other life than this")]
fn publisher(
    load: &mut Load,
    flow: &Flow,
    open: &dyn Fn(&str) -> Result<Link>,
    group: usize,
    number: usize,
    receivers: usize,
    in_flight: usize,
    topic: &str,
) -> Result<()> {
    let stream = load.stream(number, receivers);
    let mut packets = Packets::speaking(flow.dialect);
    for _ in 0..in_flight {
        packets.push(topic, flow.qos, flow.payload_len, stream)?;
    }
    let window = Window { deliveries: in_flight * receivers, unacknowledged: UNACKNOWLEDGED };
    load.publish_by(open(&client_id(group, 'p', number))?, packets, flow.qos, window)
}

/// What receivers commonly announce as their Receive Maximum, and what Mosquitto has by itself.
const UNACKNOWLEDGED: usize = 20;

/// A publisher who has a message for each of its topics in turn, and who receives all of them.
fn round_of_topics(
    load: &mut Load,
    flow: &Flow,
    open: &dyn Fn(&str) -> Result<Link>,
    pair: usize,
    topics: usize,
    in_flight: usize,
) -> Result<()> {
    let mut packets = Packets::speaking(flow.dialect);
    for number in 0..topics {
        let topic = format!("bench/plant/{pair}/sensor/{number}/state");
        let stream = load.stream(pair, 1);
        packets.push(&topic, flow.qos, flow.payload_len, stream)?;
    }
    let mut link = open(&client_id(pair, 's', 0))?;
    link.subscribe(&[format!("bench/plant/{pair}/#")], flow.qos)?;
    let first = (pair * topics) as u32;
    load.receive_by(link, iter::once(first..first + topics as u32).collect())?;
    let window = Window { deliveries: in_flight, unacknowledged: UNACKNOWLEDGED };
    load.publish_by(open(&client_id(pair, 'p', pair))?, packets, flow.qos, window)
}

fn wildcards(load: &mut Load, flow: &Flow, open: &dyn Fn(&str) -> Result<Link>) -> Result<()> {
    let mut receivers = vec![0; (SIDE * SIDE * SIDE) as usize];
    for number in 0..SIDE * SIDE * SIDE {
        let (filter, streams) = wildcard(number);
        for stream in streams.iter().cloned().flatten() {
            if let Some(receivers) = receivers.get_mut(stream as usize) {
                *receivers += 1;
            }
        }
        let mut link = open(&client_id(0, 's', number as usize))?;
        link.subscribe(&[filter], flow.qos)?;
        load.receive_by(link, streams)?;
    }
    for site in 0..SIDE {
        let mut packets = Packets::speaking(flow.dialect);
        // Light by light rather than room by room, so that neighbours in time are not neighbours in the tree.
        let topics = (0..SIDE).flat_map(|light| (0..SIDE).map(move |room| (room, light)));
        let mut streams = vec![0; (SIDE * SIDE) as usize];
        let first = site * SIDE * SIDE;
        for (place, stream) in (first..).zip(&mut streams) {
            let receivers = receivers.get(place as usize).copied().unwrap_or_default();
            *stream = load.stream(site as usize, receivers);
        }
        for (room, light) in topics {
            let topic = format!("site/{site}/room/{room}/light/{light}");
            let stream = streams.get((room * SIDE + light) as usize).copied().unwrap_or_default();
            packets.push(&topic, flow.qos, flow.payload_len, stream)?;
        }
        let link = open(&client_id(0, 'p', site as usize))?;
        let window = Window { deliveries: WILDCARD_DELIVERIES, unacknowledged: UNACKNOWLEDGED };
        load.publish_by(link, packets, flow.qos, window)?;
    }
    Ok(())
}

/// Sites, rooms of each, and lights of each.
const SIDE: u32 = 10;

/// For each of the ten publishers: 4 messages for each of the thousand subscribers.
const WILDCARD_DELIVERIES: usize = 400;

/// A subscriber's filter, and the streams of the topics that match it, ten of them: all lights of a room, the same light
/// in all rooms, a room by `#`, a room by a filter that begins with a wildcard.
fn wildcard(number: u32) -> (String, Vec<Range<u32>>) {
    let (site, second, kind) = (number / (SIDE * SIDE), number / SIDE % SIDE, number % SIDE);
    let first = site * SIDE * SIDE;
    let room = first + second * SIDE;
    let whole_room = iter::once(room..room + SIDE).collect();
    match kind {
        0..=3 => (format!("site/{site}/room/{second}/light/+"), whole_room),
        4..=6 => {
            let lights = (0..SIDE).map(|room| first + room * SIDE + second);
            (format!("site/{site}/room/+/light/{second}"), lights.map(|light| light..light + 1).collect())
        }
        7 | 8 => (format!("site/{site}/room/{second}/#"), whole_room),
        _ => (format!("+/{site}/+/{second}/light/#"), whole_room),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Level by level, as the standard says.
    fn matches(filter: &str, topic: &str) -> bool {
        let (mut filter, mut topic) = (filter.split('/'), topic.split('/'));
        loop {
            match (filter.next(), topic.next()) {
                (Some("#"), _) | (None, None) => return true,
                (Some("+"), Some(_)) => {}
                (Some(wanted), Some(level)) if wanted == level => {}
                _ => return false,
            }
        }
    }

    #[test]
    fn each_wildcard_receives_the_streams_that_it_matches_and_no_others() {
        for number in 0..SIDE * SIDE * SIDE {
            let (filter, streams) = wildcard(number);
            for stream in 0..SIDE * SIDE * SIDE {
                let (site, room, light) = (stream / 100, stream / 10 % 10, stream % 10);
                let topic = format!("site/{site}/room/{room}/light/{light}");
                let expected = streams.iter().any(|range| range.contains(&stream));
                assert_eq!(matches(&filter, &topic), expected, "{filter} and {topic}");
            }
        }
    }
}
