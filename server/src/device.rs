//! Runs a device as the whole program: one thread, its log on standard error, until the device ends.

use crate::log;
use anyhow::Context as _;
use std::future::Future;
use tokio::{runtime, task::LocalSet};

/// Runs the device of this name, which is also its subcommand's.
pub(crate) fn run(
    name: &'static str,
    device: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    log::start_for_device(name);
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the system refuses what the program needs to run")?;
    let outcome = LocalSet::new().block_on(&runtime, device);
    // A thread may still wait for a line from a terminal, and would wait for ever.
    runtime.shutdown_background();
    outcome
}
