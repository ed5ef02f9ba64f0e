//! `luxwire pub` and `luxwire sub` beside mosquitto_pub and mosquitto_sub: the same command lines, at our broker and at
//! Mosquitto, give the same output, the same exit code, the same words and the same messages.
//!
//! `same.rs` holds the lines, `different.rs` those where Luxwire means to differ, with the reason. `docs/pub-sub.md` tells
//! people about the latter.

mod broker;
mod different;
mod live;
mod programs;
mod same;
mod scripted;
mod tls;

pub(crate) use broker::Broker;
