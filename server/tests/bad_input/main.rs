//! What broke other brokers, sent to the real program again and again: while two others talk to each other, over every
//! transport and in every version that is concerned. The answer is the one that the standard or our documentation wants,
//! the two others notice nothing, and memory and descriptors are afterwards what they were.
//!
//! docs/bad-input.md lists the inputs with where they come from. Each stands here under the same name.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

mod before_connect;
mod bytes;
mod cases;
mod descriptors;
mod exchange;
mod files;
mod house;
mod http_upgrade;
mod lengths;
mod properties;
mod qos2;
mod sessions;
mod slow_readers;
mod subscribe_forms;
mod times;
mod topics;
mod websocket_frames;
mod wills;

#[path = "../support/mod.rs"]
mod support;
