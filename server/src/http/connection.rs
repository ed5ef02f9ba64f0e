//! The connection that a request came over.
//!
//! Most carry short questions and answers, and are bounded in number and in life. One that carries a stream of events is,
//! to the broker, a client that stays, and is counted and judged as such from then on: it gives its place among the HTTP
//! connections back and may live until its reader goes or takes nothing for too long.

use crate::shard::{Alive, Place};
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// A handle to it; every request carries one.
#[derive(Clone, Debug)]
pub(crate) struct Connection(Arc<State>);

#[derive(Debug)]
struct State {
    stalled: CancellationToken,
    kind: Mutex<Kind>,
}

/// What holds it.
#[derive(Debug)]
enum Kind {
    /// It has a place among the HTTP connections.
    Short { _place: Place },
    /// If the stream is a client's, its link is not forgotten before the last of it was written.
    Stream { _link: Option<Alive> },
}

impl Connection {
    pub(crate) fn new(place: Place) -> Self {
        let kind = Mutex::new(Kind::Short { _place: place });
        Self(Arc::new(State { stalled: CancellationToken::new(), kind }))
    }

    /// To be cancelled when the reader of its stream takes nothing for too long.
    pub(super) fn stalled(&self) -> CancellationToken {
        self.0.stalled.clone()
    }

    /// From here on it carries a stream and nothing else.
    pub(super) fn follows(&self, link: Alive) {
        self.carries_stream(Some(link));
    }

    /// From here on it carries the picture and nothing else.
    pub(super) fn watches(&self) {
        self.carries_stream(None);
    }

    fn carries_stream(&self, link: Option<Alive>) {
        *self.0.kind.lock().unwrap_or_else(PoisonError::into_inner) = Kind::Stream { _link: link };
    }

    /// Returns when it has lived for too long.
    pub(crate) async fn outlived(&self, lifetime: std::time::Duration) {
        tokio::select! {
            () = self.0.stalled.cancelled() => return,
            () = tokio::time::sleep(lifetime) => {}
        }
        let is_stream =
            matches!(*self.0.kind.lock().unwrap_or_else(PoisonError::into_inner), Kind::Stream { .. });
        if is_stream {
            self.0.stalled.cancelled().await;
        }
    }
}
