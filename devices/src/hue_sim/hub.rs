//! The hub itself, without sockets and clocks: requests and time go in, answers and events come out.
//!
//! What the two interfaces say stands in `v1` and `v2`; here is what they have in common: keys, the queue of commands,
//! the events that follow from a change, and the faults.

use super::{
    events::{Container, Events},
    faults::{Faults, Streams},
    home::{Home, Target},
    journal::{Entry, Fate, Journal, body_of, path_without_key},
    keys::{Key, Keys},
    light::{Change, Light},
    pace::{Lane, Pace, Turns},
    v1, v2,
};
use luxwire_shared::time::{Instant, Timestamp};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, time::Duration};

/// A request to one of the hub's interfaces.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    /// The header `hue-application-key`.
    pub(crate) key: Option<&'a str>,
    pub(crate) body: &'a [u8],
    pub(crate) tls: bool,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Body,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Body {
    Json(Value),
    Html(&'static str),
}

impl Reply {
    pub(crate) fn json(status: u16, value: Value) -> Self {
        Self { status, body: Body::Json(value) }
    }
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Treatment {
    Answer(Reply, Duration),
    Hang,
}

/// What a hub is made of.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) home: Home,
    pub(crate) keys: Keys,
    pub(crate) events: Events,
    pub(crate) faults: Faults,
    pub(crate) journal: Journal,
    turns: Turns,
    /// Accepted commands by the time of their turn.
    waiting: BTreeMap<(Instant, u64), (Target, Change)>,
    accepted: u64,
    overrun: u64,
    /// The wall clock at [`Instant::START`].
    born: Timestamp,
    refuse_until: Option<Instant>,
    flood_next: Option<Instant>,
    flooded: u64,
    /// How often the streams of events were cut.
    cuts: u64,
    /// Changes whenever a page would look different.
    picture: u64,
    fate: Fate,
}

impl Hub {
    /// `seed` must be random.
    pub(crate) fn new(home: Home, pace: Pace, keys: Vec<Key>, seed: [u8; 32], born: Timestamp) -> Self {
        Self {
            home,
            keys: Keys::new(keys, seed),
            events: Events::default(),
            faults: Faults::default(),
            journal: Journal::default(),
            turns: Turns::new(pace),
            waiting: BTreeMap::new(),
            accepted: 0,
            overrun: 0,
            born,
            refuse_until: None,
            flood_next: None,
            flooded: 0,
            cuts: 0,
            picture: 0,
            fate: Fate::Answered,
        }
    }

    /// Answers a request of v1 or v2, and keeps it in the journal.
    pub(crate) fn answer(&mut self, now: Instant, request: &Request<'_>) -> Treatment {
        self.advance(now);
        self.fate = Fate::Answered;
        let treatment = if self.faults.hang {
            self.fate = Fate::Hung;
            Treatment::Hang
        } else {
            let reply = self.failed(request).unwrap_or_else(|| self.route(now, request));
            Treatment::Answer(reply, Duration::from_millis(self.faults.latency_ms))
        };
        self.journal.note(Entry {
            n: 0,
            at_ms: now.as_micros() / 1000,
            tls: request.tls,
            method: request.method.chars().take(16).collect(),
            path: path_without_key(request.path),
            body: body_of(request.body),
            status: match &treatment {
                Treatment::Answer(reply, _) => reply.status,
                Treatment::Hang => 0,
            },
            fate: self.fate,
        });
        self.picture += 1;
        treatment
    }

    fn route(&mut self, now: Instant, request: &Request<'_>) -> Reply {
        match request.path {
            path if path == "/api" || path.starts_with("/api/") => v1::answer(self, now, request),
            path if path.starts_with("/clip/v2/") => v2::answer(self, now, request),
            _ => Reply { status: 404, body: Body::Html("<html><title>404</title>Not Found</html>") },
        }
    }

    /// The answer of a request that shall fail.
    fn failed(&mut self, request: &Request<'_>) -> Option<Reply> {
        if self.faults.garbage {
            self.fate = Fate::Failed;
            let page = "<!DOCTYPE html><title>Welcome to our WiFi</title><p>Please sign in.";
            return Some(Reply { status: 200, body: Body::Html(page) });
        }
        let failure = self.faults.fail.as_mut().filter(|failure| failure.requests > 0)?;
        failure.requests -= 1;
        let (status, error, over) = (failure.status, failure.error, failure.requests == 0);
        if over {
            self.faults.fail = None;
        }
        self.fate = Fate::Failed;
        if request.path.starts_with("/clip/") {
            return Some(v2::error(status, "the hub fails on purpose"));
        }
        Some(match error {
            Some(kind) => v1::on_purpose(self.faults.error_type_as_text, kind, request.path),
            None => Reply {
                status,
                body: Body::Html("<html><title>Error</title>The hub fails on purpose</html>"),
            },
        })
    }

    /// Takes a command in: it is carried out at once, in its turn, or not at all.
    pub(crate) fn command(&mut self, now: Instant, target: Target, change: Change) -> Fate {
        if change.is_empty() {
            return Fate::Answered;
        }
        let lane = match target {
            Target::Light(_) => Lane::Lights,
            Target::Group(_) => Lane::Groups,
        };
        self.fate = match self.turns.take(now, lane, self.waiting.len()) {
            None => {
                self.overrun += 1;
                Fate::Overrun
            }
            Some(turn) => {
                self.accepted += 1;
                if let Some(on) = change.on {
                    for index in self.home.members(target).to_vec() {
                        if self.home.lights[index].reachable {
                            self.home.lights[index].will_be_on = on;
                        }
                    }
                }
                if turn <= now {
                    self.carry_out(now, target, &change);
                    Fate::Applied
                } else {
                    self.waiting.insert((turn, self.accepted), (target, change));
                    Fate::Buffered
                }
            }
        };
        self.fate
    }

    /// What somebody does in the room or with another app: at once, whatever the queue holds.
    pub(crate) fn by_hand(&mut self, now: Instant, index: usize, change: &Change) {
        self.advance(now);
        self.carry_out(now, Target::Light(index), change);
        let light = &mut self.home.lights[index];
        light.will_be_on = light.state.on;
    }

    fn carry_out(&mut self, now: Instant, target: Target, change: &Change) {
        self.alter(now, |home| home.apply(now, target, change));
    }

    /// Changes the house, and tells the listeners what is different.
    pub(crate) fn alter(&mut self, now: Instant, alteration: impl FnOnce(&mut Home)) {
        let look = |light: &Light| (light.state, light.reachable, light.name.clone());
        let lights: Vec<_> = self.home.lights.iter().map(look).collect();
        let groups: Vec<_> = (0..self.home.groups.len()).map(|group| self.home.together(group)).collect();
        alteration(&mut self.home);
        self.picture += 1;
        if self.faults.events == Streams::Silent {
            return;
        }
        for (index, (state, reachable, name)) in lights.into_iter().enumerate() {
            let light = &self.home.lights[index];
            let changed = v2::changed_features(light, &state);
            self.events.note(now, v2::light_header(&self.home, index), changed);
            if light.name != name {
                let named = map(json!({"metadata": {"name": light.name}}));
                self.events.note(now, v2::light_header(&self.home, index), named.clone());
                self.events.note(now, v2::device_header(&self.home, index), named);
            }
            if light.reachable != reachable {
                let status = map(json!({"status": v2::connectivity(light)}));
                self.events.note(now, v2::connectivity_header(&self.home, index), status);
            }
        }
        for (index, before) in groups.into_iter().enumerate() {
            let changed = v2::changed_together(&before, &self.home.together(index));
            self.events.note(now, v2::grouped_light_header(&self.home, index), changed);
        }
    }

    /// Carries out everything whose time has come, in its order.
    pub(crate) fn advance(&mut self, now: Instant) {
        while let Some(at) = self.next_deadline().filter(|at| *at <= now) {
            while let Some(turn) = self.waiting.first_entry().filter(|turn| turn.key().0 <= at) {
                let (target, change) = turn.remove();
                self.carry_out(at, target, &change);
            }
            self.events.advance(at, self.wall(at), &self.home.id);
            if self.flood_next.is_some_and(|next| next <= at) {
                self.flood(at, now);
            }
            if self.refuse_until.is_some_and(|until| until <= at) {
                self.refuse_until = None;
                self.faults.refuse_ms = 0;
                self.picture += 1;
            }
        }
    }

    /// When [`Hub::advance`] has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let turn = self.waiting.keys().next().map(|(turn, _)| *turn);
        [turn, self.events.due(), self.flood_next, self.refuse_until].into_iter().flatten().min()
    }

    fn flood(&mut self, at: Instant, now: Instant) {
        let index = self.flooded as usize % self.home.lights.len();
        self.flooded += 1;
        let mut light = v2::light_header(&self.home, index);
        light.extend(v2::features(&self.home.lights[index]));
        let sensor = map(json!({
            "id": self.home.id.uuid(&format!("flood/{}", self.flooded % 16)),
            "type": "motion",
            "motion": {"motion": self.flooded.is_multiple_of(2), "motion_valid": true},
        }));
        self.events.send(self.wall(at), &self.home.id, vec![light, sensor]);
        let pause = Duration::from_secs(1) / self.faults.flood_per_s.max(1);
        // Whoever was kept from its work for long does not make up for all of it.
        let late = now.since(at) > Duration::from_secs(1);
        self.flood_next = Some(if late { now } else { at } + pause);
    }

    /// Puts faults in the place of those that are.
    pub(crate) fn set_faults(&mut self, now: Instant, faults: Faults) -> Result<(), String> {
        faults.check()?;
        self.advance(now);
        if faults.refuse_ms != self.faults.refuse_ms {
            let span = Duration::from_millis(faults.refuse_ms);
            self.refuse_until = (!span.is_zero()).then(|| now + span);
        }
        if faults.flood_per_s != self.faults.flood_per_s {
            self.flood_next = (faults.flood_per_s > 0).then_some(now);
        }
        let unreachable = faults.unreachable.clone();
        self.faults = faults;
        match self.faults.events {
            Streams::Flowing | Streams::Silent => {}
            Streams::Refused => self.cuts += 1,
            Streams::Cut => {
                self.cuts += 1;
                self.faults.events = Streams::Flowing;
            }
        }
        self.alter(now, |home| {
            for (index, light) in home.lights.iter_mut().enumerate() {
                light.reachable = !unreachable.iter().any(|number| usize::from(*number) == index + 1);
            }
        });
        Ok(())
    }

    /// Opens a stream of events: gives what was missed since `last`, or says why not.
    pub(crate) fn listen(
        &mut self,
        now: Instant,
        request: &Request<'_>,
        last: Option<&str>,
    ) -> Result<Vec<Container>, Treatment> {
        self.advance(now);
        self.fate = Fate::Answered;
        let refused = if self.faults.hang {
            self.fate = Fate::Hung;
            Some(Treatment::Hang)
        } else if let Some(reply) = self.failed(request) {
            Some(Treatment::Answer(reply, Duration::from_millis(self.faults.latency_ms)))
        } else if !request.key.is_some_and(|key| self.keys.knows(key)) {
            Some(Treatment::Answer(v2::forbidden(), Duration::ZERO))
        } else if request.method != "GET" {
            Some(Treatment::Answer(v2::error(405, "method not allowed"), Duration::ZERO))
        } else if self.faults.events == Streams::Refused {
            self.fate = Fate::Failed;
            Some(Treatment::Answer(v2::error(503, "no more event streams"), Duration::ZERO))
        } else {
            None
        };
        self.journal.note(Entry {
            n: 0,
            at_ms: now.as_micros() / 1000,
            tls: request.tls,
            method: request.method.chars().take(16).collect(),
            path: path_without_key(request.path),
            body: Value::Null,
            status: match &refused {
                Some(Treatment::Answer(reply, _)) => reply.status,
                Some(Treatment::Hang) => 0,
                None => 200,
            },
            fate: self.fate,
        });
        match refused {
            Some(treatment) => Err(treatment),
            None => Ok(last.map_or_else(Vec::new, |last| self.events.after(last))),
        }
    }

    /// The wall clock at a moment.
    pub(crate) fn wall(&self, now: Instant) -> Timestamp {
        Timestamp::from_unix_millis(self.born.unix_millis().saturating_add(now.as_micros() / 1000))
    }

    /// Until when nobody listens, if it is so.
    pub(crate) fn refuse_until(&self) -> Option<Instant> {
        self.refuse_until
    }

    pub(crate) fn cuts(&self) -> u64 {
        self.cuts
    }

    /// A number that changes whenever a page would look different.
    pub(crate) fn picture_version(&self) -> u64 {
        self.picture
    }

    /// Presses the link button.
    pub(crate) fn press_button(&mut self, now: Instant) {
        self.keys.press(now);
        self.picture += 1;
    }

    /// Commands that were carried out or wait, that wait, and that were refused.
    pub(crate) fn counts(&self) -> (u64, usize, u64) {
        (self.accepted, self.waiting.len(), self.overrun)
    }

    /// How long the next light command would wait.
    pub(crate) fn backlog(&self, now: Instant) -> Duration {
        self.turns.backlog(now, Lane::Lights).max(self.turns.backlog(now, Lane::Groups))
    }
}

/// The object that a `json!({…})` is.
pub(crate) fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
