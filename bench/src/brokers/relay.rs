//! The limit: a server that welcomes everybody and then copies bytes from publishers to subscribers, and back from the
//! first subscriber to its publisher, whose acknowledgements it so carries from end to end.
//!
//! It understands nothing but who belongs together, which the client identifiers say, and does one `recv` and one `send`
//! a socket per turn. A broker that parses, routes and remembers cannot be cheaper; how much dearer it is, is its own.

use super::load::{self, Poller, Ready};
use anyhow::{Context as _, Result};
use rustix::process::{Signal, set_parent_process_death_signal};
use std::{
    collections::HashMap,
    io::{ErrorKind, Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    time::Duration,
};

/// How the relay is told who a client is: `GROUP-p…` publishes to all `GROUP-s…`.
pub(crate) fn client_id(group: usize, role: char, number: usize) -> String {
    format!("{group}-{role}{number}")
}

/// Runs until it is ended.
pub(super) fn run() -> Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL)).context("cannot end with the measurement")?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    listener.set_nonblocking(true)?;
    println!("listening mqtt {}\nready", listener.local_addr()?);
    let mut poller = Poller::new()?;
    poller.add(&listener, LISTENER)?;
    let mut relay = Relay { buffer: vec![0; READ_BYTES], ..Relay::default() };
    let mut ready: Vec<Ready> = Vec::new();
    loop {
        poller.wait(Duration::from_secs(1), &mut ready)?;
        for event in &ready {
            if event.token == LISTENER {
                relay.accept(&listener, &poller)?;
                continue;
            }
            if event.writable {
                relay.flush(event.token, &poller);
            }
            if event.readable {
                relay.read(event.token);
            }
        }
        for token in std::mem::take(&mut relay.dirty) {
            relay.flush(token, &poller);
        }
    }
}

const LISTENER: usize = usize::MAX;
const READ_BYTES: usize = 256 << 10;

/// A client that takes nothing is let go before memory is.
const UNSENT_BYTES: usize = 256 << 20;

#[derive(Default)]
struct Relay {
    clients: Vec<Option<Client>>,
    free: Vec<usize>,
    names: HashMap<String, usize>,
    groups: Vec<Group>,
    dirty: Vec<usize>,
    buffer: Vec<u8>,
}

#[derive(Default)]
struct Group {
    publishers: Vec<usize>,
    subscribers: Vec<usize>,
}

struct Client {
    stream: TcpStream,
    stage: Stage,
    /// The beginning of a greeting whose rest has not come.
    greeting: Vec<u8>,
    unsent: Vec<u8>,
    /// It is on the list of those to send to at the end of the turn.
    dirty: bool,
    /// The kernel is asked to say when there is room.
    waits: bool,
}

#[derive(Clone, Copy)]
enum Stage {
    /// Has not said CONNECT.
    Unknown,
    /// Has said CONNECT, and will say SUBSCRIBE or nothing.
    Welcome { group: usize },
    /// Its bytes go to all subscribers of the group.
    Publishes { group: usize },
    /// Its bytes go to the group's first publisher, if it is the first subscriber.
    Subscribes { group: usize },
}

impl Relay {
    fn accept(&mut self, listener: &TcpListener, poller: &Poller) -> Result<()> {
        while let Ok((stream, _)) = listener.accept() {
            stream.set_nonblocking(true)?;
            stream.set_nodelay(true)?;
            let token = self.free.pop().unwrap_or(self.clients.len());
            poller.add(&stream, token)?;
            let client = Client {
                stream,
                stage: Stage::Unknown,
                greeting: Vec::new(),
                unsent: Vec::new(),
                dirty: false,
                waits: false,
            };
            match self.clients.get_mut(token) {
                Some(place) => *place = Some(client),
                None => self.clients.push(Some(client)),
            }
        }
        Ok(())
    }

    fn read(&mut self, token: usize) {
        let mut buffer = std::mem::take(&mut self.buffer);
        let read = self.client(token).map(|client| client.stream.read(&mut buffer));
        match read {
            Some(Ok(len)) if len > 0 => self.pass(token, buffer.get(..len).unwrap_or_default()),
            Some(Err(error)) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Some(_) => self.forget(token),
            None => {}
        }
        self.buffer = buffer;
    }

    /// The only thing that it does all the time.
    fn pass(&mut self, token: usize, bytes: &[u8]) {
        let Some(Some(client)) = self.clients.get(token) else { return };
        let (group, publishes) = match client.stage {
            Stage::Publishes { group } => (self.groups.get(group), true),
            Stage::Subscribes { group } => (self.groups.get(group), false),
            Stage::Unknown | Stage::Welcome { .. } => return self.greet(token, bytes),
        };
        let Some(group) = group else { return };
        let (targets, alone) = if publishes {
            (group.subscribers.as_slice(), group.publishers.len() == 1)
        } else if group.subscribers.first() == Some(&token) {
            (group.publishers.get(..1).unwrap_or_default(), true)
        } else {
            // One receiver's acknowledgements are enough.
            return;
        };
        let mut gone = Vec::new();
        for target in targets {
            let Some(Some(client)) = self.clients.get_mut(*target) else { continue };
            // Bytes of several sources are gathered, so that they leave with one `send`.
            let sent = if client.unsent.is_empty() && alone { client.write(bytes) } else { Some(0) };
            match sent {
                Some(sent) if client.unsent.len() < UNSENT_BYTES => {
                    let rest = bytes.get(sent..).unwrap_or_default();
                    client.unsent.extend_from_slice(rest);
                    if !rest.is_empty() && !client.dirty && !client.waits {
                        client.dirty = true;
                        self.dirty.push(*target);
                    }
                }
                _ => gone.push(*target),
            }
        }
        gone.into_iter().for_each(|target| self.forget(target));
    }

    /// CONNECT says who it is; SUBSCRIBE is granted. What follows is passed on.
    fn greet(&mut self, token: usize, bytes: &[u8]) {
        let Some(client) = self.client(token) else { return };
        client.greeting.extend_from_slice(bytes);
        let greeting = std::mem::take(&mut client.greeting);
        let stage = client.stage;
        match self.greeted(stage, token, &greeting) {
            Ok(None) => {
                if let Some(client) = self.client(token) {
                    client.greeting = greeting;
                }
            }
            Ok(Some((stage, answer))) => {
                if let Some(client) = self.client(token) {
                    client.stage = stage;
                    let _ = client.write(&answer);
                }
            }
            Err(_) => self.forget(token),
        }
    }

    /// What a packet makes of a client, and the answer to it, once the packet is all there.
    fn greeted(&mut self, stage: Stage, token: usize, bytes: &[u8]) -> Result<Option<(Stage, Vec<u8>)>> {
        let Some((header, len)) = load::length(bytes)? else { return Ok(None) };
        let Some(body) = bytes.get(header..len) else { return Ok(None) };
        let Stage::Welcome { group } = stage else {
            // The protocol's name, its level, flags and keep alive stand before the client's identifier.
            // In MQTT 5 also an empty list of properties.
            let begin = if body.get(6) == Some(&5) { 13 } else { 12 };
            let id = body.get(begin..).context("a CONNECT that is too short")?;
            let (name, role) = std::str::from_utf8(id)?.split_once('-').context("nobody of ours")?;
            let group = self.group(name);
            let publishes = role.starts_with('p');
            if publishes && let Some(group) = self.groups.get_mut(group) {
                group.publishers.push(token);
            }
            let stage = if publishes { Stage::Publishes { group } } else { Stage::Welcome { group } };
            return Ok(Some((stage, vec![0x20, 2, 0, 0])));
        };
        let id = body.get(..2).context("a SUBSCRIBE that is too short")?;
        // All filters are granted; one answer is enough for who only asks whether any is refused.
        let answer = [&[0x90, 3], id, &[2]].concat();
        if let Some(group) = self.groups.get_mut(group) {
            group.subscribers.push(token);
        }
        Ok(Some((Stage::Subscribes { group }, answer)))
    }

    fn group(&mut self, name: &str) -> usize {
        if let Some(group) = self.names.get(name) {
            return *group;
        }
        self.groups.push(Group::default());
        self.names.insert(name.to_owned(), self.groups.len() - 1);
        self.groups.len() - 1
    }

    fn flush(&mut self, token: usize, poller: &Poller) {
        let Some(client) = self.client(token) else { return };
        client.dirty = false;
        let unsent = std::mem::take(&mut client.unsent);
        let Some(sent) = client.write(&unsent) else { return self.forget(token) };
        client.unsent = unsent;
        client.unsent.drain(..sent);
        let waits = !client.unsent.is_empty();
        if waits != client.waits {
            client.waits = waits;
            let _ = poller.change(&client.stream, token, true, waits);
        }
    }

    fn forget(&mut self, token: usize) {
        let Some(client) = self.clients.get_mut(token).and_then(Option::take) else { return };
        self.free.push(token);
        let (Stage::Publishes { group } | Stage::Subscribes { group }) = client.stage else { return };
        if let Some(group) = self.groups.get_mut(group) {
            group.publishers.retain(|other| *other != token);
            group.subscribers.retain(|other| *other != token);
        }
    }

    fn client(&mut self, token: usize) -> Option<&mut Client> {
        self.clients.get_mut(token)?.as_mut()
    }
}

impl Client {
    /// How much was taken, or `None` if the connection broke.
    fn write(&mut self, bytes: &[u8]) -> Option<usize> {
        match self.stream.write(bytes) {
            Ok(sent) => Some(sent),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Some(0),
            Err(_) => None,
        }
    }
}
