//! What the application follows, so that it is asked for again when a server does not know it any more.
//!
//! Requests are kept in the order in which they were made and sent in that order, so that a filter which is given up and
//! taken again ends as the application last said.

use crate::{
    client::{Event, Extras, Token, outbox::Outbox, wire::Wire},
    mqtt::{
        ConnackProperties, Packet, PacketId, ReasonCode, Subscribable, Subscribe, SubscribeFilter,
        SubscriptionId, Unsubscribe, UserProperties,
    },
    time::Instant,
};
use alloc::{collections::VecDeque, vec, vec::Vec};

#[derive(Debug)]
pub(super) struct Subscriptions {
    requests: Vec<Request>,
    server: Abilities,
    said: Said,
}

/// What each request says besides its filters.
#[derive(Debug)]
struct Said {
    subscription_id: Option<SubscriptionId>,
    subscribe: UserProperties,
    unsubscribe: UserProperties,
}

#[derive(Debug)]
struct Request {
    token: Token,
    wishes: Wishes,
    stage: Stage,
}

#[derive(Debug)]
enum Wishes {
    /// Kept after the answer, for the next server.
    Follow(Vec<Wish>),
    /// Done with the answer.
    Leave(Vec<Subscribable>),
}

#[derive(Debug)]
struct Wish {
    filter: SubscribeFilter,
    /// A later request replaced it or gave it up.
    outdated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Wanted,
    Asked(PacketId),
    Answered,
}

/// Which kinds of filters the server has; asking for others would end the connection.
#[derive(Clone, Copy, Debug)]
struct Abilities {
    wildcards: bool,
    shares: bool,
    ids: bool,
}

impl Default for Abilities {
    fn default() -> Self {
        Self { wildcards: true, shares: true, ids: true }
    }
}

impl Subscriptions {
    pub(super) fn new(extras: &Extras) -> Self {
        let said = Said {
            subscription_id: extras.subscription_id,
            subscribe: extras.subscribe.clone(),
            unsubscribe: extras.unsubscribe.clone(),
        };
        Self { requests: Vec::new(), server: Abilities::default(), said }
    }

    /// The application follows these; an earlier wish for the same filter is outdated.
    pub(super) fn follow(&mut self, token: Token, filters: Vec<SubscribeFilter>) {
        for filter in &filters {
            self.outdate(&filter.filter);
        }
        let wishes = filters.into_iter().map(|filter| Wish { filter, outdated: false }).collect();
        self.requests.push(Request { token, wishes: Wishes::Follow(wishes), stage: Stage::Wanted });
    }

    /// The application follows these no more.
    pub(super) fn leave(&mut self, token: Token, filters: Vec<Subscribable>) {
        for filter in &filters {
            self.outdate(filter);
        }
        self.requests.push(Request { token, wishes: Wishes::Leave(filters), stage: Stage::Wanted });
    }

    /// A server accepted the connection, and says what it has.
    pub(super) fn connected(&mut self, properties: &ConnackProperties) {
        self.server = Abilities {
            wildcards: properties.wildcard_subscription_available.unwrap_or(true),
            shares: properties.shared_subscription_available.unwrap_or(true),
            ids: properties.subscription_ids_available.unwrap_or(true),
        };
    }

    /// The server knows nothing of what was asked for.
    pub(super) fn lose_session(&mut self) {
        for request in &mut self.requests {
            request.stage = Stage::Wanted;
        }
    }

    /// What was not answered is asked for again, with other identifiers: it is no part of a session.
    pub(super) fn disconnected(&mut self, outbox: &mut Outbox) {
        for request in &mut self.requests {
            if let Stage::Asked(id) = request.stage {
                outbox.give_back(id);
                request.stage = Stage::Wanted;
            }
        }
    }

    /// Asks for what was not asked for yet.
    pub(super) fn flush(
        &mut self,
        wire: &mut Wire,
        outbox: &mut Outbox,
        events: &mut VecDeque<Event>,
        now: Instant,
    ) {
        for request in self.requests.iter_mut().filter(|request| request.stage == Stage::Wanted) {
            let asked = request.asked(self.server);
            if asked == 0 {
                request.answer(self.server, &[], events);
                continue;
            }
            let Some(id) = outbox.take_id() else { break };
            if wire.write(&request.packet(id, self.server, &self.said), now).is_ok() {
                request.stage = Stage::Asked(id);
            } else {
                outbox.give_back(id);
                request.answer(self.server, &vec![ReasonCode::PacketTooLarge; asked], events);
            }
        }
        self.forget_outdated();
    }

    /// SUBACK or UNSUBACK. Says whether it can be the answer to what was asked under this identifier.
    pub(super) fn answered(
        &mut self,
        id: PacketId,
        kind: Kind,
        reasons: &[ReasonCode],
        outbox: &mut Outbox,
        events: &mut VecDeque<Event>,
    ) -> bool {
        let server = self.server;
        let asked =
            |request: &&mut Request| request.stage == Stage::Asked(id) && request.wishes.kind() == kind;
        let Some(request) = self.requests.iter_mut().find(asked) else { return true };
        // Before 5.0 UNSUBACK brings no reasons: it means that all went well.
        let silent_success = kind == Kind::Leave && reasons.is_empty();
        let success = vec![ReasonCode::Success; if silent_success { request.asked(server) } else { 0 }];
        let reasons = if silent_success { &success } else { reasons };
        if reasons.len() != request.asked(server) {
            return false;
        }
        outbox.give_back(id);
        request.answer(server, reasons, events);
        self.forget_outdated();
        true
    }

    fn outdate(&mut self, filter: &Subscribable) {
        for request in &mut self.requests {
            if let Wishes::Follow(wishes) = &mut request.wishes {
                for wish in wishes.iter_mut().filter(|wish| wish.filter.filter == *filter) {
                    wish.outdated = true;
                }
            }
        }
        self.forget_outdated();
    }

    /// What was never answered is still owed an answer, and stays until it came.
    fn forget_outdated(&mut self) {
        self.requests.retain_mut(|request| match (&mut request.wishes, request.stage) {
            (_, Stage::Wanted | Stage::Asked(_)) => true,
            (Wishes::Leave(_), Stage::Answered) => false,
            (Wishes::Follow(wishes), Stage::Answered) => {
                wishes.retain(|wish| !wish.outdated);
                !wishes.is_empty()
            }
        });
    }
}

/// Which of the two requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// SUBSCRIBE.
    Follow,
    /// UNSUBSCRIBE.
    Leave,
}

impl Wishes {
    fn kind(&self) -> Kind {
        match self {
            Self::Follow(_) => Kind::Follow,
            Self::Leave(_) => Kind::Leave,
        }
    }
}

impl Request {
    /// How many filters go to the server.
    fn asked(&self, server: Abilities) -> usize {
        match &self.wishes {
            Wishes::Follow(wishes) => {
                wishes.iter().filter(|wish| server.lacks(&wish.filter).is_none()).count()
            }
            Wishes::Leave(filters) => filters.len(),
        }
    }

    fn packet(&self, id: PacketId, server: Abilities, said: &Said) -> Packet {
        match &self.wishes {
            Wishes::Follow(wishes) => {
                let filters = wishes.iter().map(|wish| wish.filter.clone());
                let filters = filters.filter(|filter| server.lacks(filter).is_none()).collect();
                Packet::Subscribe(Subscribe {
                    id,
                    subscription_id: said.subscription_id.filter(|_| server.ids),
                    user_properties: said.subscribe.clone(),
                    filters,
                })
            }
            Wishes::Leave(filters) => {
                let user_properties = said.unsubscribe.clone();
                Packet::Unsubscribe(Unsubscribe { id, user_properties, filters: filters.clone() })
            }
        }
    }

    /// Tells the application, with the server's reasons and ours where the server was not asked.
    fn answer(&mut self, server: Abilities, reasons: &[ReasonCode], events: &mut VecDeque<Event>) {
        self.stage = Stage::Answered;
        let token = self.token;
        let mut reasons = reasons.iter().copied();
        events.push_back(match &self.wishes {
            Wishes::Follow(wishes) => {
                let answer = |wish: &Wish| {
                    let reason = server.lacks(&wish.filter).or_else(|| reasons.next());
                    (wish.filter.filter.clone(), reason.unwrap_or(ReasonCode::Unspecified))
                };
                Event::Subscribed { token, answers: wishes.iter().map(answer).collect() }
            }
            Wishes::Leave(filters) => {
                Event::Unsubscribed { token, answers: filters.iter().cloned().zip(reasons).collect() }
            }
        });
    }
}

impl Abilities {
    /// Why the server must not be asked for this; `None` if it may. [MQTT-3.8.3-4]
    fn lacks(self, filter: &SubscribeFilter) -> Option<ReasonCode> {
        let Subscribable { share, filter: topics } = &filter.filter;
        if share.is_some() && !self.shares {
            return Some(ReasonCode::SharedSubscriptionsNotSupported);
        }
        if share.is_some() && filter.no_local {
            return Some(ReasonCode::ProtocolError);
        }
        (topics.has_wildcard() && !self.wildcards).then_some(ReasonCode::WildcardSubscriptionsNotSupported)
    }
}
