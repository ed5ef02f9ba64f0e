//! `luxwire dimmer`: publishes the intensity of a light, as a hand, a program, a knob or a wave says it.
//!
//! ```text
//!  keys ─► Control ─┐
//!  percent lines ───┤   passing values, QoS 0
//!  counts ► Knob ───┼─► final values ─► Latest ─► QoS 1 ─► lights/ID/intensity, retained
//!  wave ────────────┘
//! ```
//!
//! It says what it wants and follows what others set; it never publishes in answer to a message. Whether a lamp obeys is
//! not its business.

mod args;
mod device;
mod duty;
mod echoes;
mod keys;
mod knob;
mod latest;
mod lines;
mod report;
mod screen;
mod source;
mod terminal;
mod voice;
mod wave;

pub use args::{Args, Duty, Shape};

use crate::stop::StopSignals;
use anyhow::Context as _;

/// Runs until its source ends or it is asked to stop. Dropping the future ends it without a goodbye.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let stop = StopSignals::listen().context("cannot listen for signals")?;
    device::Device::new(args)?.run(stop).await
}
