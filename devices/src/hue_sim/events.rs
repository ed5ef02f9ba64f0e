//! What v2 tells its listeners: at most one container a second, with the last value of each property that changed.

use super::{date::iso, home::BridgeId, limits};
use luxwire_shared::time::{Instant, Timestamp};
use serde_json::{Map, Value, json};
use std::{collections::VecDeque, sync::Arc};

/// A container as it goes over the wire, with the id by which a listener names it.
#[derive(Clone, Debug)]
pub(crate) struct Container {
    pub(crate) id: String,
    pub(crate) frame: Arc<str>,
}

/// Changes on their way to the listeners.
#[derive(Debug, Default)]
pub(crate) struct Events {
    /// Partial resources, in the order in which they first changed.
    pending: Vec<Map<String, Value>>,
    since: Option<Instant>,
    last: Option<Instant>,
    sent: u64,
    kept: VecDeque<Container>,
    outbox: Vec<Container>,
}

impl Events {
    /// Adds what changed in a resource. `resource` says which: `id`, `type`, and what else identifies it.
    pub(crate) fn note(&mut self, now: Instant, resource: Map<String, Value>, changed: Map<String, Value>) {
        if changed.is_empty() {
            return;
        }
        self.since.get_or_insert(now);
        match self.pending.iter_mut().find(|known| known.get("id") == resource.get("id")) {
            Some(known) => known.extend(changed),
            None => {
                let mut partial = resource;
                partial.extend(changed);
                self.pending.push(partial);
            }
        }
    }

    /// When the next container goes out.
    pub(crate) fn due(&self) -> Option<Instant> {
        let since = self.since?;
        Some(self.last.map_or(since, |last| since.max(last + limits::CONTAINER_EVERY)))
    }

    /// Makes the container whose time has come.
    pub(crate) fn advance(&mut self, now: Instant, wall: Timestamp, bridge: &BridgeId) {
        if self.due().is_some_and(|due| due <= now) {
            self.since = None;
            self.last = Some(now);
            let resources = std::mem::take(&mut self.pending);
            self.send(wall, bridge, resources);
        }
    }

    /// Sends a container at once, beside the rhythm: a flood does that.
    pub(crate) fn send(&mut self, wall: Timestamp, bridge: &BridgeId, resources: Vec<Map<String, Value>>) {
        self.sent += 1;
        let id = format!("{}:{}", wall.unix_millis() / 1000, self.sent);
        let container = json!([{
            "creationtime": format!("{}Z", iso(wall)),
            "data": resources,
            "id": bridge.uuid(&format!("event/{id}")),
            "type": "update",
        }]);
        let frame = format!("id: {id}\ndata: {container}\n\n").into();
        let container = Container { id, frame };
        if self.kept.len() == limits::EVENTS_KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(container.clone());
        self.outbox.push(container);
    }

    /// The containers that listeners have not got yet.
    pub(crate) fn take(&mut self) -> Vec<Container> {
        std::mem::take(&mut self.outbox)
    }

    /// What somebody missed who saw this id last. Nothing for an id that is not, or no longer, known.
    pub(crate) fn after(&self, id: &str) -> Vec<Container> {
        let seen = self.kept.iter().position(|container| container.id == id);
        seen.map_or_else(Vec::new, |seen| self.kept.iter().skip(seen + 1).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: Timestamp = Timestamp::from_unix_millis(1_700_000_000_000);

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn on(events: &mut Events, at: u64, on: bool) {
        events.note(Instant::from_millis(at), map(json!({"id": "1"})), map(json!({"on": {"on": on}})));
    }

    fn advance(events: &mut Events, at: u64) -> Vec<Value> {
        events.advance(Instant::from_millis(at), WALL, &BridgeId::new([0; 3]));
        let parse = |container: Container| {
            let data = container.frame.split_once("data: ").unwrap().1.trim_end().to_owned();
            serde_json::from_str::<Value>(&data).unwrap()[0]["data"].take()
        };
        events.take().into_iter().map(parse).collect()
    }

    #[test]
    fn the_first_change_goes_at_once_and_the_rest_of_a_second_together() {
        let mut events = Events::default();
        on(&mut events, 0, true);
        assert_eq!(advance(&mut events, 0), [json!([{"id": "1", "on": {"on": true}}])]);
        on(&mut events, 100, false);
        on(&mut events, 200, true);
        events.note(Instant::from_millis(300), map(json!({"id": "2"})), map(json!({"on": {"on": true}})));
        on(&mut events, 400, false);
        assert_eq!(events.due(), Some(Instant::from_millis(1_000)));
        assert!(advance(&mut events, 999).is_empty());
        let both = json!([{"id": "1", "on": {"on": false}}, {"id": "2", "on": {"on": true}}]);
        assert_eq!(advance(&mut events, 1_000), [both]);
        assert_eq!(events.due(), None);
    }

    #[test]
    fn a_frame_is_an_id_and_one_line_of_data() {
        let mut events = Events::default();
        on(&mut events, 0, true);
        events.advance(Instant::START, WALL, &BridgeId::new([0; 3]));
        let frame = &events.take()[0].frame;
        let lines: Vec<_> = frame.lines().collect();
        assert_eq!(lines[0], "id: 1700000000:1");
        assert!(
            lines[1].starts_with("data: [{") && lines[1].contains(r#""creationtime":"2023-11-14T22:13:20Z""#)
        );
        assert!(lines[1].contains(r#""type":"update""#));
        assert_eq!((lines.len(), frame.ends_with("\n\n")), (3, true));
    }

    #[test]
    fn who_comes_back_gets_what_came_meanwhile() {
        let mut events = Events::default();
        for second in 0..3 {
            on(&mut events, second * 1000, second % 2 == 0);
            events.advance(Instant::from_millis(second * 1000), WALL, &BridgeId::new([0; 3]));
        }
        let sent = events.take();
        let ids = |containers: Vec<Container>| containers.into_iter().map(|one| one.id).collect::<Vec<_>>();
        assert_eq!(ids(events.after(&sent[0].id)), [sent[1].id.clone(), sent[2].id.clone()]);
        assert!(events.after(&sent[2].id).is_empty());
        assert!(events.after("12:34").is_empty());
    }
}
