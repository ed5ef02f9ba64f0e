//! Ties hubs, the translation and the broker together: one loop that waits for whatever happens next.
//!
//! Nothing in it waits for a hub: questions to hubs are futures beside the connection to the broker, which is always
//! polled. Dropping the loop drops them all.

mod mqtt;
mod pair;
mod status;

use super::{
    Settings,
    api::{Api, Listener, News},
    clock::Clock,
    core::{Effect, Translator},
    home_assistant::{self, Topics},
    hub::{self, Told},
    limits::HUBS_MAX,
    names,
    protocol::fault::Fault,
    resource::{Change, Kind, Resource},
    service::{HubState, Status},
    store::{self, Store},
};
use crate::connection::{Connection, Narrator};
use anyhow::Result;
use futures_util::{
    StreamExt as _,
    future::{AbortHandle, LocalBoxFuture, abortable},
    stream::FuturesUnordered,
};
use luxwire_shared::{
    client::{Event, Token},
    model::{Intensity, LightId},
    time::Instant,
};
use pair::Pairings;
use std::{
    collections::{BTreeMap, HashMap},
    future::Future,
    rc::Rc,
    time::Duration,
};
use tokio::{
    select,
    sync::{Notify, mpsc},
    time::sleep,
};
use tracing::{info, warn};

/// Everything that runs.
pub(super) struct Bridge {
    settings: Settings,
    clock: Clock,
    connection: Connection,
    narrator: Narrator,
    service: String,
    store: Store,
    /// When the store has to be written.
    save_at: Option<Instant>,
    hubs: BTreeMap<String, Hub>,
    /// Which hub a light belongs to.
    owners: HashMap<LightId, String>,
    /// What was subscribed to, until the broker answers, and again after each connection.
    following: HashMap<Token, Vec<LightId>>,
    serving: FuturesUnordered<LocalBoxFuture<'static, ()>>,
    commands: FuturesUnordered<LocalBoxFuture<'static, Answered>>,
    pairings: Pairings,
    ear: mpsc::Sender<(String, Told)>,
    told: mpsc::Receiver<(String, Told)>,
    said: Option<Status>,
}

/// A paired hub.
struct Hub {
    translator: Translator,
    api: Option<Rc<Api>>,
    state: HubState,
    message: Option<String>,
    /// How often in a row it could not be reached.
    losses: u32,
    reread: Rc<Notify>,
    /// Ends its service.
    stop: AbortHandle,
}

/// A hub's answer to a command.
struct Answered {
    hub: String,
    id: LightId,
    answer: Result<(), Fault>,
}

/// What the loop waited for.
enum Happened {
    Mqtt(Event),
    Told(String, Told),
    Answered(Answered),
    Paired(pair::Outcome),
    Time,
    Stop,
}

/// How long changes are gathered before they are written to disk.
const SAVE_DELAY: Duration = Duration::from_secs(1);
/// A hub that was not reached so often may have another address: it is searched for then, and once more after so many
/// further attempts.
const SEARCH_AFTER: u32 = 3;
const SEARCH_EVERY: u32 = 8;
/// What hubs say waits here for one turn of the loop.
const EAR_LEN: usize = 64;

impl Bridge {
    pub(super) fn new(settings: Settings) -> Result<Self> {
        let store = Store::open(settings.state_dir.clone())?;
        let (connection, service) = mqtt::connect(&settings.broker)?;
        let (ear, told) = mpsc::channel(EAR_LEN);
        let mut bridge = Self {
            clock: Clock::start(),
            connection,
            narrator: Narrator::new(),
            service,
            store,
            save_at: None,
            hubs: BTreeMap::new(),
            owners: HashMap::new(),
            following: HashMap::new(),
            serving: FuturesUnordered::new(),
            commands: FuturesUnordered::new(),
            pairings: Pairings::default(),
            ear,
            told,
            said: None,
            settings,
        };
        bridge.follow_service();
        for hub in bridge.store.hubs.clone().into_iter().take(HUBS_MAX) {
            bridge.serve(hub);
        }
        bridge.pair_unasked();
        Ok(bridge)
    }

    /// Runs until `stop` completes.
    pub(super) async fn run(&mut self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            self.flush();
            let wait = self.next_deadline().map(|deadline| deadline.since(self.clock.now()));
            let wait = sleep(wait.unwrap_or(Duration::from_secs(3_600)));
            let happened = select! {
                event = self.connection.next() => Happened::Mqtt(event),
                Some((hub, told)) = self.told.recv() => Happened::Told(hub, told),
                Some(answered) = self.commands.next() => Happened::Answered(answered),
                outcome = self.pairings.next() => Happened::Paired(outcome),
                // They never end by themselves.
                Some(()) = self.serving.next() => Happened::Time,
                () = wait => Happened::Time,
                () = &mut stop => Happened::Stop,
            };
            match happened {
                Happened::Mqtt(event) => self.mqtt(event),
                Happened::Told(hub, told) => self.hear(&hub, told),
                Happened::Answered(answered) => self.answered(answered),
                Happened::Paired(outcome) => self.paired(outcome),
                Happened::Time => {}
                Happened::Stop => return,
            }
            let now = self.clock.now();
            self.hubs.values_mut().for_each(|hub| hub.translator.tick(now));
        }
    }

    /// Serves a hub from here on, in place of what was served under its identifier.
    fn serve(&mut self, hub: store::Hub) {
        let id = hub.id.clone();
        let reread = Rc::new(Notify::new());
        let listener = Listener {
            hub: id.clone(),
            ear: self.ear.clone(),
            reread: Rc::clone(&reread),
            clock: self.clock,
        };
        let (serving, stop) = abortable(hub::serve(hub, listener));
        self.serving.push(Box::pin(async {
            let _ = serving.await;
        }));
        let mut translator = match self.hubs.remove(&id) {
            Some(known) => {
                known.stop.abort();
                known.translator
            }
            None => {
                self.follow_commands(&id);
                Translator::default()
            }
        };
        let now = self.clock.now();
        translator.hub(false, now);
        if self.connection.is_online() {
            translator.broker_found(now);
        }
        let (state, message) = (HubState::Connecting, None);
        self.hubs.insert(id, Hub { translator, api: None, state, message, losses: 0, reread, stop });
    }

    /// A hub is not wanted any more: its lights go, and its key is forgotten.
    fn forget(&mut self, id: &str) {
        let Some(mut hub) = self.hubs.remove(id) else {
            warn!("there is no hub {id} to forget");
            return;
        };
        hub.stop.abort();
        hub.translator.remove_all();
        while let Some(effect) = hub.translator.poll() {
            if let Effect::Withdraw(light) = effect {
                self.withdraw(id, &light);
            }
        }
        self.store.hubs.retain(|stored| stored.id != id);
        self.save();
        info!("hub {id} is forgotten, and its lights are gone from the broker");
    }

    /// Something is said about a hub.
    fn hear(&mut self, id: &str, told: Told) {
        let now = self.clock.now();
        let Some(hub) = self.hubs.get_mut(id) else { return };
        match told {
            Told::There(api) => hub.api = Some(api),
            Told::Lost(fault) => {
                let message = fault.to_string();
                let state = match fault {
                    Fault::NotAuthorized | Fault::Impostor(_) => HubState::NotAuthorized,
                    _ => HubState::Unreachable,
                };
                if (hub.state, hub.message.as_ref()) != (state, Some(&message)) {
                    warn!("hub {id}: {message}; trying again");
                }
                hub.api = None;
                (hub.state, hub.message) = (state, Some(message));
                hub.losses += 1;
                hub.translator.hub(false, now);
                match fault {
                    Fault::NotAuthorized => self.pair_again(id),
                    Fault::Absent(_) | Fault::Impostor(_) if hub.losses % SEARCH_EVERY == SEARCH_AFTER => {
                        self.look_for(id);
                    }
                    _ => {}
                }
            }
            Told::News(News::Of(key, report)) => hub.translator.report(&key, report, now),
            Told::News(News::Everything { resources, asked_at }) => self.take_stock(id, resources, asked_at),
        }
    }

    /// The hub said what it has: every light gets its identifier.
    fn take_stock(&mut self, hub_id: &str, resources: Vec<Resource>, asked_at: Instant) {
        let Some(stored) = self.store.hub_mut(hub_id) else { return };
        let mut known = stored.clone();
        let mut named = Vec::new();
        for resource in resources {
            let before = known.light(&resource.key, resource.key_v1.as_deref());
            let before = before.and_then(|light| LightId::try_from(light.id.as_str()).ok());
            let id = before.unwrap_or_else(|| {
                names::assign(&resource.name, resource.kind, |id| {
                    self.owners.contains_key(id)
                        || known.lights.iter().any(|light| light.id == id.as_str())
                        || named.iter().any(|(other, _)| other == id)
                })
            });
            known.lights.retain(|light| light.id != id.as_str());
            known.lights.push(store::Light {
                id: id.to_string(),
                key: resource.key.clone(),
                key_v1: resource.key_v1.clone(),
                intensity: stored.intensity(&id).map(|intensity| intensity.to_string()),
            });
            self.owners.insert(id.clone(), hub_id.to_owned());
            named.push((id, resource));
        }
        let same = |one: &store::Light, other: &store::Light| one.id == other.id && one.key == other.key;
        let is_news = known.lights.len() != stored.lights.len()
            || !known.lights.iter().all(|light| stored.lights.iter().any(|other| same(light, other)));
        stored.lights = known.lights;
        if is_news {
            self.save_at.get_or_insert(self.clock.now() + SAVE_DELAY);
        }
        let (now, stored) = (self.clock.now(), stored.clone());
        let Some(hub) = self.hubs.get_mut(hub_id) else { return };
        hub.translator.snapshot(named, asked_at, |id| stored.intensity(id), now);
        // Only now is it certain that the hub takes our key.
        if hub.state != HubState::Connected {
            info!("hub {hub_id} is there");
            (hub.state, hub.message) = (HubState::Connected, None);
            hub.losses = 0;
            hub.translator.hub(true, now);
        }
    }

    fn answered(&mut self, Answered { hub, id, answer }: Answered) {
        let now = self.clock.now();
        let Some(hub) = self.hubs.get_mut(&hub) else { return };
        if let Err(Fault::Absent(_) | Fault::NotAuthorized | Fault::Impostor(_)) = answer {
            // Whether it is gone altogether is found out at once.
            hub.reread.notify_one();
        }
        hub.translator.answered(&id, answer, now);
    }

    /// Does what the translations want, writes what is due, and says what has changed about ourselves.
    fn flush(&mut self) {
        let ids: Vec<String> = self.hubs.keys().cloned().collect();
        for id in ids {
            while let Some(effect) = self.hubs.get_mut(&id).and_then(|hub| hub.translator.poll()) {
                self.perform(&id, effect);
            }
        }
        if self.save_at.is_some_and(|at| at <= self.clock.now()) {
            self.save();
        }
        self.say_status();
    }

    fn perform(&mut self, hub_id: &str, effect: Effect) {
        match effect {
            Effect::Follow(id) => self.follow(id),
            Effect::Announce(id) => self.announce(hub_id, &id),
            Effect::Availability(id, available) => self.say_availability(&id, available),
            Effect::Intensity(id, intensity) => {
                self.say_intensity(&id, intensity);
                self.save_at.get_or_insert(self.clock.now() + SAVE_DELAY);
            }
            Effect::State(id, shown) => {
                let topics = self.topics(hub_id, &id);
                self.retain(&topics.state, home_assistant::state(&shown).to_string());
            }
            Effect::Withdraw(id) => self.withdraw(hub_id, &id),
            Effect::Command { id, key, kind, change } => self.command(hub_id, id, key, kind, change),
            Effect::Reread => {
                if let Some(hub) = self.hubs.get(hub_id) {
                    hub.reread.notify_one();
                }
            }
            Effect::GaveUp(id, fault) => warn!("lights/{id}: {fault}"),
        }
    }

    fn command(&mut self, hub_id: &str, id: LightId, key: String, kind: Kind, change: Change) {
        let api = self.hubs.get(hub_id).and_then(|hub| hub.api.clone());
        let hub = hub_id.to_owned();
        self.commands.push(Box::pin(async move {
            let answer = match api {
                Some(api) => api.tell(&key, kind, &change).await,
                None => Err(Fault::Absent("it is not connected".to_owned())),
            };
            Answered { hub, id, answer }
        }));
    }

    fn next_deadline(&self) -> Option<Instant> {
        let hubs = self.hubs.values().filter_map(|hub| hub.translator.next_deadline());
        hubs.chain(self.save_at).chain(self.pairings.next_deadline(self.clock.now())).min()
    }

    /// Writes what is to be remembered, the topics' values included.
    fn save(&mut self) {
        self.save_at = None;
        for (id, hub) in &self.hubs {
            let Some(stored) = self.store.hub_mut(id) else { continue };
            for (light, value) in hub.translator.topics() {
                let known = stored.lights.iter_mut().find(|known| known.id == light.as_str());
                if let Some(known) = known {
                    known.intensity = value.as_ref().map(Intensity::to_string);
                }
            }
        }
        if let Err(error) = self.store.save() {
            warn!("{error:#}");
        }
    }

    fn topics(&self, hub: &str, id: &LightId) -> Topics {
        Topics::new(self.settings.discovery_prefix.as_deref().unwrap_or("homeassistant"), hub, id)
    }
}
