//! The native connection against a broker of the test's own: sockets, losses, and last words.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use bytes::{Bytes, BytesMut};
use luxwire_devices::connection::{BrokerArgs, Connection};
use luxwire_shared::{
    client::{Cause, Event, Message, Options, Retry},
    mqtt::{Connack, Framer, Packet, Publish, QoS, ReasonCode, TopicName, Version},
};
use std::{future::Future, io, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.expect("it takes too long")
}

/// The broker's end of one connection.
struct Peer {
    stream: TcpStream,
    framer: Framer,
}

impl Peer {
    /// Waits for a connection, its CONNECT, and accepts it.
    async fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = listener.accept().await.unwrap();
        let mut peer = Self { stream, framer: Framer::new(1 << 20) };
        let Packet::Connect(connect) = peer.packet().await.unwrap() else { panic!("CONNECT comes first") };
        assert_eq!(connect.version, Version::V5);
        let (session_present, reason) = (false, ReasonCode::Success);
        let connack = Connack { session_present, reason, properties: Default::default() };
        peer.send(&Packet::Connack(Box::new(connack))).await;
        peer
    }

    async fn send(&mut self, packet: &Packet) {
        let mut bytes = BytesMut::new();
        packet.encode(Version::V5, &mut bytes).unwrap();
        self.stream.write_all(&bytes).await.unwrap();
    }

    /// The next packet, or `None` when the client has closed.
    async fn packet(&mut self) -> io::Result<Packet> {
        loop {
            if let Some(frame) = self.framer.next_frame().unwrap() {
                return Ok(Packet::decode(frame, Version::V5).unwrap());
            }
            let mut bytes = BytesMut::with_capacity(65_536);
            if self.stream.read_buf(&mut bytes).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.framer.push(bytes.freeze());
        }
    }
}

fn to(listener: &TcpListener) -> BrokerArgs {
    BrokerArgs::new(listener.local_addr().unwrap().to_string().parse().unwrap())
}

fn options(broker: &BrokerArgs) -> Options {
    let retry =
        Retry { first: Duration::from_millis(20), longest: Duration::from_millis(40), ..Retry::default() };
    Options { retry, ..broker.options("test").unwrap() }
}

fn topic(name: &str) -> TopicName {
    TopicName::try_from(name).unwrap()
}

#[tokio::test]
async fn a_broker_that_is_not_there_yet_is_waited_for_and_said_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let broker = to(&listener);
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut connection = Connection::new(&broker, options(&broker)).unwrap();

    let Event::Lost { cause, .. } = soon(connection.next()).await else { panic!("it cannot be there") };
    assert_eq!(cause, Cause::Closed);
    assert_eq!(connection.failure().unwrap().kind(), io::ErrorKind::ConnectionRefused);

    let listener = TcpListener::bind(address).await.unwrap();
    let peer = tokio::spawn(async move { Peer::accept(&listener).await });
    let online = async { while !matches!(connection.next().await, Event::Connected { .. }) {} };
    soon(online).await;
    soon(peer).await.unwrap();
    assert!(connection.failure().is_none());
}

#[tokio::test]
async fn what_a_lost_session_leaves_undecided_is_said() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let broker = to(&listener);
    let with_session = Options { session_expiry_s: 60, ..options(&broker) };
    let mut connection = Connection::new(&broker, with_session).unwrap();
    let message = Message::retained(topic("lights/a/intensity"), "42", QoS::AtLeastOnce);
    let token = connection.publish(message).unwrap();

    let peer = async {
        let mut first = Peer::accept(&listener).await;
        let Packet::Publish(publish) = first.packet().await.unwrap() else { panic!("PUBLISH comes next") };
        assert_eq!(publish.payload, "42");
        drop(first); // before it acknowledged
        Peer::accept(&listener).await
    };
    let events = async {
        let (mut connected, mut lost) = (0, 0);
        loop {
            match connection.next().await {
                Event::Connected { .. } => connected += 1,
                Event::Lost { .. } => lost += 1,
                // The second broker knows no session: whether to send it again is the application's decision.
                Event::Unsent(unsent) => break (connected, lost, unsent),
                _ => {}
            }
        }
    };
    let (_, (connected, lost, unsent)) = soon(async { tokio::join!(peer, events) }).await;
    assert_eq!((connected, lost, Some(unsent)), (2, 1, token));
}

#[tokio::test]
async fn goodbye_arrives_although_unread_bytes_are_on_their_way() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let broker = to(&listener);
    let mut connection = Connection::new(&broker, options(&broker)).unwrap();
    let peer = async {
        let mut peer = Peer::accept(&listener).await;
        // More than was read when the client leaves.
        let noise = Packet::Publish(Publish::new(topic("noise"), vec![b'x'; 200_000]));
        peer.send(&noise).await;
        loop {
            match peer.packet().await {
                Ok(Packet::Disconnect(disconnect)) => break disconnect.reason,
                Ok(_) => {}
                Err(error) => panic!("no DISCONNECT came: {error}"),
            }
        }
    };
    let leave = async {
        while !matches!(connection.next().await, Event::Connected { .. }) {}
        connection.disconnect().await;
    };
    let (reason, ()) = soon(async { tokio::join!(peer, leave) }).await;
    assert_eq!(reason, ReasonCode::Success);
}

#[tokio::test]
async fn a_broker_that_reads_nothing_is_left_in_bounded_time_and_memory() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let broker = to(&listener);
    let mut connection = Connection::new(&broker, options(&broker)).unwrap();
    let mut peer = None;
    let greet = async {
        peer = Some(Peer::accept(&listener).await);
    };
    let online = async { while !matches!(connection.next().await, Event::Connected { .. }) {} };
    soon(async { tokio::join!(greet, online) }).await;

    // QoS 0 is refused before more than the client's bound and the sockets' buffers wait.
    let large = Bytes::from(vec![0; 100_000]);
    let mut taken = 0;
    while connection.publish(Message::new(topic("t"), large.clone(), QoS::AtMostOnce)).is_ok() {
        taken += large.len();
        assert!(taken < 64 << 20, "it takes without bound");
        let _ = timeout(Duration::from_millis(1), connection.next()).await;
    }
    soon(connection.disconnect()).await;
}
