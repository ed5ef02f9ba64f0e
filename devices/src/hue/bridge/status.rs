//! What the service says of itself, put together from everything there is, and said when it changes.

use super::{Bridge, mqtt::status_topic};
use crate::hue::{
    resource::Kind,
    service::{HubState, HubStatus, Status},
};

impl Bridge {
    pub(super) fn say_status(&mut self) {
        if !self.connection.is_online() {
            return;
        }
        let status = self.status();
        if self.said.as_ref() != Some(&status) {
            self.retain(&status_topic(&self.service), status.to_payload());
            self.said = Some(status);
        }
    }

    fn status(&self) -> Status {
        let hubs = self.store.hubs.iter().filter_map(|stored| {
            let hub = self.hubs.get(&stored.id)?;
            let of_kind = |wanted: fn(Kind) -> bool| {
                hub.translator.resources().filter(|(_, light)| wanted(light.kind)).count()
            };
            Some(HubStatus {
                id: stored.id.clone(),
                name: stored.name.clone(),
                host: stored.host.clone(),
                state: hub.state,
                lights: of_kind(|kind| !kind.is_group()),
                rooms: of_kind(Kind::is_group),
                message: hub.message.clone(),
            })
        });
        let is_known = |host: &&String| self.store.hubs.iter().any(|stored| stored.host == **host);
        let waiting = self.pairings.unasked().filter(|host| !is_known(host)).map(|host| HubStatus {
            id: host.clone(),
            name: String::new(),
            host: host.clone(),
            state: HubState::NotAuthorized,
            lights: 0,
            rooms: 0,
            message: Some("Press the round button on the hub.".to_owned()),
        });
        Status {
            state: "online",
            hubs: hubs.chain(waiting).collect(),
            search: self.pairings.search_status(),
            pairing: self.pairings.status(self.clock.now()),
        }
    }
}
