//! Answers that do not end by themselves, such as streams of events.
//!
//! A connection's life is bounded, because a reader that takes a byte a minute must end somewhere. A stream that its
//! reader follows may go on for days: it has its own way to notice that nobody reads it, and then has the connection cut.

use crate::limits;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::{select, time::sleep};
use tokio_util::sync::CancellationToken;

/// One connection's part; every request on it carries it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lasting {
    lasts: Arc<AtomicBool>,
    cut: CancellationToken,
}

/// An answer that lasts, for as long as this exists.
#[derive(Debug)]
pub(crate) struct Lasts(Lasting);

impl Lasting {
    /// The answer that is about to be given lasts.
    pub(super) fn begin(&self) -> Lasts {
        self.lasts.store(true, Ordering::Relaxed);
        Lasts(self.clone())
    }

    /// Returns when the connection must end, and says why.
    pub(crate) async fn over(&self) -> &'static str {
        select! {
            () = self.cut.cancelled() => "nobody reads what it is told",
            () = self.too_old() => "it lived too long",
        }
    }

    async fn too_old(&self) {
        loop {
            sleep(limits::HTTP_CONNECTION_LIFETIME).await;
            if !self.lasts.load(Ordering::Relaxed) {
                return;
            }
        }
    }
}

impl Lasts {
    /// What cuts the connection.
    pub(super) fn cut(&self) -> CancellationToken {
        self.0.cut.clone()
    }
}

impl Drop for Lasts {
    fn drop(&mut self) {
        self.0.lasts.store(false, Ordering::Relaxed);
    }
}
