//! A server with two clients that behave and talk to each other all the time, and what must hold for all three whatever
//! a third party sends.

use crate::support::{Client, Server, eventually};
use luxwire_shared::mqtt::{Acknowledge, Delivery, Packet, QoS, Version};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

/// See the module's documentation.
pub(crate) struct House {
    pub(crate) server: Server,
    witnesses: Witnesses,
    /// What the server has open while nobody but the witnesses is there.
    descriptors: usize,
}

/// How often something is sent between two looks at the memory. A kilobyte that is lost each time is then twice the
/// [`TOLERANCE`].
pub(crate) const REPETITIONS: usize = 256;

/// How much more memory may be in use after many repetitions than before them. It is not 0 because the allocator hands
/// memory out in pages, and gives it back to the system only from its end and in steps of 128 KiB, one of which may be
/// under way at any time. It does not depend on how many repetitions there were.
pub(crate) const TOLERANCE: u64 = 128 << 10;

/// How often memory may have grown beyond the tolerance before it counts as lost: what the allocator keeps it keeps
/// once, and what is lost is lost every time.
const ROUNDS: usize = 8;

impl House {
    /// With the default settings.
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    /// With these settings, `KEY=VALUE` each.
    pub(crate) fn with(settings: &[&str]) -> Self {
        Self::of(Server::quiet(settings))
    }

    /// Around this server.
    pub(crate) fn of(server: Server) -> Self {
        let witnesses = Witnesses::meet(&server);
        let descriptors = server.descriptors();
        Self { server, witnesses, descriptors }
    }

    /// Does it some times to warm up, then `times` times, and fails if anything is left of it. `once` is told how often it was
    /// done before.
    #[track_caller]
    pub(crate) fn endures(&mut self, times: usize, mut once: impl FnMut(&Server, usize)) {
        if let Some(grown) = self.growth(times, &mut once) {
            panic!("memory grows: {grown:?} bytes, each time that it was done {times} times");
        }
    }

    /// How much memory was lost in each of several rounds; `None` if in one of them none was.
    pub(crate) fn growth(&mut self, times: usize, mut once: impl FnMut(&Server, usize)) -> Option<Vec<u64>> {
        let descriptors = self.server.descriptors();
        let mut round = |house: &mut Self, times| {
            let beats = house.witnesses.beats();
            for number in 0..times {
                once(&house.server, number);
            }
            house.settles(descriptors);
            eventually("a message between the witnesses", || (house.witnesses.beats() > beats).then_some(()));
        };
        round(self, times.div_ceil(2));
        let mut before = self.server.resident();
        let mut grown = Vec::new();
        while grown.len() < ROUNDS {
            round(self, times);
            let after = self.resident_at_last(before + TOLERANCE);
            if after <= before + TOLERANCE {
                return None;
            }
            grown.push(after - before);
            before = after;
        }
        Some(grown)
    }

    /// Waits until the server has no more open than this.
    fn settles(&self, descriptors: usize) {
        eventually("as many open descriptors as before", || {
            (self.server.descriptors() <= descriptors).then_some(())
        });
    }

    /// The memory in use, as soon as it is at most so much, or else after a while.
    fn resident_at_last(&self, at_most: u64) -> u64 {
        let started = Instant::now();
        loop {
            let resident = self.server.resident();
            if resident <= at_most || started.elapsed() > PATIENCE {
                return resident;
            }
            thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// Sees that, when everybody else has gone, everything is as before: the two heard each other, in order and without a gap, others are let in, the
    /// process is the same and admits no mistake.
    pub(crate) fn ends_unharmed(self) {
        self.settles(self.descriptors);
        let Self { mut server, witnesses, .. } = self;
        witnesses.part();
        Client::connected(server.mqtt, Version::V3_1_1, "somebody").ping();
        Client::connected_by_websocket(server.http, Version::V5, "somebody").ping();
        assert!(server.is_running());
        let log = server.log();
        assert!(!log.contains("a mistake in luxwire") && !log.contains("panicked"), "{log}");
        assert!(!log.contains("cannot be written"), "{log}");
    }
}

/// How long memory may take to be given back.
const PATIENCE: Duration = Duration::from_secs(3);

/// One over TCP in 5.0 and one over WebSocket in 3.1.1. Each says a number at QoS 1 when it has heard the number before
/// from the other.
struct Witnesses {
    beats: Arc<AtomicU64>,
    stop: mpsc::Sender<()>,
    thread: thread::JoinHandle<()>,
}

impl Witnesses {
    fn meet(server: &Server) -> Self {
        let mut first = Client::connected(server.mqtt, Version::V5, "witness over tcp");
        let mut second =
            Client::connected_by_websocket(server.http, Version::V3_1_1, "witness over websocket");
        first.subscribe("witness/back", QoS::AtLeastOnce);
        second.subscribe("witness/there", QoS::AtLeastOnce);
        let beats = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&beats);
        let (stop, stopped) = mpsc::channel();
        let thread = thread::spawn(move || {
            let mut number = 0;
            // As often as a house's busiest dimmers; the channel ends with the test.
            while stopped.recv_timeout(Duration::from_millis(2)) == Err(RecvTimeoutError::Timeout) {
                hand_over(&mut first, &mut second, "witness/there", number);
                hand_over(&mut second, &mut first, "witness/back", number);
                number += 1;
                counted.store(number, Ordering::Relaxed);
            }
        });
        Self { beats, stop, thread }
    }

    fn beats(&self) -> u64 {
        assert!(!self.thread.is_finished(), "a witness was disturbed");
        self.beats.load(Ordering::Relaxed)
    }

    /// Ends their talk, which was one.
    fn part(self) {
        eventually("a message between the witnesses", || (self.beats() > 0).then_some(()));
        let _ = self.stop.send(());
        self.thread.join().expect("the witnesses were not disturbed");
    }
}

/// One says the number and has it acknowledged, the other hears that number and no other, and acknowledges it.
fn hand_over(from: &mut Client, to: &mut Client, topic: &str, number: u64) {
    from.publish(topic, number.to_string(), QoS::AtLeastOnce, false);
    let message = to.message();
    assert_eq!(str::from_utf8(&message.payload), Ok(&*number.to_string()), "the next in order");
    let Delivery::AtLeastOnce { id, .. } = message.delivery else { panic!("{message:?}") };
    to.send(&Packet::Puback(Acknowledge::success(id)));
}

#[test]
fn a_kilobyte_that_is_lost_each_time_is_seen() {
    let mut house = House::new();
    let mut keeper = Client::connected(house.server.mqtt, Version::V5, "keeper");
    let mut kept = 0;
    let grown = house.growth(REPETITIONS, |_, _| {
        keeper.publish(&format!("kept/{kept}"), vec![0; 1024], QoS::AtLeastOnce, true);
        kept += 1;
    });
    assert_eq!(grown.map(|grown| grown.len()), Some(ROUNDS));
    drop(keeper);
    house.ends_unharmed();
}
