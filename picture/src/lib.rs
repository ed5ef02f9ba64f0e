//! "The picture": draws the broker and whoever is connected to it, live, and shows each message travel as it happens.
//!
//! A module of its own beside the page, which loads it when somebody opens the picture for the first time. What is seen
//! is decided by plain code that is handed events and times (`scene` and what it uses) and is tested without a browser;
//! `skin` puts it on a canvas and into elements. It publishes nothing and follows nothing: it hears of the broker over
//! HTTP, from the server that the page came from.

#![allow(
    clippy::manual_clamp,
    reason = "`f64::clamp` may panic, and its words bring the formatting of fractions along: seven kilobytes"
)]

mod crowd;
mod details;
mod event;
mod kind;
mod layout;
mod limits;
mod motion;
mod ordered;
mod scene;
mod skin;
mod story;
mod time;
mod wire;

pub use skin::{mount, unmount};
