//! How a program is told to stop: SIGTERM, or Ctrl-C.

use std::io;
use tokio::{
    select,
    signal::unix::{Signal, SignalKind, signal},
};

/// Listens for the signals from the moment it exists. Every listener of a process hears each of them.
#[derive(Debug)]
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

/// What somebody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopSignal {
    /// SIGTERM.
    Terminate,
    /// Ctrl-C.
    Interrupt,
}

impl StopSignals {
    /// Must be called within a runtime.
    pub fn listen() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the next one; may be dropped and called again.
    pub async fn next(&mut self) -> StopSignal {
        select! {
            _ = self.terminate.recv() => StopSignal::Terminate,
            _ = self.interrupt.recv() => StopSignal::Interrupt,
        }
    }
}
