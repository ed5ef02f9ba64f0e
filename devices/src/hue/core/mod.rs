//! The translation between MQTT and one hub: what is sent when, to whom, and what is believed of whom.
//!
//! A pure state machine: messages, reports, answers and time come in, [`Effect`]s come out. It opens no sockets, writes no
//! JSON, and names no topics.

mod lamp;
mod pace;
#[cfg(test)]
mod tests;
mod topic;

pub(super) use lamp::Shown;

use super::{
    level::{Level, Power},
    limits::ATTEMPTS_MAX,
    protocol::fault::Fault,
    resource::{Change, Kind, Report, Resource},
};
use lamp::Lamp;
use luxwire_shared::{
    model::{Intensity, LightId},
    time::Instant,
};
use pace::Pace;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use topic::Heard;

/// One hub's lights.
#[derive(Debug, Default)]
pub(super) struct Translator {
    lamps: BTreeMap<LightId, Lamp>,
    ids: HashMap<String, LightId>,
    pace: Pace,
    hub_is_there: bool,
    broker_is_there: bool,
    /// What was last said of each light, so that nothing is said twice.
    said: HashMap<LightId, Said>,
    effects: VecDeque<Effect>,
}

#[derive(Debug, Default)]
struct Said {
    available: Option<bool>,
    shown: Option<Shown>,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Effect {
    /// Follow the light's topics.
    Follow(LightId),
    /// Publish what the light is.
    Announce(LightId),
    /// Publish whether it can be reached.
    Availability(LightId, bool),
    /// Publish its intensity.
    Intensity(LightId, Intensity),
    /// Publish its state for Home Assistant.
    State(LightId, Shown),
    /// Clear all its topics, and follow them no more.
    Withdraw(LightId),
    /// Tell the hub, and say [`Translator::answered`].
    Command { id: LightId, key: String, kind: Kind, change: Change },
    /// Read everything from the hub again.
    Reread,
    /// Tell people: a wish was given up.
    GaveUp(LightId, Fault),
}

impl Translator {
    /// What is to be done next.
    pub(super) fn poll(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When [`Translator::tick`] has something to do next.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let waiting = self.lamps.values().filter(|lamp| self.may_send(lamp));
        let sends = waiting.filter_map(|lamp| self.pace.free_at(lamp.resource.kind));
        sends.chain(self.lamps.values().filter_map(Lamp::deadline)).min()
    }

    /// Time passes.
    pub(super) fn tick(&mut self, now: Instant) {
        for (id, lamp) in &mut self.lamps {
            let listened = lamp.topic.tick(now);
            if lamp.tick(now) || listened {
                say(id, lamp, &mut self.said, self.broker_is_there, now, &mut self.effects);
            }
        }
        self.dispatch(now);
    }

    /// Every light of the hub, as it answered to what it was asked at `asked_at`. `remembered` is what the topic of a
    /// light said when an earlier run ended.
    pub(super) fn snapshot(
        &mut self,
        resources: Vec<(LightId, Resource)>,
        asked_at: Instant,
        remembered: impl Fn(&LightId) -> Option<Intensity>,
        now: Instant,
    ) {
        let present: HashSet<&LightId> = resources.iter().map(|(id, _)| id).collect();
        let gone: Vec<_> = self.lamps.keys().filter(|id| !present.contains(id)).cloned().collect();
        gone.iter().for_each(|id| self.remove(id));
        for (id, resource) in resources {
            self.ids.insert(resource.key.clone(), id.clone());
            if let Some(lamp) = self.lamps.get_mut(&id) {
                let announced = (lamp.resource.name.clone(), lamp.resource.abilities);
                lamp.update(resource, asked_at);
                if announced != (lamp.resource.name.clone(), lamp.resource.abilities) && self.broker_is_there
                {
                    self.effects.push_back(Effect::Announce(id.clone()));
                }
                say(&id, lamp, &mut self.said, self.broker_is_there, now, &mut self.effects);
                self.say_availability(&id);
            } else {
                let lamp = Lamp::new(resource, remembered(&id));
                self.lamps.insert(id.clone(), lamp);
                self.effects.push_back(Effect::Follow(id.clone()));
                self.introduce(&id, now);
            }
        }
        self.dispatch(now);
    }

    /// The hub says that something changed.
    pub(super) fn report(&mut self, key: &str, report: Report, now: Instant) {
        let Some(id) = self.ids.get(key).cloned() else { return };
        let Some(lamp) = self.lamps.get_mut(&id) else { return };
        lamp.hear(report, None);
        say(&id, lamp, &mut self.said, self.broker_is_there, now, &mut self.effects);
        self.say_availability(&id);
    }

    /// The hub can be spoken to, or not.
    pub(super) fn hub(&mut self, is_there: bool, now: Instant) {
        if is_there && !self.hub_is_there {
            self.pace.begin();
        }
        self.hub_is_there = is_there;
        let ids: Vec<_> = self.lamps.keys().cloned().collect();
        ids.iter().for_each(|id| self.say_availability(id));
        self.dispatch(now);
    }

    /// The broker accepted the connection: it may know nothing of us.
    pub(super) fn broker_found(&mut self, now: Instant) {
        self.broker_is_there = true;
        self.said.clear();
        let ids: Vec<_> = self.lamps.keys().cloned().collect();
        ids.iter().for_each(|id| self.introduce(id, now));
    }

    /// The connection to the broker is lost.
    pub(super) fn broker_lost(&mut self) {
        self.broker_is_there = false;
        self.lamps.values_mut().for_each(|lamp| lamp.topic.lost());
    }

    /// The light's topics are followed.
    pub(super) fn followed(&mut self, id: &LightId, now: Instant) {
        if let Some(lamp) = self.lamps.get_mut(id) {
            lamp.topic.followed(now);
        }
    }

    /// Home Assistant begins anew, and wants to be told everything.
    pub(super) fn introduce_all(&mut self, now: Instant) {
        if self.broker_is_there {
            self.broker_found(now);
        }
    }

    /// A message came on a light's intensity topic; `None` if it cleared it.
    pub(super) fn intensity(&mut self, id: &LightId, value: Option<Intensity>, kept: bool, now: Instant) {
        let Some(lamp) = self.lamps.get_mut(id) else { return };
        let before = lamp.topic.value;
        let heard = lamp.topic.hear(value, kept, now);
        if let Heard::Wish(wanted) = heard {
            let is_so = before == Some(wanted) && lamp.is_settled();
            if !is_so || lamp.power() != Some(Power::from(wanted)) {
                let on = !wanted.is_off();
                let intensity = Some(wanted).filter(|_| on);
                lamp.want(Change { on: Some(on), intensity, ..Change::default() }, now);
            }
        } else if let Some(power) = lamp.power() {
            // What was left there may have been rounded by the hub.
            lamp.topic.adopt(power);
        }
        if lamp.is_settled() {
            say(id, lamp, &mut self.said, self.broker_is_there, now, &mut self.effects);
        }
        self.dispatch(now);
    }

    /// Home Assistant commands. What that means for the intensity is published, too.
    pub(super) fn command(&mut self, id: &LightId, mut change: Change, level: Option<Level>, now: Instant) {
        let Some(lamp) = self.lamps.get_mut(id) else { return };
        let abilities = lamp.resource.abilities;
        change.intensity = level.filter(|_| abilities.dims && change.on != Some(false)).map(Level::intensity);
        let becomes = match (change.on, change.intensity) {
            (Some(false), _) => Some(Power::Off),
            (_, Some(intensity)) => Some(Power::from(intensity)),
            (Some(true), None) if !abilities.dims => Some(Power::On(Level::FULL)),
            (Some(true), None) => lamp.resource.report.level.map(Power::On),
            (None, None) => None,
        };
        if let Some(power) = becomes
            && lamp.topic.stands_for != Some(power)
            && self.broker_is_there
        {
            let value = power.intensity();
            lamp.topic.says(value, power, now);
            self.effects.push_back(Effect::Intensity(id.clone(), value));
        }
        lamp.want(change, now);
        self.dispatch(now);
    }

    /// The hub answered a command.
    pub(super) fn answered(&mut self, id: &LightId, answer: Result<(), Fault>, now: Instant) {
        self.pace.answered();
        if let Some(lamp) = self.lamps.get_mut(id) {
            match answer {
                Ok(()) => {
                    self.pace.eased();
                    lamp.accepted(now);
                }
                Err(fault) => {
                    failed(id, lamp, fault, &mut self.pace, now, &mut self.effects);
                }
            }
            if lamp.wish.is_none() {
                say(id, lamp, &mut self.said, self.broker_is_there, now, &mut self.effects);
            }
        }
        self.dispatch(now);
    }

    /// The lights there are, with what the hub says of them.
    pub(super) fn resources(&self) -> impl Iterator<Item = (&LightId, &Resource)> {
        self.lamps.iter().map(|(id, lamp)| (id, &lamp.resource))
    }

    /// One light.
    pub(super) fn resource(&self, id: &LightId) -> Option<&Resource> {
        self.lamps.get(id).map(|lamp| &lamp.resource)
    }

    /// What each light's topic says, to be remembered for the next run.
    pub(super) fn topics(&self) -> impl Iterator<Item = (&LightId, Option<Intensity>)> {
        self.lamps.iter().map(|(id, lamp)| (id, lamp.topic.value))
    }

    /// The hub is not served any more: everything that was offered goes.
    pub(super) fn remove_all(&mut self) {
        let ids: Vec<_> = self.lamps.keys().cloned().collect();
        ids.iter().for_each(|id| self.remove(id));
    }

    fn remove(&mut self, id: &LightId) {
        if let Some(lamp) = self.lamps.remove(id) {
            self.ids.remove(&lamp.resource.key);
            self.said.remove(id);
            self.effects.push_back(Effect::Withdraw(id.clone()));
        }
    }

    /// Says all that is known of a light.
    fn introduce(&mut self, id: &LightId, now: Instant) {
        if !self.broker_is_there {
            return;
        }
        self.effects.push_back(Effect::Announce(id.clone()));
        self.say_availability(id);
        if let Some(lamp) = self.lamps.get_mut(id) {
            say(id, lamp, &mut self.said, self.broker_is_there, now, &mut self.effects);
        }
    }

    fn say_availability(&mut self, id: &LightId) {
        let Some(lamp) = self.lamps.get(id).filter(|_| self.broker_is_there) else { return };
        let available = self.hub_is_there && lamp.is_reachable();
        let said = &mut self.said.entry(id.clone()).or_default().available;
        if *said != Some(available) {
            *said = Some(available);
            self.effects.push_back(Effect::Availability(id.clone(), available));
        }
    }

    fn may_send(&self, lamp: &Lamp) -> bool {
        self.hub_is_there && lamp.wish.is_some() && lamp.flying.is_none()
    }

    /// Sends what may be sent, those first who wait longest.
    fn dispatch(&mut self, now: Instant) {
        loop {
            let free = |kind: Kind| self.pace.free_at(kind).is_some_and(|at| at <= now);
            let next = self
                .lamps
                .iter()
                .filter(|(_, lamp)| self.may_send(lamp) && free(lamp.resource.kind))
                .min_by_key(|(_, lamp)| lamp.wish.as_ref().map(|wish| wish.since))
                .map(|(id, _)| id.clone());
            let Some(id) = next else { return };
            let Some(lamp) = self.lamps.get_mut(&id) else { return };
            if let Some(change) = lamp.send(now) {
                let (key, kind) = (lamp.resource.key.clone(), lamp.resource.kind);
                self.pace.sent(kind, now);
                say(&id, lamp, &mut self.said, self.broker_is_there, now, &mut self.effects);
                self.effects.push_back(Effect::Command { id, key, kind, change });
            }
        }
    }
}

/// Publishes what is new: the state as it becomes, the intensity once it is settled.
fn say(
    id: &LightId,
    lamp: &mut Lamp,
    said: &mut HashMap<LightId, Said>,
    broker_is_there: bool,
    now: Instant,
    effects: &mut VecDeque<Effect>,
) {
    if !broker_is_there {
        return;
    }
    if let Some(shown) = lamp.shown() {
        let said = &mut said.entry(id.clone()).or_default().shown;
        if said.as_ref() != Some(&shown) {
            *said = Some(shown.clone());
            effects.push_back(Effect::State(id.clone(), shown));
        }
    }
    let Some(power) = lamp.power().filter(|_| lamp.is_settled() && lamp.topic.is_known()) else { return };
    if lamp.topic.stands_for != Some(power) {
        let value = power.intensity();
        lamp.topic.says(value, power, now);
        effects.push_back(Effect::Intensity(id.clone(), value));
    }
}

/// The hub did not do it: once more, later, or never.
fn failed(
    id: &LightId,
    lamp: &mut Lamp,
    fault: Fault,
    pace: &mut Pace,
    now: Instant,
    effects: &mut VecDeque<Effect>,
) {
    let Some(mut wish) = lamp.landed(now) else { return };
    match &fault {
        Fault::DeviceOff => {
            // Our news were late. Whoever set a level wants light; a colour alone may wait until there is some.
            lamp.resource.report.on = Some(false);
            wish.attempts += 1;
            if wish.change.on == Some(true) && wish.attempts < ATTEMPTS_MAX {
                lamp.retry(wish);
                return;
            }
        }
        Fault::Busy(pause) => {
            pace.refused(*pause, now);
            lamp.retry(wish);
            return;
        }
        // The hub's absence and its mistrust are noticed elsewhere, and may pass.
        Fault::Absent(_) | Fault::NotAuthorized | Fault::Impostor(_) | Fault::ButtonNotPressed => {
            pace.refused(None, now);
            lamp.retry(wish);
            return;
        }
        Fault::Broken(_) => {
            pace.refused(None, now);
            wish.attempts += 1;
            if wish.attempts < ATTEMPTS_MAX {
                lamp.retry(wish);
                return;
            }
        }
        Fault::Gone => effects.push_back(Effect::Reread),
        Fault::Refused(_) => {}
    }
    effects.push_back(Effect::GaveUp(id.clone(), fault));
}
