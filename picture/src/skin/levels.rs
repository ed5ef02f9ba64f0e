//! Asks the server once what every light was last set to: who set it may have left, and is then in no picture.

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::{JsValue, prelude::Closure};
use web_sys::{Response, Window};

use crate::event;

const ADDRESS: &str = "/api/v1/topics?filter=lights/%2B/intensity";

/// Hands topics and values to `learn`, once they are there. A server that does not answer costs a few lamps their light,
/// and no more.
pub(crate) fn ask(window: &Window, learn: impl FnOnce(Vec<(String, String)>) + 'static) {
    let text = Closure::once_into_js(|answer: Response| {
        answer.text().unwrap_or_else(|error| Promise::reject(&error))
    });
    let read = Closure::once_into_js(move |text: JsValue| {
        learn(event::read_values(&text.as_string().unwrap_or_default()));
    });
    let give_up = Closure::once_into_js(|| {});
    let text = then(&window.fetch_with_str(ADDRESS), &text, &JsValue::UNDEFINED);
    then(&text, &read, &give_up);
}

/// What follows a promise. Said in JavaScript's own words, it takes a tenth of the bytes of a future.
fn then(promise: &JsValue, act: &JsValue, otherwise: &JsValue) -> JsValue {
    let then = Reflect::get(promise, &"then".into()).map(Function::from);
    then.and_then(|then| then.call2(promise, act, otherwise)).unwrap_or(JsValue::UNDEFINED)
}
