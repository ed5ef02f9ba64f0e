//! All lights, as a page sees and sets them: messages and a person's hand go in, what to show and what to publish comes
//! out.
//!
//! It knows no client and no page. Whoever owns both drives it like this:
//!
//! - `Connected` → [`Home::connected`]; the subscriptions are granted → [`Home::subscribed`]; `Lost` → [`Home::disconnected`].
//! - a message → [`Home::message`].
//! - after every call, [`Home::poll_outgoing`] until it is empty; each is published *retained*. One with a ticket is
//!   answered once: [`Home::acknowledged`] with the reason of its acknowledgement, or of the client's refusal to send it;
//!   [`Home::unsent`] when the client reports that its session ended first.
//! - [`Home::next_deadline`] says when to call [`Home::tick`].
//!
//! While the connection is away, the last wish for each light is kept and goes out once it is back; what the hand passed
//! over is not. Use a client with a clean start and no session: values that the broker keeps say all there is to know,
//! and a resumed session would first repeat a wish that is outdated.

mod hand;

use crate::{
    model::{
        Intensity, LightId, LightTopic, LightView, Notice, Ticket, Wish,
        control::Differs,
        light::{Light, sort_by_name},
        outbox::Outbox,
        topics::{self, NotALight},
    },
    mqtt::{QoS, ReasonCode, TopicName},
    time::{Instant, Timestamp},
};
use alloc::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    string::String,
    vec::Vec,
};
use bytes::Bytes;
use core::time::Duration;

pub use hand::AddError;

/// A page with more cards than this helps nobody, and a broker may claim any number.
pub const LIGHTS_MAX: usize = 2_000;

/// After the subscriptions are granted, this long a silence means that every kept value has come.
const QUIET: Duration = Duration::from_secs(2);

/// Notices that nobody fetched; the oldest go first.
const NOTICES_MAX: usize = 32;

/// The lights.
#[derive(Clone, Debug, Default)]
pub struct Home {
    lights: BTreeMap<LightId, Light>,
    online: bool,
    /// What hands passed over just now; at most the newest of each light.
    passing: BTreeMap<LightId, Intensity>,
    outbox: Outbox,
    notices: VecDeque<Notice>,
    /// Lights whose topic said something that is no level, and nothing valid since.
    complained: BTreeSet<LightId>,
    too_many: bool,
    /// When every kept value has come: a light that no message spoke of does not exist.
    complete_at: Option<Instant>,
}

/// Something to publish, retained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// What to answer for; `None` at QoS 0.
    pub ticket: Option<Ticket>,
    /// Where.
    pub topic: TopicName,
    /// What; empty to clear the topic.
    pub payload: Bytes,
    /// At which quality.
    pub qos: QoS,
}

/// What is shown.
impl Home {
    /// No lights yet, and no connection.
    pub fn new() -> Self {
        Self::default()
    }

    /// The lights in the order in which they are shown.
    pub fn lights(&self) -> Vec<LightView> {
        let mut lights: Vec<LightView> =
            self.lights.iter().filter_map(|(id, light)| light.view(id)).collect();
        sort_by_name(&mut lights);
        lights
    }

    /// One light.
    pub fn light(&self, id: &LightId) -> Option<LightView> {
        self.lights.get(id)?.view(id)
    }

    /// The level that switching this light on goes back to: worth keeping for the page's next run.
    pub fn last_on(&self, id: &LightId) -> Option<Intensity> {
        self.lights.get(id)?.control.last_on()
    }

    /// The next thing to tell the person.
    pub fn poll_notice(&mut self) -> Option<Notice> {
        self.notices.pop_front()
    }
}

/// What comes in.
impl Home {
    /// The client is online, with the session of the connection before or with another.
    pub fn connected(&mut self, session_present: bool, now: Instant) {
        self.give_up_what_is_old(now);
        self.online = true;
        let ids: Vec<LightId> = self.lights.keys().cloned().collect();
        for id in ids {
            if let Some(light) = self.lights.get_mut(&id) {
                if !session_present {
                    light.doubt();
                }
                let wish = light.control.connected(now);
                self.send(&id, wish, now);
            }
        }
    }

    /// The subscriptions to [`topics::every_light`] are granted. What is not said again soon does not exist any more.
    pub fn subscribed(&mut self, now: Instant) {
        self.complete_at = Some(now + QUIET);
    }

    /// The client is not online any more.
    pub fn disconnected(&mut self) {
        self.online = false;
        self.complete_at = None;
        for light in self.lights.values_mut() {
            light.control.disconnected();
        }
    }

    /// A message came. `set_at` is when its value was set, `None` if the broker had kept it and nobody says since when. Topics of
    /// others are ignored.
    pub fn message(&mut self, topic: &str, payload: &[u8], set_at: Option<Timestamp>, now: Instant) {
        self.complete_at = self.complete_at.map(|_| now + QUIET);
        match LightTopic::parse(topic) {
            Ok(LightTopic::Intensity(id)) if payload.is_empty() => self.cleared(&id),
            Ok(LightTopic::Intensity(id)) => match Intensity::try_from(payload) {
                Ok(value) => self.level(&id, value, set_at, now),
                Err(error) => {
                    if self.complained.len() < LIGHTS_MAX && self.complained.insert(id.clone()) {
                        let payload = excerpt(payload);
                        self.tell(Notice::Ignored { light: id, payload, error });
                    }
                }
            },
            Ok(LightTopic::Availability(id)) => self.availability(&id, payload, set_at),
            Err(NotALight::OtherTopic | NotALight::Id(_)) => {}
        }
    }

    /// The broker answered, or the client refused to send.
    pub fn acknowledged(&mut self, ticket: Ticket, reason: ReasonCode, now: Instant) {
        let Some(topic) = self.outbox.settled(ticket) else { return };
        match topic {
            LightTopic::Intensity(id) if reason.is_failure() => {
                self.give_up(&id);
                self.tell(Notice::Refused { light: id, reason });
            }
            LightTopic::Intensity(id) => {
                if let Some(light) = self.lights.get_mut(&id) {
                    light.control.acknowledged(now);
                }
            }
            LightTopic::Availability(_) => {}
        }
    }

    /// The session ended before the broker answered: the wish goes out again unless a newer one took its place.
    pub fn unsent(&mut self, ticket: Ticket, now: Instant) {
        self.outbox.unsent(ticket);
        self.give_up_what_is_old(now);
    }
}

/// What goes out, and when.
impl Home {
    /// The next thing to publish; nothing while the connection is away.
    pub fn poll_outgoing(&mut self) -> Option<Outgoing> {
        if !self.online {
            return None;
        }
        if let Some((id, value)) = self.passing.pop_first() {
            let topic = LightTopic::Intensity(id).name();
            return Some(Outgoing { ticket: None, topic, payload: value.to_payload(), qos: QoS::AtMostOnce });
        }
        let (ticket, topic, payload) = self.outbox.take()?;
        Some(Outgoing { ticket: Some(ticket), topic: topic.name(), payload, qos: QoS::AtLeastOnce })
    }

    /// Time passes.
    pub fn tick(&mut self, now: Instant) {
        let due = |light: &Light| light.control.next_deadline().is_some_and(|at| at <= now);
        let ids = self.lights.iter().filter(|(_, light)| due(light)).map(|(id, _)| id.clone());
        let ids: Vec<LightId> = ids.collect();
        for id in ids {
            let Some(light) = self.lights.get_mut(&id) else { continue };
            let (wish, differs) = light.control.tick(now);
            self.send(&id, wish, now);
            self.tell_differs(&id, differs);
        }
        if !self.online {
            self.give_up_what_is_old(now);
        }
        if self.complete_at.is_some_and(|at| at <= now) {
            self.complete_at = None;
            self.lights.retain(|_, light| light.forget_doubtful());
        }
    }

    /// When [`Home::tick`] has something to do next.
    pub fn next_deadline(&self) -> Option<Instant> {
        let controls = self.lights.values().filter_map(|light| light.control.next_deadline()).min();
        let outbox = self.outbox.next_deadline().filter(|_| !self.online);
        [controls, outbox, self.complete_at].into_iter().flatten().min()
    }
}

impl Home {
    fn shown(&mut self, id: &LightId) -> Option<&mut Light> {
        self.lights.get_mut(id).filter(|light| light.is_shown())
    }

    /// The light, made if there is none; `None` where there are too many.
    fn entry(&mut self, id: &LightId) -> Option<&mut Light> {
        if !self.lights.contains_key(id) && self.lights.len() >= LIGHTS_MAX {
            if !core::mem::replace(&mut self.too_many, true) {
                self.tell(Notice::TooManyLights { shown: LIGHTS_MAX });
            }
            return None;
        }
        let online = self.online;
        Some(self.lights.entry(id.clone()).or_insert_with(|| Light::new(online)))
    }

    fn send(&mut self, id: &LightId, wish: Option<Wish>, now: Instant) {
        match wish {
            None => {}
            Some(Wish::Passing(value)) => {
                self.passing.insert(id.clone(), value);
            }
            Some(Wish::Final(value)) => {
                self.passing.remove(id);
                self.outbox.put(LightTopic::Intensity(id.clone()), value.to_payload(), now);
            }
        }
    }

    fn level(&mut self, id: &LightId, value: Intensity, set_at: Option<Timestamp>, now: Instant) {
        self.complained.remove(id);
        let removal_on_its_way = self.outbox.payload(&LightTopic::Intensity(id.clone())).is_some();
        let Some(light) = self.entry(id) else { return };
        light.removing &= removal_on_its_way;
        light.level_arrives(value, set_at);
        let differs = light.control.message(value, now);
        self.tell_differs(id, differs);
    }

    /// The level's topic was cleared: the light is gone, unless a wish of ours is on its way and will bring it back.
    fn cleared(&mut self, id: &LightId) {
        self.complained.remove(id);
        let topic = LightTopic::Intensity(id.clone());
        let wish_on_its_way = self.outbox.payload(&topic).is_some_and(|payload| !payload.is_empty());
        if wish_on_its_way {
            if let Some(light) = self.lights.get_mut(id) {
                light.control.cleared();
            }
            return;
        }
        self.lights.remove(id);
        self.passing.remove(id);
        self.too_many = false;
    }

    fn availability(&mut self, id: &LightId, payload: &[u8], set_at: Option<Timestamp>) {
        let online = match payload {
            word if word == topics::ONLINE.as_bytes() => Some(true),
            word if word == topics::OFFLINE.as_bytes() => Some(false),
            _ => None,
        };
        let known = self.lights.contains_key(id);
        if !known && online.is_none() {
            return;
        }
        if let Some(light) = self.entry(id) {
            light.availability_arrives(online, set_at);
        }
    }

    fn give_up_what_is_old(&mut self, now: Instant) {
        for topic in self.outbox.expire(now) {
            if let LightTopic::Intensity(light) = topic {
                self.give_up(&light);
                self.tell(Notice::NotSent { light });
            }
        }
    }

    fn give_up(&mut self, id: &LightId) {
        if let Some(light) = self.lights.get_mut(id) {
            light.removing = false;
            light.control.given_up();
        }
    }

    fn tell_differs(&mut self, id: &LightId, differs: Option<Differs>) {
        if let Some(Differs { desired, reported }) = differs {
            self.tell(Notice::Differs { light: id.clone(), desired, reported });
        }
    }

    fn tell(&mut self, notice: Notice) {
        if self.notices.len() == NOTICES_MAX {
            self.notices.pop_front();
        }
        self.notices.push_back(notice);
    }
}

/// The first characters of a payload, for people.
fn excerpt(payload: &[u8]) -> String {
    const CHARS: usize = 24;
    let text = String::from_utf8_lossy(payload.get(..4 * CHARS).unwrap_or(payload));
    text.chars().take(CHARS).collect()
}
