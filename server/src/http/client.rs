//! A client of the broker on behalf of an HTTP request.
//!
//! It says what an MQTT client would say and translates the answers; the broker judges it by the same rules as any other.
//! It is whoever signed in over HTTP, see `identity`.

use super::{Identity, Peer, Problem, refusal};
use crate::shard::{Condition, Door, FromBroker, LocalLink, NewLocalLink, Place, Published, Stopped};
use luxwire_shared::mqtt::{
    Acknowledge, Connect, ConnectProperties, Packet, PacketId, Publish, QoS, ReasonCode, Subscribe,
    SubscribeFilter, Text, Version,
};
use tokio_util::sync::CancellationToken;

/// A connected client.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) link: LocalLink,
    id: String,
    next_packet_id: PacketId,
}

impl Client {
    /// Connects for the time of one request.
    pub(super) async fn connect(door: &Door, peer: Peer, identity: Identity) -> Result<Self, Problem> {
        Self::open(door, peer, identity, None, CancellationToken::new()).await
    }

    /// Connects to stay, in a place of its own; `stalled` is cancelled when it does not read.
    pub(super) async fn connect_to_stay(
        door: &Door,
        peer: Peer,
        identity: Identity,
        place: Place,
        stalled: CancellationToken,
    ) -> Result<Self, Problem> {
        Self::open(door, peer, identity, Some(place), stalled).await
    }

    async fn open(
        door: &Door,
        Peer(peer): Peer,
        identity: Identity,
        place: Option<Place>,
        stalled: CancellationToken,
    ) -> Result<Self, Problem> {
        // Nobody can guess it, and so nobody can connect under it and end this one. [MQTT-3.1.4-3]
        let number = getrandom::u64().map_err(|_| refusal::problem(ReasonCode::ServerUnavailable))?;
        let id = format!("luxwire-http-{number:016x}");
        let connect = Box::new(Connect {
            version: Version::V5,
            clean_start: true,
            keep_alive_s: 0,
            client_id: Text::try_from(id.as_str()).expect("letters and digits"),
            will: None,
            user_name: None,
            password: None,
            properties: ConnectProperties::default(),
        });
        let link = LocalLink::open(
            door,
            NewLocalLink { peer, visitor: identity.visitor(), connect, place, stalled },
        );
        let link = link.await?;
        let mut client = Self { link, id, next_packet_id: PacketId::MIN };
        match client.link.receive().await {
            Some(FromBroker::Packet(Packet::Connack(connack))) if !connack.reason.is_failure() => Ok(client),
            Some(FromBroker::Packet(Packet::Connack(connack))) => Err(refusal::problem(connack.reason)),
            Some(_) | None => Err(Stopped.into()),
        }
    }

    /// Its name at the broker.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// One more packet identifier. A request needs few, so that none is in use twice.
    pub(super) fn take_packet_id(&mut self) -> PacketId {
        let id = self.next_packet_id;
        self.next_packet_id = id.next();
        id
    }

    /// Publishes and waits until the broker has taken the message and acknowledged it as its quality demands; `None` if
    /// nothing was published because the condition did not hold.
    pub(super) async fn publish(
        &mut self,
        publish: Publish,
        condition: Condition,
    ) -> Result<(Published, ReasonCode), Problem> {
        let qos = publish.qos();
        self.link.publish(publish, condition).await?;
        if qos == QoS::AtMostOnce {
            // Nothing acknowledges it; but this is answered when it has been handled.
            self.link.send(Packet::Pingreq).await?;
        }
        let (mut published, mut acknowledged) = (None, None);
        loop {
            if let (Some(published), Some(reason)) = (published, acknowledged) {
                return Ok((published, reason));
            }
            match self.link.receive().await {
                Some(FromBroker::Published(done)) => {
                    published = Some(done);
                    if !done.condition_held {
                        acknowledged = Some(ReasonCode::Success);
                    }
                }
                Some(FromBroker::Refused(reason)) => return Err(refusal::problem(reason)),
                Some(FromBroker::Packet(packet)) => match packet {
                    Packet::Puback(ack) | Packet::Pubrec(ack) if ack.reason.is_failure() => {
                        return Err(refusal::problem(ack.reason));
                    }
                    Packet::Puback(ack) => acknowledged = Some(ack.reason),
                    Packet::Pubrec(ack) => {
                        acknowledged = Some(ack.reason);
                        self.link.send(Packet::Pubrel(Acknowledge::success(ack.id))).await?;
                    }
                    Packet::Pingresp => acknowledged = Some(ReasonCode::Success),
                    Packet::Disconnect(disconnect) => return Err(refusal::problem(disconnect.reason)),
                    _ => {}
                },
                Some(FromBroker::Message { .. } | FromBroker::KeptAreSent | FromBroker::Missed(_)) => {}
                None => return Err(Stopped.into()),
            }
        }
    }

    /// Asks for messages. What the broker answers to it comes out of the link, see [`granted`].
    pub(super) async fn subscribe(&mut self, filters: Vec<SubscribeFilter>) -> Result<(), Stopped> {
        let id = self.take_packet_id();
        let subscribe = Subscribe { id, subscription_id: None, user_properties: Vec::new(), filters };
        self.link.send(Packet::Subscribe(subscribe)).await
    }
}

/// Whether every filter of a SUBSCRIBE was granted.
pub(super) fn granted(reasons: &[ReasonCode]) -> Result<(), Problem> {
    reasons.iter().find(|reason| reason.is_failure()).map_or(Ok(()), |reason| Err(refusal::problem(*reason)))
}
