//! What the page remembers for its next run, on this device: the level that each light was last on with. A browser that
//! keeps nothing (private windows) costs no more than that memory.
use leptos::prelude::window;
use luxwire_shared::model::{Intensity, LightId};
use web_sys::Storage;

/// The level that this light was last on with.
pub(crate) fn last_on(id: &LightId) -> Option<Intensity> {
    device()?.get_item(&last_on_key(id)).ok()??.parse().ok()
}

/// Remembers that level.
pub(crate) fn remember_last_on(id: &LightId, level: Intensity) {
    if let Some(device) = device() {
        let _ = device.set_item(&last_on_key(id), &level.to_string());
    }
}

/// Forgets a light that was removed.
pub(crate) fn forget(id: &LightId) {
    if let Some(device) = device() {
        let _ = device.remove_item(&last_on_key(id));
    }
}

fn device() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

fn last_on_key(id: &LightId) -> String {
    format!("luxwire.last-on.{id}")
}
