//! A link without a socket: a client of the broker inside this process.
//!
//! HTTP publishes and follows through such links. What the broker is told is what it would be told of any other client
//! (a connection opened, CONNECT, PUBLISH, SUBSCRIBE), so that whatever holds for clients holds here as well. Packets go in
//! and out as values, and what goes out waits in a bounded [`Mailbox`] instead of a socket's buffer.

mod locals;
mod mailbox;
mod task;

pub(super) use locals::Locals;
pub(super) use mailbox::Mailbox;

use super::{Door, Place, Stopped, Value};
use luxwire_broker::{Setting, Visitor};
use luxwire_shared::{
    mqtt::{Connect, Packet, Publish, ReasonCode},
    time::Timestamp,
};
use mailbox::Taken;
use std::{future::poll_fn, net::SocketAddr, sync::Arc};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// The client's side. The link ends when it is dropped, together with all its [`Alive`]s.
#[derive(Debug)]
pub(crate) struct LocalLink {
    to_broker: mpsc::Sender<ToBroker>,
    mailbox: Arc<Mailbox>,
}

/// Keeps a link from being forgotten, though not from ending: for whoever still brings the last of it to its reader.
#[derive(Clone, Debug)]
pub(crate) struct Alive(#[expect(dead_code, reason = "it is held, not used")] mpsc::Sender<ToBroker>);

/// What a link is opened with.
#[derive(Debug)]
pub(crate) struct NewLocalLink {
    /// Whom it serves.
    pub(crate) peer: SocketAddr,
    /// Who that is, as far as it is known.
    pub(crate) visitor: Visitor,
    /// The first packet.
    pub(crate) connect: Box<Connect>,
    /// For a link that stays: its place among the MQTT connections. One that says a thing and goes needs none.
    pub(crate) place: Option<Place>,
    /// Cancelled when nobody has read from the link for too long.
    pub(crate) stalled: CancellationToken,
}

/// What comes out of a link.
#[derive(Debug)]
pub(crate) enum FromBroker {
    /// Any packet but PUBLISH.
    Packet(Packet),
    /// A message that a subscription matched.
    Message {
        value: Value,
        /// It is a retained message that was there before; otherwise it was published just now.
        kept: bool,
    },
    /// What became of [`LocalLink::publish`].
    Published(Published),
    /// The broker did not take a message of this client.
    Refused(ReasonCode),
    /// Every retained message that the subscriptions match was handed over.
    KeptAreSent,
    /// So many messages found no room.
    Missed(u64),
}

/// Under which condition something is published, judged in the same moment in which it would be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Condition {
    /// The topic's value must be one of these settings.
    pub(crate) is_one_of: Option<Settings>,
    /// The topic's value must be none of these settings.
    pub(crate) is_none_of: Option<Settings>,
    /// The topic's value must not have been set after this second.
    pub(crate) unmodified_since_s: Option<u64>,
    /// The topic must have a value.
    pub(crate) exists: bool,
}

/// Some settings of a topic's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Settings {
    /// Whichever it is, as long as there is a value.
    Any,
    /// By number and time.
    Listed(Vec<(u64, Timestamp)>),
}

/// What was found when something was to be published, and what there was afterwards.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Published {
    /// Whether the condition held. If not, nothing was published.
    pub(crate) condition_held: bool,
    /// The topic's value before.
    pub(crate) before: Option<Setting>,
    /// The topic's value after.
    pub(crate) after: Option<Setting>,
}

/// What a client says.
#[derive(Debug)]
pub(super) enum ToBroker {
    Packet(Packet),
    /// A message that is published under a condition.
    Publish(Box<(Publish, Condition)>),
    /// Everything that the broker sent so far was taken.
    Drained,
}

impl LocalLink {
    /// Opens a link. CONNACK is the first that comes out of it.
    pub(crate) async fn open(door: &Door, new: NewLocalLink) -> Result<Self, Stopped> {
        let (to_broker, from_client) = mpsc::channel(WORDS);
        let mailbox = Arc::new(Mailbox::default());
        door.open_local(new, from_client, Arc::clone(&mailbox)).await?;
        Ok(Self { to_broker, mailbox })
    }

    /// Says anything but a PUBLISH.
    pub(crate) async fn send(&self, packet: Packet) -> Result<(), Stopped> {
        self.say(ToBroker::Packet(packet)).await
    }

    /// Publishes if the condition holds; [`FromBroker::Published`] follows.
    pub(crate) async fn publish(&self, publish: Publish, condition: Condition) -> Result<(), Stopped> {
        self.say(ToBroker::Publish(Box::new((publish, condition)))).await
    }

    /// What comes next; `None` when the link is over and everything was taken.
    pub(crate) async fn receive(&mut self) -> Option<FromBroker> {
        loop {
            match poll_fn(|cx| self.mailbox.poll_take(cx)).await {
                Taken::One(one) => return Some(one),
                // If it cannot be said the link is over, which comes out next.
                Taken::Drained => drop(self.say(ToBroker::Drained).await),
                Taken::Over => return None,
            }
        }
    }

    /// Whether nothing waits to be received.
    pub(crate) fn is_caught_up(&self) -> bool {
        self.mailbox.is_empty()
    }

    pub(crate) fn alive(&self) -> Alive {
        Alive(self.to_broker.clone())
    }

    async fn say(&self, word: ToBroker) -> Result<(), Stopped> {
        self.to_broker.send(word).await.map_err(|_| Stopped)
    }
}

impl Condition {
    pub(crate) fn holds(&self, current: Option<Setting>) -> bool {
        self.is_one_of.as_ref().is_none_or(|settings| settings.contain(current))
            && self.is_none_of.as_ref().is_none_or(|settings| !settings.contain(current))
            && self.unmodified_since_s.is_none_or(|second| {
                current.is_none_or(|current| certainly_unmodified_since(current, second))
            })
            && (!self.exists || current.is_some())
    }
}

impl Settings {
    pub(crate) fn contain(&self, current: Option<Setting>) -> bool {
        let Some(current) = current else { return false };
        match self {
            Self::Any => true,
            Self::Listed(listed) => listed.contains(&(current.number, current.at)),
        }
    }
}

/// Whether whoever saw the value at any time in this second, given in whole seconds since 1970, saw this setting.
pub(crate) fn certainly_unmodified_since(current: Setting, second: u64) -> bool {
    current.alone_in_its_second && current.at.unix_millis() / 1_000 <= second
}

/// Packets that a client may say before the broker has heard the first. Who finds no room waits.
const WORDS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(number: u64, millis: u64, alone_in_its_second: bool) -> Setting {
        Setting { number, at: Timestamp::from_unix_millis(millis), alone_in_its_second }
    }

    #[test]
    fn a_condition_holds_for_the_settings_that_it_means() {
        let current = setting(7, 5_500, true);
        let listed = |number, millis| {
            Some(Settings::Listed(vec![
                (1, Timestamp::default()),
                (number, Timestamp::from_unix_millis(millis)),
            ]))
        };
        let check = |condition: Condition, with: bool, without: bool| {
            assert_eq!(
                (condition.holds(Some(current)), condition.holds(None)),
                (with, without),
                "{condition:?}"
            );
        };
        let any = || Condition::default();
        check(any(), true, true);
        check(Condition { exists: true, ..any() }, true, false);
        check(Condition { is_one_of: Some(Settings::Any), ..any() }, true, false);
        check(Condition { is_one_of: listed(7, 5_500), ..any() }, true, false);
        check(Condition { is_one_of: listed(7, 5_501), ..any() }, false, false);
        check(Condition { is_one_of: listed(6, 5_500), ..any() }, false, false);
        check(Condition { is_none_of: Some(Settings::Any), ..any() }, false, true);
        check(Condition { is_none_of: listed(7, 5_500), ..any() }, false, true);
        check(Condition { is_none_of: listed(8, 5_500), ..any() }, true, true);
        check(Condition { unmodified_since_s: Some(4), ..any() }, false, true);
        check(Condition { unmodified_since_s: Some(5), ..any() }, true, true);
        let shared = Condition { unmodified_since_s: Some(5), ..any() };
        assert!(!shared.holds(Some(setting(7, 5_500, false))), "somebody may have seen the value before it");
    }
}
