//! Who is connected, for those who list or draw it. Looking changes nothing.

use crate::{
    LinkId,
    broker::Broker,
    link::Stage,
    session::{Connection, Session},
};
use luxwire_shared::{
    mqtt::{Text, TopicFilter, Version},
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
    pub fn id(&self) -> &'a Text {
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

    /// How many subscriptions its session has.
    pub fn subscriptions(&self) -> usize {
        self.session.subscriptions.len()
    }

    /// Their filters, in no order that means anything. Each is put together when it is asked for.
    pub fn filters(&self) -> impl Iterator<Item = TopicFilter> + use<'a> {
        let subscriptions = &self.broker.subscriptions;
        self.session.subscriptions.iter().map(|node| subscriptions.filter(*node))
    }
}
