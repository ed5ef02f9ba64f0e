//! Writes to standard output without ever making the lamp wait.
//!
//! A pipe that nobody reads, or a terminal that was stopped with Ctrl-S, blocks whoever writes to it. So a thread writes,
//! and what it has not come to yet waits in a bounded queue, which gives up the oldest: the newest always arrives.

use std::{
    collections::VecDeque,
    future,
    io::{self, Write as _},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};
use tokio::{
    sync::{oneshot, watch},
    time::timeout,
};

/// How long somebody may wait for what was printed before.
const CATCH_UP: Duration = Duration::from_millis(100);
/// How long the last words may take.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Writes in the background, in order.
pub(super) struct Printer {
    queue: Arc<Queue>,
    /// The number of the last piece that was written.
    written: watch::Receiver<u64>,
    /// Becomes ready when the thread ends: it wrote everything after [`Printer::finish`], or it could not write. `None`
    /// once that was heard.
    ended: Option<oneshot::Receiver<io::Result<()>>>,
}

struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    len_max: usize,
}

#[derive(Default)]
struct Waiting {
    pieces: VecDeque<(u64, Vec<u8>)>,
    /// The number of the newest piece; the first is 1.
    newest: u64,
    is_last: bool,
}

impl Printer {
    /// A printer that lets at most so many pieces wait.
    pub(super) fn start(len_max: usize) -> io::Result<Self> {
        let queue = Arc::new(Queue { waiting: Mutex::default(), changed: Condvar::new(), len_max });
        let (end, ended) = oneshot::channel();
        let (progress, written) = watch::channel(0);
        let thread_queue = Arc::clone(&queue);
        thread::Builder::new().name("printer".to_owned()).spawn(move || {
            let outcome = thread_queue.write_all(&progress);
            // Nobody asks any more when the lamp is gone.
            let _ = end.send(outcome);
        })?;
        Ok(Self { queue, written, ended: Some(ended) })
    }

    /// Writes this after everything before.
    pub(super) fn print(&self, piece: Vec<u8>) {
        let mut waiting = self.queue.lock();
        waiting.newest += 1;
        let number = waiting.newest;
        waiting.pieces.push_back((number, piece));
        if waiting.pieces.len() > self.queue.len_max {
            waiting.pieces.pop_front();
        }
        self.queue.changed.notify_one();
    }

    /// Waits until everything so far is written, but not long enough to be noticed.
    pub(super) async fn catch_up(&mut self) {
        let newest = self.queue.lock().newest;
        // Either way the one who waits goes on.
        let _ = timeout(CATCH_UP, self.written.wait_for(|written| *written >= newest)).await;
    }

    /// Waits until it cannot write any more, and says why, once. It may be dropped and called again.
    pub(super) async fn failed(&mut self) -> io::Error {
        let Some(ended) = &mut self.ended else { return future::pending().await };
        let outcome = ended.await;
        self.ended = None;
        match outcome {
            Ok(Err(error)) => error,
            Ok(Ok(())) | Err(_) => io::ErrorKind::BrokenPipe.into(),
        }
    }

    /// Waits until everything is written, but not for long.
    pub(super) async fn finish(&mut self) {
        self.queue.end();
        if let Some(ended) = self.ended.take() {
            // What nobody reads now is not going to be read.
            let _ = timeout(LAST_WORDS, ended).await;
        }
    }
}

impl Drop for Printer {
    fn drop(&mut self) {
        self.queue.end();
    }
}

impl Queue {
    fn write_all(&self, progress: &watch::Sender<u64>) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        while let Some((number, piece)) = self.next() {
            stdout.write_all(&piece)?;
            stdout.flush()?;
            progress.send_replace(number);
        }
        Ok(())
    }

    /// Waits for the next piece; `None` after the last.
    fn next(&self) -> Option<(u64, Vec<u8>)> {
        let mut waiting = self.lock();
        loop {
            if let Some(piece) = waiting.pieces.pop_front() {
                return Some(piece);
            }
            if waiting.is_last {
                return None;
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn end(&self) {
        self.lock().is_last = true;
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
