//! Who is connected, for those who list or draw it. Looking changes nothing.

use crate::{
    ClientId, LinkId,
    broker::Broker,
    link::Stage,
    session::{Connection, Session},
};
use luxwire_shared::{
    mqtt::{PublishTopic, Subscribable, Text, TopicName, Version},
    time::Timestamp,
};

/// A client whose CONNECT was accepted and whose connection stands.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a> {
    broker: &'a Broker,
    session: &'a Session,
    connection: &'a Connection,
}

impl Broker {
    /// Everybody who is connected, in no order.
    pub fn clients(&self) -> impl Iterator<Item = Client<'_>> {
        self.links.keys().filter_map(|link| self.client(*link))
    }

    /// Who is connected over this link, if CONNECT was accepted on it.
    pub fn client(&self, link: LinkId) -> Option<Client<'_>> {
        let Stage::Connected(key) = self.links.get(&link)?.stage else { return None };
        let session = &self.sessions[key];
        Some(Client { broker: self, session, connection: session.connection.as_ref()? })
    }
}

impl<'a> Client<'a> {
    /// The connection.
    pub fn link(&self) -> LinkId {
        self.connection.link
    }

    /// The client identifier, its own or the one that it was given.
    pub fn id(&self) -> &'a ClientId {
        &self.session.client_id
    }

    /// How it speaks.
    pub fn version(&self) -> Version {
        self.connection.version
    }

    /// When CONNECT was accepted.
    pub fn since(&self) -> Timestamp {
        self.connection.since
    }

    /// The user as whom it signed in.
    pub fn user(&self) -> Option<&'a Text> {
        self.session.user.as_deref()
    }

    /// Whether a message of its to this topic would be permitted.
    pub fn may_publish(&self, topic: &TopicName) -> bool {
        self.session.may_write(topic.borrowed())
    }

    /// How many subscriptions its session has.
    pub fn subscriptions(&self) -> usize {
        self.session.subscriptions.len() + self.session.shares.len()
    }

    /// Their filters, in no order that means anything. Each is put together when it is asked for.
    pub fn filters(&self) -> impl Iterator<Item = Subscribable> + use<'a> {
        let subscriptions = &self.broker.subscriptions;
        let own =
            self.session.subscriptions.iter().map(|node| Subscribable::own(subscriptions.filter(*node)));
        own.chain(self.session.shares.keys().map(|name| Subscribable::clone(name)))
    }

    /// The name of a topic as this client writes it; `None` if an alias of its stands for nothing.
    pub fn topic(&self, topic: &PublishTopic) -> Option<TopicName> {
        match topic {
            PublishTopic::Name(name) | PublishTopic::NameAndAlias(name, _) => Some(name.clone()),
            PublishTopic::Alias(alias) => self.connection.aliases.as_ref()?.name(*alias).cloned(),
        }
    }
}
