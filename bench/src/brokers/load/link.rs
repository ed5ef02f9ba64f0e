//! One connection of the generator: opened and greeted while waiting, then used without ever waiting.

use super::{
    packets,
    websocket::{self, WebSocket},
    wire::{self, Dialect, Packet},
};
use anyhow::{Context as _, Result, bail, ensure};
use mqttbytes::QoS;
use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    os::fd::{AsFd, BorrowedFd},
    time::Duration,
};

/// Where and over what a broker is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    Tcp(SocketAddr),
    /// With the path of the upgrade.
    WebSocket(SocketAddr, &'static str),
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Link {
    stream: TcpStream,
    dialect: Dialect,
    websocket: Option<WebSocket>,
    /// The beginning of a packet whose rest has not come.
    partial: Vec<u8>,
    /// What the kernel did not take yet.
    unsent: Vec<u8>,
}

/// What all links of a thread read into.
#[derive(Debug)]
pub(crate) struct Inbox {
    raw: Vec<u8>,
    /// What WebSocket frames contained.
    plain: Vec<u8>,
}

impl Default for Inbox {
    fn default() -> Self {
        Self { raw: vec![0; READ_BYTES], plain: Vec::new() }
    }
}

/// Much more than a batch, so that one read fetches it.
const READ_BYTES: usize = 256 << 10;

impl Link {
    /// Connects, and is welcome.
    pub(crate) fn open(over: &Over, client_id: &str) -> Result<Self> {
        Self::open_speaking(Dialect::Three, over, client_id)
    }

    /// The same in another dialect.
    pub(crate) fn open_speaking(dialect: Dialect, over: &Over, client_id: &str) -> Result<Self> {
        let mut link = Self::greeted(over, client_id, &packets::connect(client_id, dialect)?)?;
        link.dialect = dialect;
        Ok(link)
    }

    /// The same to a session that stays.
    pub(crate) fn open_session(over: &Over, client_id: &str) -> Result<Self> {
        Self::greeted(over, client_id, &packets::connect_to_session(client_id)?)
    }

    fn greeted(over: &Over, client_id: &str, connect: &[u8]) -> Result<Self> {
        let mut link = Self::dial(over)?;
        link.send(connect)?;
        let welcome = link.wait(|packet| match packet {
            Packet::Connack(code) => Some(code),
            _ => None,
        });
        let code = welcome.with_context(|| format!("{client_id} is not welcomed"))?;
        ensure!(code == 0, "{client_id} is refused with code {code}");
        Ok(link)
    }

    /// Connects, and says nothing of MQTT.
    pub(crate) fn dial(over: &Over) -> Result<Self> {
        let mut link = Self::ring(over)?;
        let mut inbox = Inbox::default();
        while !link.is_open() {
            link.receive(&mut inbox, |_| Ok(()))?;
        }
        Ok(link)
    }

    /// Begins to connect: what the other side must answer first may not have come.
    pub(crate) fn ring(over: &Over) -> Result<Self> {
        let (Over::Tcp(address) | Over::WebSocket(address, _)) = over;
        let stream = TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true).context("cannot turn Nagle's algorithm off")?;
        stream.set_read_timeout(Some(ANSWER_WITHIN)).context("cannot limit how long an answer may take")?;
        let mut link = Self {
            stream,
            dialect: Dialect::Three,
            websocket: None,
            partial: Vec::new(),
            unsent: Vec::new(),
        };
        if let Over::WebSocket(address, path) = over {
            link.send_raw(websocket::upgrade(*address, path).as_bytes())?;
            link.websocket = Some(WebSocket::default());
        }
        Ok(link)
    }

    /// MQTT can be spoken.
    pub(crate) fn is_open(&self) -> bool {
        self.websocket.as_ref().is_none_or(|websocket| websocket.is_open)
    }

    /// Subscribes, and is granted it.
    pub(crate) fn subscribe(&mut self, filters: &[String], qos: QoS) -> Result<()> {
        self.send(&match self.dialect {
            Dialect::Three => packets::subscribe(filters, qos)?,
            Dialect::Five | Dialect::FiveDescribed => packets::subscribe_5(filters, qos)?,
        })?;
        let granted = self.wait(|packet| match packet {
            Packet::Suback(granted) => Some(granted),
            _ => None,
        });
        ensure!(granted.context("SUBSCRIBE is not answered")?, "a subscription is refused");
        Ok(())
    }

    /// Takes leave, and waits until the broker has noticed.
    pub(crate) fn leave(mut self) -> Result<()> {
        self.send(&packets::DISCONNECT)?;
        let mut rest = [0; 256];
        while self.stream.read(&mut rest).context("the broker does not close the connection")? > 0 {}
        Ok(())
    }

    /// A read that brings nothing for so long returns as if it had brought nothing.
    pub(crate) fn silence_ends_after(&self, time: Duration) -> Result<()> {
        self.stream.set_read_timeout(Some(time)).context("cannot limit how long an answer may take")
    }

    /// From here on nothing waits.
    pub(crate) fn unblock(&self) -> Result<()> {
        self.stream.set_nonblocking(true).context("cannot make a socket not wait")
    }

    /// Sends as much as the kernel takes and keeps the rest for [`Link::flush`].
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(websocket) = &mut self.websocket else {
            return self.send_raw(bytes);
        };
        let frames = websocket.frames(bytes)?;
        let sent = self.send_raw(&frames);
        if let Some(websocket) = &mut self.websocket {
            websocket.recycle(frames);
        }
        sent
    }

    fn send_raw(&mut self, bytes: &[u8]) -> Result<()> {
        let taken = if self.unsent.is_empty() { write(&mut self.stream, bytes)? } else { 0 };
        self.unsent.extend_from_slice(bytes.get(taken..).unwrap_or_default());
        Ok(())
    }

    /// Sends what was kept.
    pub(crate) fn flush(&mut self) -> Result<()> {
        let taken = write(&mut self.stream, &self.unsent)?;
        self.unsent.drain(..taken);
        Ok(())
    }

    /// The kernel would take no more.
    pub(crate) fn is_blocked(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Reads once, and hands over each packet that is complete.
    pub(crate) fn receive(
        &mut self,
        inbox: &mut Inbox,
        mut take: impl FnMut(Packet<'_>) -> Result<()>,
    ) -> Result<()> {
        let Inbox { raw, plain } = inbox;
        // A WebSocket's beginnings of packets wait with its contents, not with its frames.
        let kept = if self.websocket.is_some() { 0 } else { self.partial.len() };
        if raw.len() < kept + READ_BYTES {
            raw.resize(kept + READ_BYTES, 0);
        }
        let (before, room) = raw.split_at_mut(kept);
        let len = match self.stream.read(room) {
            Ok(0) => bail!("the broker has closed the connection"),
            Ok(len) => len,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(error).context("the connection broke"),
        };
        let bytes = match &mut self.websocket {
            None => {
                before.copy_from_slice(&self.partial);
                raw.get(..kept + len).unwrap_or_default()
            }
            Some(websocket) => {
                plain.clear();
                plain.extend_from_slice(&self.partial);
                websocket.contents(room.get(..len).unwrap_or_default(), plain)?;
                plain
            }
        };
        let mut rest = bytes;
        while let Some((packet, len)) = wire::first(rest, self.dialect)? {
            take(packet)?;
            rest = rest.get(len..).unwrap_or_default();
        }
        self.partial.clear();
        self.partial.extend_from_slice(rest);
        Ok(())
    }

    /// Reads until something is found; whatever else comes is passed over.
    pub(crate) fn wait<T>(&mut self, mut find: impl FnMut(Packet<'_>) -> Option<T>) -> Result<T> {
        let mut found = None;
        let mut inbox = Inbox::default();
        let begun = std::time::Instant::now();
        while found.is_none() {
            ensure!(begun.elapsed() < ANSWER_WITHIN, "no answer within {} s", ANSWER_WITHIN.as_secs());
            self.receive(&mut inbox, |packet| {
                found = found.take().or_else(|| find(packet));
                Ok(())
            })?;
        }
        found.context("the loop ends when it is found")
    }
}

/// A broker that is asked for ten thousand things answers the last of them late.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

fn write(stream: &mut TcpStream, bytes: &[u8]) -> Result<usize> {
    match stream.write(bytes) {
        Ok(taken) => Ok(taken),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
        Err(error) if error.kind() == ErrorKind::Interrupted => Ok(0),
        Err(error) => Err(error).context("the connection broke"),
    }
}
