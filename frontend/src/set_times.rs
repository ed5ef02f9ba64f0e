//! Asks our own server when each light was set, and when it went: MQTT doesn't carry it, its HTTP interface does.
use js_sys::{Array, Reflect};
use leptos::prelude::window;
use luxwire_shared::time::Timestamp;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

use crate::clock;

/// A topic's value and the time at which it was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SetTime {
    /// The topic.
    pub(crate) topic: String,
    /// Its value, as text.
    pub(crate) payload: String,
    /// When the broker got that value.
    pub(crate) set_at: Timestamp,
}

/// What the server holds of every light. Nothing if it cannot be asked: the page then knows no times, and says so.
pub(crate) async fn fetch() -> Vec<SetTime> {
    let answer = ask().await.unwrap_or_default();
    answer.iter().filter_map(|entry| read(&entry)).collect()
}

/// Levels, and since when a lamp is gone.
const ADDRESS: &str = "/api/v1/topics?filter=lights/%2B/%2B";

async fn ask() -> Result<Array, JsValue> {
    let response: Response = JsFuture::from(window().fetch_with_str(ADDRESS)).await?.dyn_into()?;
    if !response.ok() {
        return Ok(Array::new());
    }
    JsFuture::from(response.json()?).await?.dyn_into()
}

fn read(entry: &JsValue) -> Option<SetTime> {
    let field = |name| Reflect::get(entry, &JsValue::from_str(name)).ok()?.as_string();
    Some(SetTime {
        topic: field("topic")?,
        payload: field("payload")?,
        set_at: clock::parse(&field("set_at")?)?,
    })
}
