//! One round of one contender: its followers join, nothing happens for a while, the value changes at a set pace, and
//! then as fast as everybody gets it.

use super::{
    contender::{Contender, Table, Way},
    deliveries::{Delivered, Deliveries},
    meter::{Meter, Passed},
    party::{Follower, Producer},
    results::Sample,
};
use crate::network::{Traffic, quiet};
use anyhow::{Context as _, Error, Result, bail};
use bytes::Bytes;
use std::{
    cell::RefCell,
    rc::Rc,
    time::{Duration, Instant},
};
use tokio::{
    sync::Notify,
    task::{JoinHandle, spawn_local},
    time::{sleep_until, timeout},
};

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    /// Changes at the pace of a slider.
    pub(super) paced: u32,
    /// Changes of which each waits until everybody has the one before.
    pub(super) in_turn: u32,
    /// How long nothing happens, for those who ask meanwhile.
    pub(super) silence: Duration,
    /// How often somebody comes, says a value and goes.
    pub(super) once: u32,
    /// Whether the server's own sign of life is waited for, which takes as long as the server likes.
    pub(super) signs_of_life: bool,
}

/// What one round found.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// For each follower.
    pub(super) joining: Sample,
    pub(super) joining_times: Vec<Duration>,
    /// For each question of those who ask, for each sign of life of the others.
    pub(super) silence: Option<Sample>,
    /// For each change.
    pub(super) change: Option<Sample>,
    pub(super) delivery_times: Vec<Duration>,
    pub(super) seen: f64,
    pub(super) once: Option<Sample>,
}

/// The time between two changes: ten a second is what the page and the dimmers send while a slider is dragged.
pub(super) const PACE: Duration = Duration::from_millis(100);

/// Runs it. Nothing else may use the network meanwhile.
pub(super) async fn run(contender: &Contender, followers: usize, extent: &Extent) -> Result<Round> {
    let meter = Meter::default();
    let mut round = Round::default();
    let mut producer = Producer::join(contender.way, &meter).await?;
    producer.set(&value(0)).await?;
    let mut joined = Vec::new();
    let start = Count::when_quiet(&meter).await?;
    for number in 1..=followers {
        let started = Instant::now();
        let follower = timeout(PATIENCE, Follower::join(contender.way, number, &meter)).await;
        joined.push(follower.context("a follower cannot join")??);
        round.joining_times.push(started.elapsed());
    }
    round.joining = start.until_quiet(&meter).await?.per(followers as f64);
    if contender.is_in(Table::Change) {
        let way = contender.way;
        let mut house = House { way, producer, changes: 0, log: Rc::new(Log::to(followers)), meter };
        match way.polled_every() {
            Some(every) => house.changes_for_askers(joined, every, extent, &mut round).await?,
            None => house.changes_for_listeners(joined, contender, extent, &mut round).await?,
        }
    } else {
        // Whoever follows would get what is said in what comes next.
        drop((producer, joined));
    }
    if contender.is_in(Table::Once) && followers == 1 {
        round.once = Some(once(contender.way, extent).await?);
    }
    // Whoever has left is not to be counted with the next.
    quiet().await?;
    Ok(round)
}

/// The longest that anything here may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server's sign of life may be as rare as this.
const SIGN_OF_LIFE_WITHIN: Duration = Duration::from_secs(40);

/// The values are whole percents of two digits, over and over.
fn value(change: u32) -> String {
    (10 + change % 90).to_string()
}

async fn once(way: Way, extent: &Extent) -> Result<Sample> {
    let meter = Meter::default();
    let start = Count::when_quiet(&meter).await?;
    for change in 1..=extent.once {
        let done = timeout(PATIENCE, Producer::once(way, &value(change), &meter)).await;
        done.context("a value cannot be sent")??;
    }
    Ok(start.until_quiet(&meter).await?.per(extent.once.into()))
}

/// A producer, and what became of its values.
struct House {
    way: Way,
    producer: Producer,
    changes: u32,
    log: Rc<Log>,
    meter: Meter,
}

impl House {
    /// Those who ask are never quiet, so what is counted is a stretch of time amid their steady asking.
    async fn changes_for_askers(
        &mut self,
        joined: Vec<Follower>,
        every: Duration,
        extent: &Extent,
        round: &mut Round,
    ) -> Result<()> {
        let begin = Instant::now() + Duration::from_millis(10);
        let count = joined.len();
        let askers = Tasks::of(joined, &self.log, |number| Some(Asking { begin, every, number, count }));

        let silence_from = begin + every.max(PACE);
        let silence = extent.silence.max(every);
        let before = Count::at(silence_from, &self.meter).await?;
        let questions = silence.as_secs_f64() / every.as_secs_f64() * count as f64;
        let silent = before.until(silence_from + silence, &self.meter).await?;
        round.silence = Some(silent.per(questions));

        // The changes begin one early: what the first one leaves behind stands for what the last one takes along.
        let changes_from = silence_from + silence + PACE;
        let paced = extent.paced.max((every.as_secs_f64() / PACE.as_secs_f64()).ceil() as u32);
        self.change_at(changes_from - PACE, 0).await?;
        let before = Count::at(changes_from, &self.meter).await?;
        for step in 1..=paced {
            self.change_at(changes_from, step).await?;
        }
        let changed = before.until(changes_from + PACE * paced, &self.meter).await?;
        round.change = Some(changed.per(paced.into()));
        self.log.everybody_has_it().await?;
        round.take(self.log.deliveries.borrow_mut().take());
        drop(askers);
        Ok(())
    }

    /// With those who listen the line is quiet before and after.
    async fn changes_for_listeners(
        &mut self,
        mut joined: Vec<Follower>,
        contender: &Contender,
        extent: &Extent,
        round: &mut Round,
    ) -> Result<()> {
        let count = joined.len();
        let waits_for_server = matches!(self.way, Way::Events { .. });
        if contender.is_in(Table::Silence) && !waits_for_server {
            round.silence = Some(self.signs_of_life(&mut joined).await?);
        }
        let listeners = Tasks::of(joined, &self.log, |_| None);

        let before = Count::when_quiet(&self.meter).await?;
        let changes_from = Instant::now();
        for step in 1..=extent.paced {
            self.change_at(changes_from, step).await?;
        }
        self.log.everybody_has_it().await?;
        round.change = Some(before.until_quiet(&self.meter).await?.per(extent.paced.into()));
        self.log.deliveries.borrow_mut().take();

        for _ in 0..extent.in_turn {
            self.change().await?;
            self.log.everybody_has_it().await?;
        }
        round.take(self.log.deliveries.borrow_mut().take());
        drop(listeners);
        if contender.is_in(Table::Silence) && waits_for_server && extent.signs_of_life && count == 1 {
            let mut late = [Follower::join(self.way, count, &self.meter).await?];
            round.silence = Some(self.signs_of_life(&mut late).await?);
        }
        Ok(())
    }

    async fn signs_of_life(&self, followers: &mut [Follower]) -> Result<Sample> {
        let count = followers.len() as f64;
        let before = Count::when_quiet(&self.meter).await?;
        for follower in followers {
            let sign = timeout(SIGN_OF_LIFE_WITHIN, follower.keep_alive()).await;
            sign.context("there is no sign of life")??;
        }
        Ok(before.until_quiet(&self.meter).await?.per(count))
    }

    /// Changes the value at about its step of the pace. The moments wander through the step, so that they do not fall
    /// always into the same place between two questions of those who ask.
    async fn change_at(&mut self, from: Instant, step: u32) -> Result<()> {
        let wandering = PACE.mul_f64((f64::from(step) * GOLDEN_RATIO).fract());
        let at = from + PACE * step.saturating_sub(1) + wandering;
        sleep_until(at.into()).await;
        self.change().await
    }

    async fn change(&mut self) -> Result<()> {
        self.changes += 1;
        let value = value(self.changes);
        self.log.deliveries.borrow_mut().sending(Bytes::copy_from_slice(value.as_bytes()), Instant::now());
        timeout(PATIENCE, self.producer.set(&value)).await.context("a value cannot be sent")?
    }
}

/// Its multiples fall evenly between the whole numbers, however many there are.
const GOLDEN_RATIO: f64 = 1.618_033_988_749_895;

impl Round {
    fn take(&mut self, delivered: Delivered) {
        self.delivery_times = delivered.times;
        self.seen = delivered.seen;
    }
}

/// Where followers write down what they get.
struct Log {
    deliveries: RefCell<Deliveries>,
    changed: Notify,
    failed: RefCell<Option<Error>>,
}

impl Log {
    fn to(followers: usize) -> Self {
        let deliveries = RefCell::new(Deliveries::to(followers));
        Self { deliveries, changed: Notify::new(), failed: RefCell::default() }
    }

    async fn everybody_has_it(&self) -> Result<()> {
        let all = async {
            loop {
                if let Some(error) = self.failed.borrow_mut().take() {
                    return Err(error);
                }
                if self.deliveries.borrow().is_complete() {
                    return Ok(());
                }
                self.changed.notified().await;
            }
        };
        match timeout(PATIENCE, all).await {
            Ok(done) => done,
            Err(_) => bail!("a value did not reach everybody within {} s", PATIENCE.as_secs()),
        }
    }
}

/// When one of several followers asks: they take turns, evenly.
#[derive(Clone, Copy)]
struct Asking {
    begin: Instant,
    every: Duration,
    number: usize,
    count: usize,
}

impl Asking {
    fn time(&self, question: u32) -> Instant {
        let turn = (self.number as f64 + 0.5) / self.count as f64;
        self.begin + self.every.mul_f64(f64::from(question) + turn)
    }
}

/// Followers at work; dropping them ends their connections.
struct Tasks(Vec<JoinHandle<()>>);

impl Tasks {
    fn of(followers: Vec<Follower>, log: &Rc<Log>, asking: impl Fn(usize) -> Option<Asking>) -> Self {
        let task = |(number, follower)| {
            let (log, asking) = (Rc::clone(log), asking(number));
            spawn_local(async move {
                if let Err(error) = follow(follower, number, asking, &log).await {
                    log.failed.borrow_mut().get_or_insert(error);
                    log.changed.notify_one();
                }
            })
        };
        Self(followers.into_iter().enumerate().map(task).collect())
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

async fn follow(
    mut follower: Follower,
    number: usize,
    asking: Option<Asking>,
    log: &Log,
) -> Result<(), Error> {
    let mut question = 0;
    loop {
        if let Some(asking) = &asking {
            sleep_until(asking.time(question).into()).await;
            question += 1;
        }
        if let Some(value) = follower.next().await? {
            let mut deliveries = log.deliveries.borrow_mut();
            deliveries.received(number, &value, Instant::now());
            if deliveries.is_complete() {
                log.changed.notify_one();
            }
        }
    }
}

/// What the wire and the connections had carried at a moment.
struct Count {
    wire: Traffic,
    passed: Passed,
}

impl Count {
    async fn when_quiet(meter: &Meter) -> Result<Self> {
        Ok(Self { wire: quiet().await?, passed: meter.passed() })
    }

    async fn at(moment: Instant, meter: &Meter) -> Result<Self> {
        sleep_until(moment.into()).await;
        Ok(Self { wire: Traffic::so_far()?, passed: meter.passed() })
    }

    async fn until_quiet(&self, meter: &Meter) -> Result<Sample> {
        Ok(self.until_count(&Self::when_quiet(meter).await?))
    }

    async fn until(&self, moment: Instant, meter: &Meter) -> Result<Sample> {
        Ok(self.until_count(&Self::at(moment, meter).await?))
    }

    fn until_count(&self, later: &Self) -> Sample {
        let wire = later.wire - self.wire;
        Sample {
            bytes: wire.bytes as f64,
            packets: wire.packets as f64,
            above_tcp: (later.passed.bytes - self.passed.bytes) as f64,
            round_trips: (later.passed.round_trips - self.passed.round_trips) as f64,
        }
    }
}
