//! An MQTT client in the hands of a test: it does nothing by itself.

use super::DEADLINE;
use bytes::{Bytes, BytesMut};
use luxwire_shared::mqtt::{
    Connack, Connect, ConnectProperties, Delivery, Framer, Packet, PacketId, Publish, QoS, ReasonCode,
    Subscribable, Subscribe, SubscribeFilter, Text, TopicName, Version,
};
use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
};
use tungstenite::{ClientRequestBuilder, Error, Message, WebSocket, protocol::CloseFrame};

/// One connection, over TCP or WebSocket.
pub(crate) struct Client {
    wire: Wire,
    framer: Framer,
    /// In which packets are written and read.
    pub(crate) version: Version,
    next_id: PacketId,
    /// Data frames received.
    pub(crate) frames: usize,
    /// What the server said when it closed a WebSocket.
    pub(crate) closed_with: Option<CloseFrame>,
}

enum Wire {
    Tcp(TcpStream),
    WebSocket(Box<WebSocket<TcpStream>>),
}

impl Client {
    /// A connection over TCP that has said nothing.
    pub(crate) fn tcp(server: SocketAddr) -> Self {
        Self::over(socket(server))
    }

    /// The same over a connection that is there already.
    pub(crate) fn over(socket: TcpStream) -> Self {
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        Self::on(Wire::Tcp(socket))
    }

    /// A connection over WebSocket that has said nothing.
    pub(crate) fn websocket(server: SocketAddr) -> Self {
        Self::handshake(websocket_request(server)).expect("the handshake is accepted")
    }

    /// A connection over WebSocket, if the server wants it.
    pub(crate) fn handshake(request: ClientRequestBuilder) -> Result<Self, u16> {
        use tungstenite::client::IntoClientRequest as _;
        let request = request.into_client_request().unwrap();
        let authority = request.uri().authority().unwrap().as_str();
        match tungstenite::client(request.clone(), socket(authority.parse().unwrap())) {
            Ok((websocket, answer)) => {
                let asked = request.headers().get("sec-websocket-protocol").is_some();
                assert_eq!(
                    asked,
                    answer.headers().get("sec-websocket-protocol").is_some(),
                    "a browser would hang up"
                );
                Ok(Self::on(Wire::WebSocket(Box::new(websocket))))
            }
            Err(tungstenite::HandshakeError::Failure(Error::Http(answer))) => Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Connects over TCP as this client.
    pub(crate) fn connected(server: SocketAddr, version: Version, client_id: &str) -> Self {
        let mut client = Self::tcp(server);
        client.connect(version, client_id);
        client
    }

    /// Connects over WebSocket as this client.
    pub(crate) fn connected_by_websocket(server: SocketAddr, version: Version, client_id: &str) -> Self {
        let mut client = Self::websocket(server);
        client.connect(version, client_id);
        client
    }

    fn on(wire: Wire) -> Self {
        let version = Version::V5;
        Self {
            wire,
            framer: Framer::new(u32::MAX),
            version,
            next_id: PacketId::MIN,
            frames: 0,
            closed_with: None,
        }
    }

    /// Says CONNECT and takes CONNACK.
    pub(crate) fn connect(&mut self, version: Version, client_id: &str) {
        self.connect_as(&connect(version, client_id), version);
    }

    /// Says this CONNECT and takes CONNACK, which must let it in.
    pub(crate) fn connect_as(&mut self, connect: &Packet, version: Version) -> Box<Connack> {
        self.version = version;
        self.send(connect);
        match self.receive() {
            Packet::Connack(connack) if connack.reason == ReasonCode::Success => connack,
            other => panic!("{other:?}"),
        }
    }

    /// Subscribes and takes SUBACK.
    pub(crate) fn subscribe(&mut self, filter: &str, qos: QoS) {
        let id = self.take_id();
        self.send(&subscribe(id, filter, qos));
        match self.receive() {
            Packet::Suback(suback) => {
                assert_eq!(suback.id, id);
                assert!(suback.reasons.iter().all(|reason| !reason.is_failure()), "{suback:?}");
            }
            other => panic!("{other:?}"),
        }
    }

    /// Publishes, and at QoS 1 takes PUBACK.
    pub(crate) fn publish(&mut self, topic: &str, payload: impl Into<Bytes>, qos: QoS, retain: bool) {
        let id = self.take_id();
        self.send(&publish(topic, payload, Delivery::first(qos, id), retain));
        match qos {
            QoS::AtMostOnce => {}
            QoS::AtLeastOnce => assert!(matches!(self.receive(), Packet::Puback(puback) if puback.id == id)),
            QoS::ExactlyOnce => panic!("say it packet by packet"),
        }
    }

    /// Says PINGREQ and takes PINGRESP: whatever was sent before has been handled.
    pub(crate) fn ping(&mut self) {
        self.send(&Packet::Pingreq);
        assert_eq!(self.receive(), Packet::Pingresp);
    }

    /// The same, where messages may come in between.
    pub(crate) fn ping_through_messages(&mut self) {
        self.send(&Packet::Pingreq);
        while let Packet::Publish(_) = self.receive() {}
    }

    pub(crate) fn send(&mut self, packet: &Packet) {
        self.send_bytes(&encode(packet, self.version));
    }

    /// Over WebSocket as one frame.
    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.try_send_bytes(bytes).unwrap();
    }

    /// The server may have closed the connection already.
    pub(crate) fn try_send_bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match &mut self.wire {
            Wire::Tcp(socket) => Ok(socket.write_all(bytes)?),
            Wire::WebSocket(websocket) => websocket.send(Message::Binary(Bytes::copy_from_slice(bytes))),
        }
    }

    /// Speaks this version from here on.
    pub(crate) fn speak(&mut self, version: Version) {
        self.version = version;
    }

    /// The next packet.
    pub(crate) fn receive(&mut self) -> Packet {
        self.receive_or_end().expect("a packet, not the end")
    }

    /// The next message.
    pub(crate) fn message(&mut self) -> Publish {
        match self.receive() {
            Packet::Publish(publish) => publish,
            other => panic!("{other:?}"),
        }
    }

    /// The next packet; `None` when the server closed the connection.
    pub(crate) fn receive_or_end(&mut self) -> Option<Packet> {
        loop {
            if let Some(frame) = self.framer.next_frame().unwrap() {
                return Some(Packet::decode(frame, self.version).unwrap());
            }
            let bytes = self.read()?;
            self.frames += 1;
            self.framer.push(bytes);
        }
    }

    /// Takes whatever comes until the server closes the connection.
    pub(crate) fn until_closed(&mut self) -> Vec<Packet> {
        std::iter::from_fn(|| self.receive_or_end()).collect()
    }

    /// The same for those who would not understand it.
    pub(crate) fn until_closed_unread(&mut self) {
        while self.read().is_some() {}
    }

    /// The bytes that came next; `None` at the end.
    fn read(&mut self) -> Option<Bytes> {
        match &mut self.wire {
            Wire::Tcp(socket) => {
                let mut buffer = vec![0; 64 << 10];
                match socket.read(&mut buffer) {
                    Ok(0) => None,
                    Ok(len) => {
                        buffer.truncate(len);
                        Some(buffer.into())
                    }
                    Err(error) if error.kind() == ErrorKind::ConnectionReset => None,
                    Err(error) => panic!("nothing comes: {error}"),
                }
            }
            Wire::WebSocket(websocket) => loop {
                match websocket.read() {
                    Ok(Message::Binary(bytes)) => return Some(bytes),
                    Ok(Message::Ping(_) | Message::Pong(_)) => {}
                    Ok(Message::Close(frame)) => self.closed_with = frame,
                    Ok(other) => panic!("{other:?}"),
                    Err(Error::ConnectionClosed | Error::AlreadyClosed) => return None,
                    Err(Error::Io(error)) if error.kind() == ErrorKind::ConnectionReset => return None,
                    Err(Error::Protocol(_)) => return None,
                    Err(error) => panic!("nothing comes: {error}"),
                }
            },
        }
    }

    /// WebSocket only: what the other side sends, frame by frame.
    pub(crate) fn as_websocket(&mut self) -> &mut WebSocket<TcpStream> {
        match &mut self.wire {
            Wire::WebSocket(websocket) => websocket,
            Wire::Tcp(_) => panic!("no WebSocket"),
        }
    }

    /// The socket below.
    pub(crate) fn socket(&self) -> &TcpStream {
        match &self.wire {
            Wire::Tcp(socket) => socket,
            Wire::WebSocket(websocket) => websocket.get_ref(),
        }
    }

    fn take_id(&mut self) -> PacketId {
        let id = self.next_id;
        self.next_id = id.next();
        id
    }
}

/// `GET /mqtt` with the subprotocol that browsers' clients ask for.
pub(crate) fn websocket_request(server: SocketAddr) -> ClientRequestBuilder {
    ClientRequestBuilder::new(format!("ws://{server}/mqtt").parse().unwrap()).with_sub_protocol("mqtt")
}

pub(crate) fn encode(packet: &Packet, version: Version) -> BytesMut {
    let mut bytes = BytesMut::new();
    packet.encode(version, &mut bytes).unwrap();
    bytes
}

pub(crate) fn connect(version: Version, client_id: &str) -> Packet {
    Packet::Connect(Box::new(Connect {
        version,
        clean_start: true,
        keep_alive_s: 0,
        client_id: Text::try_from(client_id).unwrap(),
        will: None,
        user_name: None,
        password: None,
        properties: ConnectProperties::default(),
    }))
}

pub(crate) fn subscribe(id: PacketId, filter: &str, qos: QoS) -> Packet {
    let filters = vec![SubscribeFilter::new(Subscribable::try_from(filter).unwrap(), qos)];
    Packet::Subscribe(Subscribe { id, subscription_id: None, user_properties: Vec::new(), filters })
}

pub(crate) fn publish(topic: &str, payload: impl Into<Bytes>, delivery: Delivery, retain: bool) -> Packet {
    Packet::Publish(Publish {
        delivery,
        retain,
        ..Publish::new(TopicName::try_from(topic).unwrap(), payload)
    })
}

fn socket(server: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(server).unwrap();
    socket.set_nodelay(true).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket
}
