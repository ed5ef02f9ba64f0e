//! How the page's connection stands, in one plain line.
//!
//! It is a live region: a screen reader hears when the line says something else. The seconds that count down are hidden
//! from it, or it would speak every second.
use leptos::prelude::*;

/// How the connection stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Connection {
    /// Not yet, for the first time.
    Connecting,
    /// Connected, and every value that is there has come in.
    Online,
    /// Lost; the next attempt is made in so many seconds, and is being made when that is 0.
    Reconnecting(u64),
    /// The broker does not want this page, in its own words; the page does not try again by itself.
    Refused(String),
}

/// One line: a mark and words.
#[component]
pub(crate) fn ConnectionLine(
    /// How the connection stands.
    #[prop(into)]
    connection: Signal<Connection>,
    /// How many lights there are.
    #[prop(into)]
    lights: Signal<usize>,
) -> impl IntoView {
    let state = move || match connection.get() {
        Connection::Connecting => "connection",
        Connection::Online => "connection online",
        Connection::Reconnecting(_) => "connection waiting",
        Connection::Refused(_) => "connection refused",
    };
    let words = move || match connection.get() {
        Connection::Connecting => "Connecting…".into(),
        Connection::Online => online(lights.get()),
        Connection::Reconnecting(_) => "Reconnecting".into(),
        Connection::Refused(why) => format!("Refused: {why}"),
    };
    let countdown = move || match connection.get() {
        Connection::Reconnecting(0) => Some("…".into()),
        Connection::Reconnecting(seconds) => Some(format!(" in {seconds} s")),
        Connection::Connecting | Connection::Online | Connection::Refused(_) => None,
    };
    view! {
        <p class=state role="status">
            <span>{words}<span aria-hidden="true">{countdown}</span></span>
        </p>
    }
}

fn online(lights: usize) -> String {
    match lights {
        0 => "Online, no lights yet".into(),
        1 => "Online, 1 light".into(),
        lights => format!("Online, {lights} lights"),
    }
}
