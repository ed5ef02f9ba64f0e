//! The store, from entries in to answers out.

mod model;
mod repetition;
mod retention;
mod trouble;

use super::{
    super::{
        arrival::{Arrival, Delivery, Entry, Millis, Origin},
        query::{Answer, Asked, answer},
    },
    Place, Store, Written,
};
use std::path::{Path, PathBuf};

const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;
/// A whole hour.
const START: Millis = 1_795_798_800_000;
const TOPIC: &str = "lights/desk/intensity";

/// A folder that goes with its test.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("luxwire-store-{test}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.join("history.sqlite")
    }

    fn place(&self) -> Place {
        Place::File(self.file())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn value(set_at: Millis, payload: &str) -> Arrival {
    Arrival {
        topic: TOPIC.into(),
        payload: payload.to_owned().into(),
        set_at,
        origin: Origin::Broker,
        retained: false,
        delivery: None,
    }
}

fn delivered(id: u16, dup: bool, value: Arrival) -> Arrival {
    Arrival { delivery: Some(Delivery { id, dup }), ..value }
}

fn entries(values: impl IntoIterator<Item = Arrival>) -> Vec<Entry> {
    values.into_iter().map(Entry::Value).collect()
}

fn write(store: &mut Store, values: impl IntoIterator<Item = Arrival>) -> Written {
    store.write(&entries(values)).unwrap()
}

fn ask(place: &Place, asked: &Asked, now: Millis) -> Answer {
    let db = place.open_to_read().unwrap();
    let body = answer(&db, &asked.understand(now).unwrap(), now).unwrap().unwrap();
    serde_json::from_slice(&body).unwrap()
}

/// Everything of the topic, in order.
fn payloads(place: &Place) -> Vec<String> {
    let asked = Asked { topic: TOPIC.to_owned(), from: Some("0".to_owned()), ..Asked::default() };
    let values = ask(place, &asked, START + 1_000 * HOUR).values;
    values.into_iter().map(|value| value.payload.unwrap()).collect()
}
