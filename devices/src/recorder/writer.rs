//! The thread that waits for the disk, so that nobody else does.
//!
//! It takes what came, in order, stores it in batches, and says how much is stored. A disk that takes nothing is said
//! once, tried again every second, and loses nothing: what is not stored is not acknowledged. Between two commits it does
//! a slice of what retention has to do.

use super::{
    Keep,
    arrival::Entry,
    clock,
    guard::{Guard, News},
    limits,
    query::when::{rfc3339, spoken},
    store::{Place, Retention, Store, StoreError},
};
use anyhow::Context as _;
use std::{
    fs::File,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::{self, Thread},
    time::{Duration, Instant},
};
use tokio::sync::{
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    oneshot,
};
use tracing::{debug, info, warn};

/// The thread's other end. Dropped, it lets the thread store what it has and end.
#[derive(Debug)]
pub(super) struct Writer {
    entries: Option<Sender<Entry>>,
    thread: Thread,
    wishes: Arc<Wishes>,
    progress: UnboundedReceiver<Progress>,
}

/// What the thread is to heed besides entries.
#[derive(Debug, Default)]
struct Wishes {
    /// Much waits: commit at once.
    hurry: AtomicBool,
    stop: AtomicBool,
}

/// What the thread says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// So many more entries, the oldest of those that were handed over, are where a power cut does not reach them.
    Stored { entries: usize, values: i64 },
    /// The oldest value that is there, as RFC 3339.
    Since(Option<String>),
    /// What keeps it from storing anything; `None`: it does again.
    Trouble(Option<String>),
    /// It has given up, for this reason.
    Failed(String),
}

impl Writer {
    /// Starts the thread, and waits until it has opened the file, which nobody else may record into as long as it runs.
    pub(super) async fn start(place: Place, keep: Keep) -> anyhow::Result<Self> {
        let (entries, received) = channel();
        let (say, progress) = unbounded_channel();
        let wishes = Arc::new(Wishes::default());
        let (open, opened) = oneshot::channel();
        let wished = Arc::clone(&wishes);
        let run = move || {
            let claimed = place.claim().and_then(|claim| Ok((claim, Store::open(place)?)));
            let (claim, store) = match claimed {
                Ok(claimed) => claimed,
                Err(error) => return drop(open.send(Err(error))),
            };
            let mut work = Work {
                guard: Guard::new(store.state().pause_left_ms),
                store,
                retention: Retention::new(keep),
                received,
                say,
                wishes: wished,
                trouble: None,
                is_slow: false,
                is_stuck: false,
                is_empty: true,
                retains_at: Instant::now(),
                _claim: claim,
            };
            if open.send(Ok(())).is_ok() {
                work.run();
            }
        };
        let thread = thread::Builder::new().name("writer".to_owned()).spawn(run)?;
        opened.await.context("the writer ended by itself; please report that")??;
        Ok(Self { entries: Some(entries), thread: thread.thread().clone(), wishes, progress })
    }

    /// Hands an entry over. Never waits.
    pub(super) fn put(&self, entry: Entry) {
        if let Some(entries) = &self.entries {
            // It ends only when it has said so.
            let _ = entries.send(entry);
        }
    }

    /// Much waits: commit at once.
    pub(super) fn hurry(&self) {
        self.wishes.hurry.store(true, Ordering::Release);
        self.thread.unpark();
    }

    /// What the thread says next; `None` when it has ended.
    pub(super) async fn next(&mut self) -> Option<Progress> {
        self.progress.recv().await
    }

    /// Lets it store what it has, and then end.
    pub(super) fn stop(&mut self) {
        self.wishes.stop.store(true, Ordering::Release);
        self.entries = None;
        self.thread.unpark();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Work {
    store: Store,
    retention: Retention,
    guard: Guard,
    received: Receiver<Entry>,
    say: UnboundedSender<Progress>,
    wishes: Arc<Wishes>,
    trouble: Option<String>,
    is_slow: bool,
    is_stuck: bool,
    /// Nobody was told yet that there are values.
    is_empty: bool,
    /// When what is too old or too much is looked for next.
    retains_at: Instant,
    /// Keeps others away from the file.
    _claim: Option<File>,
}

impl Work {
    fn run(&mut self) {
        self.tell(Progress::Stored { entries: 0, values: self.store.state().value_count });
        if let Err(reason) = self.work() {
            self.tell(Progress::Failed(reason));
        }
    }

    fn work(&mut self) -> Result<(), String> {
        let mut batch = Vec::new();
        let mut has_more = true;
        loop {
            let pause =
                if has_more { Duration::ZERO } else { self.retains_at - Instant::now().min(self.retains_at) };
            match self.received.recv_timeout(pause) {
                Ok(entry) => batch.push(entry),
                Err(RecvTimeoutError::Timeout) => {
                    has_more = self.retain()?;
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            self.linger();
            batch.extend(self.received.try_iter().take(limits::COMMIT_VALUES - 1));
            if !self.commit(&batch)? {
                return Ok(());
            }
            batch.clear();
            if has_more || Instant::now() >= self.retains_at {
                has_more = self.retain()?;
            }
        }
    }

    /// Lets more come, unless somebody is in a hurry.
    fn linger(&self) {
        let until = Instant::now() + limits::COMMIT_AFTER;
        while !self.wishes.hurry.swap(false, Ordering::AcqRel) && !self.wishes.stop.load(Ordering::Acquire) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            thread::park_timeout(left);
        }
    }

    /// Stores a batch, however long that takes. `false` if it was given up because the recorder stops.
    fn commit(&mut self, batch: &[Entry]) -> Result<bool, String> {
        loop {
            let begun = Instant::now();
            match self.store.write(batch) {
                Ok(written) => {
                    let took = begun.elapsed();
                    debug!("stored {} values in {:.1} ms", written.stored, took.as_secs_f64() * 1e3);
                    if written.beyond > 0 {
                        warn!(
                            "{} values were not recorded: the file has {} topics already, as many as it may; narrow the \
                             filter to what matters",
                            written.beyond,
                            limits::TOPICS
                        );
                    }
                    self.is_slow = slow(took, self.is_slow);
                    let values = self.store.state().value_count;
                    if std::mem::take(&mut self.is_empty) && values > 0 {
                        // From here on there is an oldest value.
                        self.retains_at = Instant::now();
                    }
                    self.tell(Progress::Stored { entries: batch.len(), values });
                    self.mended();
                    return Ok(true);
                }
                Err(error) => self.failed(error)?,
            }
            if self.wishes.stop.load(Ordering::Acquire) {
                warn!(
                    "{} messages could not be stored before the end; a broker with a session for us delivers those of QoS 1 \
                     again",
                    batch.len()
                );
                return Ok(false);
            }
            thread::park_timeout(limits::RETRY);
        }
    }

    /// Says what is wrong, once. An error is the reason to give up.
    fn failed(&mut self, error: StoreError) -> Result<(), String> {
        let trouble = match error {
            StoreError::Hopeless(reason) => return Err(reason),
            StoreError::Trouble(trouble) => trouble,
            StoreError::Gone => {
                let place = self.store.place().to_string();
                match self.store.begin_again() {
                    Ok(()) => {
                        warn!(
                            "{place} was removed while it was recorded into: what it held is gone with it. Recording goes on \
                             in a new file of this name. To delete the history, stop the recorder first"
                        );
                        return Ok(());
                    }
                    Err(StoreError::Hopeless(reason)) => return Err(reason),
                    Err(StoreError::Trouble(_) | StoreError::Gone) => {
                        format!("{place} was removed, and cannot be made again")
                    }
                }
            }
        };
        if self.trouble.is_none() {
            warn!(
                "nothing is recorded: {trouble}. Values wait, and nothing is acknowledged that is not stored; trying again \
                 every second"
            );
            self.tell(Progress::Trouble(Some(trouble.clone())));
            self.trouble = Some(trouble);
        }
        Ok(())
    }

    fn mended(&mut self) {
        if self.trouble.take().is_some() {
            info!("recording again; what waited is stored");
            self.tell(Progress::Trouble(None));
        }
    }

    /// Deletes a slice of what is too old or too much; says whether there is more.
    fn retain(&mut self) -> Result<bool, String> {
        let outcome = self.retain_slice();
        outcome.or_else(|error| match error {
            StoreError::Hopeless(reason) => Err(reason),
            // The next commit meets the same, and says so.
            StoreError::Trouble(trouble) => {
                debug!("nothing is deleted: {trouble}");
                self.retains_at = Instant::now() + limits::RETENTION_EVERY;
                Ok(false)
            }
            StoreError::Gone => Ok(false),
        })
    }

    fn retain_slice(&mut self) -> Result<bool, StoreError> {
        if Instant::now() >= self.retains_at {
            self.retains_at = Instant::now() + limits::RETENTION_EVERY;
            let now = clock::now();
            if let Some(news) = self.guard.tick(now, self.store.newest()?) {
                tell_person(news);
            }
            self.store.pause(self.guard.pause_left())?;
            if self.guard.pause_left() == 0 {
                self.retention.by_age(&mut self.store, now.wall)?;
            }
            let since = self.store.oldest()?.map(rfc3339);
            self.tell(Progress::Since(since));
        }
        let has_more = self.retention.slice(&mut self.store)?;
        if self.retention.is_stuck && !self.is_stuck {
            warn!(
                "the history is larger than --max-size, and nothing in it may be deleted: the newest values stay"
            );
        }
        self.is_stuck = self.retention.is_stuck;
        Ok(has_more)
    }

    fn tell(&self, progress: Progress) {
        // The recorder may have been dropped; what is stored stays stored.
        let _ = self.say.send(progress);
    }
}

/// Says when commits become slow; gives whether they are.
fn slow(took: Duration, was_slow: bool) -> bool {
    let is_slow = took > limits::SLOW_COMMIT;
    if is_slow && !was_slow {
        warn!("the disk is slow: it took {} to store some values; nothing is lost by that", spoken(took));
    }
    is_slow
}

fn tell_person(news: News) {
    let pause = spoken(limits::LEAP_PAUSE);
    match news {
        News::Leapt(by) => warn!(
            "the clock leapt forward by {}: nothing is deleted for its age for {pause}, so that a wrong clock does not empty \
             the history. If it is right, do nothing",
            spoken(by)
        ),
        News::Ahead(by) => warn!(
            "the clock is {} ahead of the newest value: nothing is deleted for its age for {pause}, so that a wrong clock \
             does not empty the history. If it is right, do nothing",
            spoken(by)
        ),
        News::SetBack(by) => warn!(
            "the clock was set back by {}: the newest values seem to lie ahead. History shows both the times and, as `seq`, \
             the order in which values came",
            spoken(by)
        ),
        News::Believed => info!("the clock is believed again: what is too old is deleted"),
    }
}
