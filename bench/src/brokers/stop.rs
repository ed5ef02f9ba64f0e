//! Whether the user has had enough. Programs that were started end when the measurement unwinds, which it can only do
//! where it looks.

use anyhow::{Result, bail};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};
use tokio::{
    select,
    signal::unix::{SignalKind, signal},
};

static STOPPED: AtomicBool = AtomicBool::new(false);

/// From here on signals do not end the program but make [`check`] fail.
pub(super) fn listen() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new().name("signals".into()).spawn(move || {
        runtime.block_on(async {
            let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
            let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)] = kinds.map(signal) else { return };
            select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            STOPPED.store(true, Ordering::Relaxed);
        });
    })?;
    Ok(())
}

/// Fails when the measurement shall end.
pub(super) fn check() -> Result<()> {
    if STOPPED.load(Ordering::Relaxed) {
        bail!("stopped");
    }
    Ok(())
}
