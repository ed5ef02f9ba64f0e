//! Three clients at one broker, and what it says to each.

use crate::{answers::said, packets, support::DEADLINE};
use bytes::Bytes;
use luxwire_shared::mqtt::{
    Acknowledge, Framer, Packet, Publish, PublishTopic, QoS, ReasonCode, Text, TopicAlias, TopicName, Version,
};
use std::{
    collections::{BTreeSet, HashMap},
    io::{ErrorKind, Read as _, Write as _},
    mem,
    net::{Shutdown, SocketAddr, TcpStream},
    time::Duration,
};

pub(crate) const CLIENTS: usize = 3;

/// A broker that stays silent for so long has not understood; between answers there are microseconds.
const SILENCE: Duration = Duration::from_secs(2);

/// A broker with its clients.
pub(crate) struct Peer {
    address: SocketAddr,
    clients: [Option<Connection>; CLIENTS],
    /// The names of sessions that may be left.
    sessions: BTreeSet<Text>,
    /// Messages that it sent with an alias and no name.
    pub(crate) shortened: usize,
}

struct Connection {
    socket: TcpStream,
    framer: Framer,
    version: Version,
    /// Whether it acknowledges what it gets.
    polite: bool,
    /// The highest alias that the broker may use, and the names behind those that it does.
    alias_maximum: u16,
    names: HashMap<TopicAlias, TopicName>,
    shortened: usize,
}

/// What one client heard, in words.
pub(crate) type Heard = Vec<String>;

impl Peer {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, clients: [const { None }; CLIENTS], sessions: BTreeSet::new(), shortened: 0 }
    }

    pub(crate) fn connected(&self) -> [bool; CLIENTS] {
        self.clients.each_ref().map(Option::is_some)
    }

    /// Opens a connection and sends its first packet.
    pub(crate) fn open(
        &mut self,
        client: usize,
        version: Version,
        polite: bool,
        first: &[u8],
        cuts: &[usize],
    ) -> [Heard; CLIENTS] {
        let socket = TcpStream::connect(self.address).unwrap();
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(SILENCE)).unwrap();
        let asked = packets::as_connect(first);
        let alias_maximum =
            asked.as_ref().and_then(|asked| asked.properties.topic_alias_maximum).unwrap_or(0);
        let mut connection = Connection {
            socket,
            framer: Framer::new(u32::MAX),
            version,
            polite,
            alias_maximum,
            names: HashMap::new(),
            shortened: 0,
        };
        let mut heard: [Heard; CLIENTS] = Default::default();
        connection.send_cut(first, cuts);
        // Nothing else may be said before CONNACK.
        match connection.next() {
            Next::Packet(Packet::Connack(connack)) => {
                let accepted = connack.reason == ReasonCode::Success;
                let assigned = connack.properties.assigned_client_id.clone();
                self.sessions.extend(assigned.or_else(|| asked.map(|asked| asked.client_id)));
                heard[client].extend(said(&Packet::Connack(connack)));
                if accepted {
                    self.clients[client] = Some(connection);
                } else {
                    connection.until_closed(&mut heard[client]);
                }
            }
            Next::Packet(other) => {
                heard[client].extend(said(&other));
                connection.until_closed(&mut heard[client]);
            }
            Next::End(how) => heard[client].push(how.to_owned()),
        }
        self.listen(&mut heard);
        heard
    }

    /// Sends bytes on a connection that is open.
    pub(crate) fn send(&mut self, client: usize, bytes: &[u8], cuts: &[usize]) -> [Heard; CLIENTS] {
        let mut heard = Default::default();
        if let Some(connection) = &mut self.clients[client] {
            connection.send_cut(bytes, cuts);
        }
        self.listen(&mut heard);
        heard
    }

    /// Sends bytes, if any, and lets the connection go: after a DISCONNECT, or without one.
    pub(crate) fn leave(&mut self, client: usize, bytes: &[u8], cuts: &[usize]) -> [Heard; CLIENTS] {
        let mut heard: [Heard; CLIENTS] = Default::default();
        if let Some(mut connection) = self.clients[client].take() {
            connection.send_cut(bytes, cuts);
            let _ = connection.socket.shutdown(Shutdown::Write);
            connection.until_closed(&mut heard[client]);
            self.shortened += connection.shortened;
        }
        self.listen(&mut heard);
        heard
    }

    /// Forgets sessions and kept values, so that the next sequence begins as the first one did.
    pub(crate) fn tidy(&mut self) {
        for client in 0..CLIENTS {
            self.leave(client, &[0xe0, 0], &[]);
        }
        let assigned = mem::take(&mut self.sessions);
        for name in assigned.iter().map(Text::as_str).chain(NAMES) {
            self.open(0, Version::V3_1_1, true, &packets::clean_connect(name), &[]);
            self.leave(0, &[0xe0, 0], &[]);
        }
        self.open(0, Version::V3_1_1, true, &packets::clean_connect("tidy"), &[]);
        let connection = self.clients[0].as_mut().expect("a connection");
        connection.send(&packets::subscribe_all());
        connection.send(&[0xc0, 0]);
        let mut kept = Vec::new();
        loop {
            match connection.next() {
                Next::Packet(Packet::Publish(publish)) => {
                    kept.push(crate::answers::topic(&publish).to_owned())
                }
                Next::Packet(Packet::Pingresp) => break,
                Next::Packet(_) => {}
                Next::End(how) => panic!("the connection {how} while tidying"),
            }
        }
        for topic in kept {
            connection.send(&packets::clear(&topic));
        }
        self.leave(0, &[0xe0, 0], &[]);
        self.sessions.clear();
    }

    /// Hears everybody out: each says PINGREQ until nothing comes but PINGRESP.
    fn listen(&mut self, heard: &mut [Heard; CLIENTS]) {
        loop {
            let mut quiet = true;
            for (slot, heard) in self.clients.iter_mut().zip(&mut *heard) {
                let Some(connection) = slot else { continue };
                connection.send(&[0xc0, 0]);
                loop {
                    match connection.next() {
                        Next::Packet(Packet::Pingresp) => break,
                        Next::Packet(packet) => {
                            quiet = false;
                            connection.answer(&packet);
                            heard.extend(said(&packet));
                        }
                        Next::End(how) => {
                            quiet = false;
                            heard.push(how.to_owned());
                            self.shortened += connection.shortened;
                            *slot = None;
                            break;
                        }
                    }
                }
            }
            if quiet {
                break;
            }
        }
        for heard in heard {
            // Topics are independent of each other, and answers of messages.
            heard.sort_by(|one, other| order(one).cmp(order(other)));
        }
    }
}

/// What is equal in this keeps its order: messages of one topic that were not kept.
fn order(line: &str) -> &str {
    if !line.starts_with("PUBLISH") {
        return line.split(' ').next().unwrap_or(line);
    }
    if line.contains(" retain 1 ") {
        return line;
    }
    line.match_indices(' ').nth(1).map_or(line, |(end, _)| &line[..end])
}

/// Those whom the sequences call themselves.
pub(crate) const NAMES: [&str; CLIENTS] = ["x", "y", "z"];

enum Next {
    Packet(Packet),
    End(&'static str),
}

impl Connection {
    /// The broker may have closed the connection already.
    fn send(&mut self, bytes: &[u8]) {
        let _ = self.socket.write_all(bytes);
    }

    /// The same in several writes. What a broker reads at once is up to the system, mostly one of them.
    fn send_cut(&mut self, bytes: &[u8], cuts: &[usize]) {
        let ends = cuts.iter().copied().chain([bytes.len()]);
        let mut start = 0;
        for end in ends {
            self.send(&bytes[start..end]);
            start = end;
        }
    }

    /// Gives the name to a message that came with its alias; `None` if the broker may not use that.
    fn named(&mut self, mut publish: Publish) -> Option<Publish> {
        let name = match publish.topic {
            PublishTopic::Name(name) => name,
            PublishTopic::Alias(alias) => {
                self.shortened += 1;
                self.names.get(&alias)?.clone()
            }
            PublishTopic::NameAndAlias(name, alias) => {
                if alias.0.get() > self.alias_maximum {
                    return None;
                }
                self.names.insert(alias, name.clone());
                name
            }
        };
        publish.topic = PublishTopic::Name(name);
        Some(publish)
    }

    fn next(&mut self) -> Next {
        let mut buffer = [0; 4096];
        loop {
            match self.framer.next_frame() {
                Ok(Some(frame)) => match Packet::decode(frame, self.version) {
                    Ok(Packet::Publish(publish)) => {
                        let named = self.named(publish).map(Packet::Publish);
                        return named.map_or(Next::End("sent an alias that means nothing"), Next::Packet);
                    }
                    Ok(packet) => return Next::Packet(packet),
                    Err(_) => return Next::End("sent what is no packet"),
                },
                Ok(None) => {}
                Err(_) => return Next::End("sent what is no packet"),
            }
            match self.socket.read(&mut buffer) {
                Ok(0) => return Next::End("closed"),
                Ok(len) => self.framer.push(Bytes::copy_from_slice(&buffer[..len])),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Next::End("closed"),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Next::End("silent");
                }
                Err(error) => panic!("nothing comes: {error}"),
            }
        }
    }

    fn until_closed(&mut self, heard: &mut Heard) {
        self.socket.set_read_timeout(Some(DEADLINE.min(SILENCE))).unwrap();
        loop {
            match self.next() {
                Next::Packet(packet) => heard.extend(said(&packet)),
                Next::End(how) => {
                    heard.push(how.to_owned());
                    break;
                }
            }
        }
    }

    /// Acknowledges, if it does so at all. PUBREC is answered always: it is the broker that waits then.
    fn answer(&mut self, packet: &Packet) {
        if !self.polite {
            return;
        }
        let (first, id) = match packet {
            Packet::Publish(publish) => match (publish.qos(), publish.delivery.packet_id()) {
                (QoS::AtLeastOnce, Some(id)) => (0x40, id),
                (QoS::ExactlyOnce, Some(id)) => (0x50, id),
                _ => return,
            },
            Packet::Pubrel(Acknowledge { id, .. }) => (0x70, *id),
            _ => return,
        };
        self.send(&packets::packet(first, &id.number().to_be_bytes()));
    }
}
