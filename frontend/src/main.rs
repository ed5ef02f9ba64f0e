//! The page in which people see and set the lights.
//!
//! `shared::model` decides, `shared::client` speaks MQTT, `session` joins the two, `house` gives them the browser, and
//! `components` draw. `app` says what stands where.
// Leptos writes `pub` before the properties of every component.
#![allow(unreachable_pub)]

mod app;
mod broker_url;
mod card;
mod clock;
mod components;
mod house;
mod hue_status;
mod memory;
mod scroll_guard;
mod session;
mod socket;
mod words;

use app::App;
use broker_url::BrokerUrl;
use house::House;
use js_sys::Math;
use leptos::{mount::mount_to_body, prelude::*};
use session::Session;
use web_sys::UrlSearchParams;

fn main() {
    let broker = broker();
    // One per page and not per tab: a tab that is duplicated takes what it stored along, and the two would then push
    // each other out for ever.
    let seed = (Math::random() * 2_f64.powi(53)) as u64;
    let client_id = format!("luxwire-page-{seed:x}");
    let session = Session::new(&client_id, seed, !broker.is_ours, clock::now());
    // Our server shows its own broker only.
    let has_picture = broker.is_ours;
    mount_to_body(move || {
        let house = House::new(session, broker);
        house.start();
        view! { <App house has_picture/> }
    });
    if let Some(shell) = document().get_element_by_id("shell") {
        shell.remove();
    }
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("data-client", &client_id);
        let _ = root.set_attribute("data-ready", "true");
    }
}

fn broker() -> BrokerUrl {
    let location = window().location();
    let text = |text: Result<String, _>| text.unwrap_or_default();
    let search = UrlSearchParams::new_with_str(&text(location.search())).ok();
    let meta = document().query_selector("meta[name=luxwire-broker]").ok().flatten();
    BrokerUrl::choose(
        search.and_then(|search| search.get("broker")),
        meta.and_then(|meta| meta.get_attribute("content")),
        &text(location.protocol()),
        &text(location.host()),
    )
}
