//! The browser's clocks, as the values that code without a clock is handed.
use js_sys::Date;
use leptos::prelude::window;
use luxwire_shared::time::{Instant, Timestamp};
use wasm_bindgen::JsValue;

use crate::session::Moment;

/// The monotonic clock.
pub(crate) fn now() -> Instant {
    let millis = window().performance().expect("every browser that runs WebAssembly has this clock").now();
    Instant::from_micros((millis * 1_000.0) as u64)
}

/// The wall clock.
pub(crate) fn wall_clock() -> Timestamp {
    Timestamp::from_unix_millis(Date::now() as u64)
}

/// This moment, on both.
pub(crate) fn moment() -> Moment {
    Moment { now: now(), at: wall_clock() }
}

/// How far local time is ahead of UTC, in minutes.
pub(crate) fn utc_offset_min() -> i32 {
    -Date::new_0().get_timezone_offset() as i32
}

/// The time as RFC 3339 text, for machines.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    Date::new(&JsValue::from_f64(at.unix_millis() as f64)).to_iso_string().into()
}
