//! Searching and pairing, asked for over MQTT or because there is nothing to serve yet.

use super::Bridge;
use crate::hue::{
    ApiChoice,
    discovery::{Found, search},
    host::Host,
    limits::{HUBS_MAX, PAIRING_TIME},
    pairing::pair_with,
    protocol::fault::Fault,
    service::{HubState, Pairing, PairingState, Search, SearchState},
    store::Hub,
};
use futures_util::{StreamExt as _, future::LocalBoxFuture, stream::FuturesUnordered};
use luxwire_shared::time::Instant;
use std::{future::pending, time::Duration};
use tokio::{select, time::sleep};
use tracing::{info, warn};

/// What is searched for and paired at the moment.
#[derive(Default)]
pub(super) struct Pairings {
    search: Option<LocalBoxFuture<'static, anyhow::Result<Vec<Found>>>>,
    /// Nobody asked for the search, and nobody needs to be told.
    is_quiet: bool,
    /// Found hubs are paired without further ado.
    takes_all: bool,
    found: Option<Vec<Found>>,
    asked: Option<Asked>,
    /// How the last one that was asked for ended.
    ended: Option<Pairing>,
    unasked: FuturesUnordered<LocalBoxFuture<'static, Unasked>>,
    unasked_hosts: Vec<String>,
}

struct Asked {
    host: Host,
    deadline: Instant,
    pairing: LocalBoxFuture<'static, Result<Hub, Fault>>,
}

struct Unasked {
    host: String,
    outcome: Result<Hub, Fault>,
}

/// What came to an end.
pub(super) enum Outcome {
    Found(anyhow::Result<Vec<Found>>),
    Asked(Result<Hub, Fault>),
    Unasked(String, Result<Hub, Fault>),
}

/// Between two reminders that a button is to be pressed.
const REMINDER: Duration = Duration::from_secs(30);

impl Pairings {
    /// The next end; may be dropped and called again.
    pub(super) async fn next(&mut self) -> Outcome {
        let searched = async {
            match &mut self.search {
                Some(search) => search.await,
                None => pending().await,
            }
        };
        let paired = async {
            match &mut self.asked {
                Some(asked) => (&mut asked.pairing).await,
                None => pending().await,
            }
        };
        select! {
            found = searched => Outcome::Found(found),
            outcome = paired => Outcome::Asked(outcome),
            Some(Unasked { host, outcome }) = self.unasked.next() => Outcome::Unasked(host, outcome),
        }
    }

    /// The seconds left change every second.
    pub(super) fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let left = self.asked.as_ref()?.deadline.since(now);
        Some(now + Duration::from_nanos(u64::from(left.subsec_nanos()) + 1_000_000))
    }

    pub(super) fn cancel(&mut self) {
        self.asked = None;
        self.ended = None;
    }

    pub(super) fn search_status(&self) -> Search {
        let state = match (&self.search, &self.found) {
            (Some(_), _) if !self.is_quiet => SearchState::Searching,
            (_, Some(_)) => SearchState::Done,
            (_, None) => SearchState::Idle,
        };
        Search { state, found: self.found.clone().unwrap_or_default() }
    }

    pub(super) fn status(&self, now: Instant) -> Option<Pairing> {
        let asked = self.asked.as_ref();
        asked
            .map(|asked| Pairing::press_button(&asked.host, asked.deadline.since(now)))
            .or(self.ended.clone())
    }

    /// Hosts whose buttons are waited for without anybody having asked over MQTT.
    pub(super) fn unasked(&self) -> impl Iterator<Item = &String> {
        self.unasked_hosts.iter()
    }

    fn begin_unasked(&mut self, host: Host, api: ApiChoice) {
        let name = host.to_string();
        if self.unasked_hosts.contains(&name) || self.unasked_hosts.len() >= HUBS_MAX {
            return;
        }
        self.unasked_hosts.push(name.clone());
        self.unasked.push(Box::pin(async move {
            let reminding = async {
                loop {
                    info!("press the round button on the hub at {name}; waiting for it");
                    sleep(REMINDER).await;
                }
            };
            let outcome = select! {
                outcome = pair_with(host, api, true) => outcome,
                () = reminding => Err(Fault::ButtonNotPressed),
            };
            Unasked { host: name, outcome }
        }));
    }
}

impl Bridge {
    /// Pairs the hubs that the command line names, or searches if there is nothing to serve.
    pub(super) fn pair_unasked(&mut self) {
        let known: Vec<String> = self.store.hubs.iter().map(|hub| hub.host.clone()).collect();
        for host in self.settings.bridges.clone() {
            if !known.contains(&host.to_string()) {
                self.pairings.begin_unasked(host, self.settings.api);
            }
        }
        if known.is_empty() && self.settings.bridges.is_empty() && self.settings.pairs_unasked {
            info!("no hub is paired yet; searching the network for some seconds");
            self.pairings.takes_all = true;
            self.search();
        }
    }

    /// The hub does not know us any more. On a terminal that is a matter of its button.
    pub(super) fn pair_again(&mut self, id: &str) {
        let host = self.store.hub_mut(id).and_then(|hub| hub.host.parse().ok());
        if let Some(host) = host.filter(|_| self.settings.pairs_unasked) {
            self.pairings.begin_unasked(host, self.settings.api);
        }
    }

    /// The hub may have got another address. Only a hub that can prove who it is is followed there.
    pub(super) fn look_for(&mut self, id: &str) {
        let can_prove = self.store.hub_mut(id).is_some_and(|hub| hub.trust.is_some());
        if can_prove && self.pairings.search.is_none() {
            self.search();
            self.pairings.is_quiet = true;
        }
    }

    /// Goes after hubs that are lost, and announce themselves from elsewhere.
    fn follow_moved(&mut self, found: &[Found]) {
        let mut moved = Vec::new();
        for stored in self.store.hubs.iter_mut().filter(|stored| stored.trust.is_some()) {
            let is_lost = self.hubs.get(&stored.id).is_some_and(|hub| hub.state != HubState::Connected);
            let elsewhere = found.iter().find(|found| found.id == stored.id && found.host != stored.host);
            if let (true, Some(Found { host, .. })) = (is_lost, elsewhere) {
                info!("hub {} announces itself at {host}; it was at {}", stored.id, stored.host);
                stored.host.clone_from(host);
                moved.push(stored.clone());
            }
        }
        if !moved.is_empty() {
            self.save();
        }
        moved.into_iter().for_each(|hub| self.serve(hub));
    }

    pub(super) fn search(&mut self) {
        self.pairings.is_quiet = false;
        if self.pairings.search.is_none() {
            self.pairings.search = Some(Box::pin(search()));
        }
    }

    /// Somebody asked over MQTT; one at a time.
    pub(super) fn pair(&mut self, host: Host) {
        info!("somebody asks to pair the hub at {host}");
        let deadline = self.clock.now() + PAIRING_TIME;
        let api = self.settings.api;
        let pairing = Box::pin({
            let host = host.clone();
            async move {
                select! {
                    outcome = pair_with(host, api, false) => outcome,
                    () = sleep(PAIRING_TIME) => Err(Fault::ButtonNotPressed),
                }
            }
        });
        self.pairings.ended = None;
        self.pairings.asked = Some(Asked { host, deadline, pairing });
    }

    pub(super) fn paired(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Found(found) => self.found(found),
            Outcome::Asked(outcome) => {
                let Some(asked) = self.pairings.asked.take() else { return };
                let (state, message) = match self.keep(outcome) {
                    Ok(()) => (PairingState::Paired, "The hub is paired.".to_owned()),
                    Err(error) => {
                        warn!("the hub at {} is not paired: {error}", asked.host);
                        (PairingState::Failed, error)
                    }
                };
                let host = asked.host.to_string();
                self.pairings.ended = Some(Pairing { host, state, message, seconds_left: 0 });
            }
            Outcome::Unasked(host, outcome) => {
                self.pairings.unasked_hosts.retain(|other| *other != host);
                if let Err(error) = self.keep(outcome) {
                    warn!("the hub at {host} is not paired: {error}");
                }
            }
        }
    }

    fn found(&mut self, found: anyhow::Result<Vec<Found>>) {
        self.pairings.search = None;
        let found = found.unwrap_or_else(|error| {
            warn!("{error:#}");
            Vec::new()
        });
        if std::mem::take(&mut self.pairings.takes_all) {
            if found.is_empty() {
                info!(
                    "no hub announces itself; give its address with --bridge HOST (its label and the Hue app's \
                     settings show it), or add it in the page"
                );
            }
            for Found { name, host, .. } in &found {
                info!("found {name} at {host}");
                if let Ok(host) = host.parse() {
                    self.pairings.begin_unasked(host, self.settings.api);
                }
            }
        }
        self.follow_moved(&found);
        if !self.pairings.is_quiet {
            self.pairings.found = Some(found);
        }
    }

    /// Remembers a hub that was paired, and serves it.
    fn keep(&mut self, outcome: Result<Hub, Fault>) -> Result<(), String> {
        let hub = outcome.map_err(|fault| fault.to_string())?;
        let is_known = self.store.hubs.iter().any(|known| known.id == hub.id);
        if !is_known && self.store.hubs.len() >= HUBS_MAX {
            return Err(format!("{HUBS_MAX} hubs are paired already; forget one first"));
        }
        info!("paired with {} ({}) at {}", hub.name, hub.id, hub.host);
        self.store.put(hub.clone());
        self.save();
        self.serve(hub);
        Ok(())
    }
}
