//! Many clients that do little: they connect, some at a time, and perhaps subscribe; or come and go without end.

use super::{
    link::{Inbox, Link, Over},
    packets::{self, DISCONNECT},
    poller::{Poller, Ready},
    wire::{Dialect, Packet},
};
use crate::brokers::stop;
use anyhow::{Context as _, Result, bail, ensure};
use mqttbytes::QoS;
use std::{
    mem,
    time::{Duration, Instant},
};

/// Connections that stay.
pub(crate) struct Crowd {
    poller: Poller,
    guests: Vec<Guest>,
    inbox: Inbox,
    ready: Vec<Ready>,
}

struct Guest {
    link: Link,
    stage: Stage,
}

/// How far one has come: each is entered when the answer to the one before is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Upgrading,
    Connecting,
    Welcome,
    Subscribing,
    Subscribed,
}

impl Crowd {
    /// Connects so many, until all are welcome.
    pub(crate) fn connect(over: &Over, count: usize, name: impl Fn(usize) -> String) -> Result<Self> {
        let mut crowd = Self {
            poller: Poller::new()?,
            guests: Vec::with_capacity(count),
            inbox: Inbox::default(),
            ready: Vec::new(),
        };
        let mut welcome = 0;
        let mut progress = Instant::now();
        while welcome < count {
            while crowd.guests.len() < count && crowd.guests.len() - welcome < AT_ONCE {
                let token = crowd.guests.len();
                let guest = Guest::new(over, &name(token), &crowd.poller, token)?;
                crowd.guests.push(guest);
            }
            let before = welcome;
            crowd.turn(&name, |stage| welcome += usize::from(stage == Stage::Welcome))?;
            patience(&mut progress, welcome > before)?;
        }
        Ok(crowd)
    }

    /// Each subscribes to something of its own, until all are granted it.
    pub(crate) fn subscribe(&mut self, filter: impl Fn(usize) -> String) -> Result<()> {
        let (mut asked, mut granted) = (0, 0);
        let mut progress = Instant::now();
        while granted < self.guests.len() {
            while asked < self.guests.len() && asked - granted < AT_ONCE {
                let filter = filter(asked);
                let Some(guest) = self.guests.get_mut(asked) else { break };
                guest.subscribe(filter)?;
                asked += 1;
            }
            let before = granted;
            self.turn(&|_| String::new(), |stage| granted += usize::from(stage == Stage::Subscribed))?;
            patience(&mut progress, granted > before)?;
        }
        Ok(())
    }

    /// Waits once, and says to which stages that has brought guests.
    fn turn(&mut self, name: &impl Fn(usize) -> String, mut came_to: impl FnMut(Stage)) -> Result<()> {
        stop::check()?;
        let mut ready = mem::take(&mut self.ready);
        self.poller.wait(TURN, &mut ready)?;
        for event in &ready {
            let Some(guest) = self.guests.get_mut(event.token) else { continue };
            let before = guest.stage;
            guest.receive(&mut self.inbox, || name(event.token))?;
            if guest.stage != before {
                came_to(guest.stage);
            }
        }
        self.ready = ready;
        Ok(())
    }
}

/// Clients that connect, subscribe and leave, for so long. Returns how many.
pub(crate) fn storm(over: &Over, time: Duration, name: impl Fn(usize) -> String) -> Result<usize> {
    let mut poller = Poller::new()?;
    let (mut inbox, mut ready) = (Inbox::default(), Vec::new());
    let (mut begun, mut gone) = (0, 0);
    let mut guests = Vec::new();
    for token in 0..AT_ONCE {
        guests.push((begun, Guest::new(over, &name(begun), &poller, token)?));
        begun += 1;
    }
    let end = Instant::now() + time;
    while Instant::now() < end {
        stop::check()?;
        poller.wait(TURN, &mut ready)?;
        for event in &ready {
            let Some((number, guest)) = guests.get_mut(event.token) else { continue };
            let before = guest.stage;
            guest.receive(&mut inbox, || name(*number))?;
            if guest.stage == before {
                continue;
            }
            match guest.stage {
                Stage::Welcome => guest.subscribe(format!("storm/{number}"))?,
                Stage::Subscribed => {
                    guest.link.send(&DISCONNECT)?;
                    // The one who was there is gone with this.
                    *number = begun;
                    *guest = Guest::new(over, &name(begun), &poller, event.token)?;
                    begun += 1;
                    gone += 1;
                }
                Stage::Upgrading | Stage::Connecting | Stage::Subscribing => {}
            }
        }
    }
    Ok(gone)
}

/// As many as a broker's queue of connections takes without turning any away.
const AT_ONCE: usize = 64;

impl Guest {
    fn new(over: &Over, name: &str, poller: &Poller, token: usize) -> Result<Self> {
        let mut link = Link::ring(over)?;
        let mut stage = Stage::Upgrading;
        if link.is_open() {
            link.send(&packets::connect(name, Dialect::Three)?)?;
            stage = Stage::Connecting;
        }
        link.unblock()?;
        poller.add(&link, token)?;
        Ok(Self { link, stage })
    }

    fn subscribe(&mut self, filter: String) -> Result<()> {
        ensure!(self.stage == Stage::Welcome, "one subscribes when welcome");
        self.stage = Stage::Subscribing;
        self.link.send(&packets::subscribe(&[filter], QoS::AtMostOnce)?)
    }

    fn receive(&mut self, inbox: &mut Inbox, name: impl FnOnce() -> String) -> Result<()> {
        let stage = &mut self.stage;
        self.link.receive(inbox, |packet| {
            match (*stage, packet) {
                (Stage::Connecting, Packet::Connack(0)) => *stage = Stage::Welcome,
                (Stage::Connecting, Packet::Connack(code)) => bail!("a client is refused with code {code}"),
                (Stage::Subscribing, Packet::Suback(true)) => *stage = Stage::Subscribed,
                (Stage::Subscribing, Packet::Suback(false)) => bail!("a subscription is refused"),
                _ => {}
            }
            Ok(())
        })?;
        if self.stage == Stage::Upgrading && self.link.is_open() {
            self.stage = Stage::Connecting;
            self.link.send(&packets::connect(&name(), Dialect::Three)?)?;
        }
        Ok(())
    }
}

/// Fails if nothing has come of anything for too long.
fn patience(progress: &mut Instant, came: bool) -> Result<()> {
    if came {
        *progress = Instant::now();
    }
    ensure!(progress.elapsed() < PATIENCE, "nobody was answered for {} s", PATIENCE.as_secs());
    Ok(())
}

const PATIENCE: Duration = Duration::from_secs(10);
const TURN: Duration = Duration::from_millis(100);

/// Permits as many open files as the system lets this user have, here and in the brokers that are started. Returns how
/// many connections that is room for.
pub(crate) fn permit_connections() -> Result<usize> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let hard = limit.maximum.unwrap_or(WISH);
    // Only root may have more than the hard limit, and not everywhere.
    let permitted = [WISH.max(hard), hard].into_iter().find(|most| {
        setrlimit(Resource::Nofile, Rlimit { current: Some(*most), maximum: Some(*most) }).is_ok()
    });
    let files = permitted.or(limit.current).context("the system does not say how many files may be open")?;
    Ok(usize::try_from(files).unwrap_or(usize::MAX).saturating_sub(OTHER_FILES))
}

/// For 20,000 connections and everything else.
const WISH: u64 = 40_000;

/// What a broker, or the generator, has open besides.
const OTHER_FILES: usize = 100;
