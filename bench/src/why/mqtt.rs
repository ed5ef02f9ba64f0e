//! A client of the broker with as much of MQTT as following and setting one value takes.

use super::{
    TOPIC,
    contender::{Manner, Mqtt, Over},
    meter::{Meter, Metered},
    websocket::WebSocket,
};
use crate::program;
use anyhow::{Context as _, Result, bail, ensure};
use bytes::{Bytes, BytesMut};
use luxwire_shared::mqtt::{
    Acknowledge, Connect, ConnectProperties, Delivery, Disconnect, Framer, Packet, PacketId, Publish, QoS,
    ReasonCode, Subscribable, Subscribe, SubscribeFilter, Text, TopicName, Version,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// One connection.
pub(super) struct Client {
    wire: Wire,
    framer: Framer,
    version: Version,
    qos: QoS,
    id: PacketId,
    /// A CONNECT that goes out with whatever is said next.
    held: BytesMut,
    /// CONNECT was not answered yet.
    connecting: bool,
}

enum Wire {
    Tcp(Metered),
    WebSocket(Box<WebSocket>),
}

impl Client {
    /// Connects as this client.
    pub(super) async fn connect(kind: Mqtt, name: &str, meter: &Meter) -> Result<Self> {
        let Mqtt { over, version, qos, manner } = kind;
        let wire = match over {
            Over::Tcp => Wire::Tcp(meter.connect(program::MQTT).await?),
            Over::WebSocket(headers) => {
                let socket = WebSocket::open(program::HTTP, "/mqtt", Some("mqtt"), headers, meter).await?;
                Wire::WebSocket(Box::new(socket))
            }
        };
        let mut client = Self {
            wire,
            framer: Framer::new(PACKET_SIZE),
            version,
            qos,
            id: PacketId::MIN,
            held: BytesMut::new(),
            connecting: true,
        };
        let connect = Connect {
            version,
            clean_start: true,
            keep_alive_s: KEEP_ALIVE_S,
            client_id: Text::try_from(name).context("the client's name is no MQTT text")?,
            will: None,
            user_name: None,
            password: None,
            properties: ConnectProperties::default(),
        };
        client.hold(&Packet::Connect(Box::new(connect)))?;
        if manner == Manner::Waits {
            client.flush().await?;
            client.connected().await?;
        }
        Ok(client)
    }

    /// Subscribes, and waits for the value that is kept, which may come before SUBACK or after.
    pub(super) async fn subscribe(&mut self) -> Result<Bytes> {
        let filter = Subscribable::try_from(TOPIC).context("the topic is no filter")?;
        let subscribe = Subscribe {
            id: self.id,
            subscription_id: None,
            user_properties: Vec::new(),
            filters: vec![SubscribeFilter::new(filter, self.qos)],
        };
        self.send(&Packet::Subscribe(subscribe)).await?;
        let (mut accepted, mut value) = (false, None);
        loop {
            match self.receive().await? {
                Packet::Suback(suback) => accepted = suback.reasons.iter().all(|reason| !reason.is_failure()),
                Packet::Publish(publish) => value = Some(self.take(publish).await?),
                other => bail!("SUBSCRIBE was answered with {other:?}"),
            }
            if let Some(value) = value.as_ref().filter(|_| accepted) {
                return Ok(value.clone());
            }
        }
    }

    /// Sets the value; at QoS 1 waits until the broker says that it has it.
    pub(super) async fn publish(&mut self, payload: &str) -> Result<()> {
        let topic = TopicName::try_from(TOPIC).context("the topic is no name")?;
        self.id = self.id.next();
        let publish = Publish {
            delivery: Delivery::first(self.qos, self.id),
            retain: true,
            ..Publish::new(topic, Bytes::copy_from_slice(payload.as_bytes()))
        };
        self.send(&Packet::Publish(publish)).await?;
        if self.qos == QoS::AtMostOnce {
            return Ok(());
        }
        match self.receive().await? {
            Packet::Puback(puback) if puback.id == self.id => Ok(()),
            other => bail!("PUBLISH was answered with {other:?}"),
        }
    }

    /// The next value.
    pub(super) async fn next(&mut self) -> Result<Bytes> {
        match self.receive().await? {
            Packet::Publish(publish) => self.take(publish).await,
            other => bail!("the broker sent {other:?}"),
        }
    }

    /// What keeps a quiet connection alive.
    pub(super) async fn ping(&mut self) -> Result<()> {
        self.send(&Packet::Pingreq).await?;
        let answer = self.receive().await?;
        ensure!(answer == Packet::Pingresp, "PINGREQ was answered with {answer:?}");
        Ok(())
    }

    /// Says goodbye, and waits until the broker has closed the connection.
    pub(super) async fn disconnect(mut self) -> Result<()> {
        self.send(&Packet::Disconnect(Disconnect::because(ReasonCode::Success))).await?;
        match self.wire {
            Wire::WebSocket(socket) => socket.close().await,
            Wire::Tcp(mut stream) => {
                stream.shutdown().await.context("the connection cannot be closed")?;
                stream.read_to_end(&mut Vec::new()).await.context("the connection did not end in order")?;
                Ok(())
            }
        }
    }

    async fn take(&mut self, publish: Publish) -> Result<Bytes> {
        if let Some(id) = publish.delivery.packet_id() {
            self.send(&Packet::Puback(Acknowledge::success(id))).await?;
        }
        Ok(publish.payload)
    }

    async fn send(&mut self, packet: &Packet) -> Result<()> {
        self.hold(packet)?;
        self.flush().await
    }

    fn hold(&mut self, packet: &Packet) -> Result<()> {
        packet.encode(self.version, &mut self.held).context("our own packet cannot be written")
    }

    async fn flush(&mut self) -> Result<()> {
        let bytes = self.held.split();
        match &mut self.wire {
            Wire::Tcp(stream) => stream.write_all(&bytes).await.context("the broker takes nothing"),
            Wire::WebSocket(socket) => socket.send(bytes.freeze()).await,
        }
    }

    async fn receive(&mut self) -> Result<Packet> {
        if self.connecting {
            self.connected().await?;
        }
        self.packet().await
    }

    async fn connected(&mut self) -> Result<()> {
        self.connecting = false;
        match self.packet().await? {
            Packet::Connack(connack) if connack.reason == ReasonCode::Success => Ok(()),
            other => bail!("CONNECT was answered with {other:?}"),
        }
    }

    async fn packet(&mut self) -> Result<Packet> {
        loop {
            if let Some(packet) = self.framer.next_packet(self.version).context("the broker sent no MQTT")? {
                return Ok(packet);
            }
            let bytes = match &mut self.wire {
                Wire::Tcp(stream) => {
                    let mut buffer = BytesMut::with_capacity(READ_BYTES);
                    let len = stream.read_buf(&mut buffer).await.context("the connection broke")?;
                    (len > 0).then(|| buffer.freeze())
                }
                Wire::WebSocket(socket) => socket.receive().await?,
            };
            self.framer.push(bytes.context("the broker has closed the connection")?);
        }
    }
}

/// The longest silence of a client, and so how often a quiet one says PINGREQ: what most clients are set to.
pub(super) const KEEP_ALIVE_S: u16 = 60;

/// Nothing here is larger.
const PACKET_SIZE: u32 = 4096;
const READ_BYTES: usize = 4096;
